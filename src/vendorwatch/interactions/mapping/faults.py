"""What can be wrong with a mapping, with a file's header, or with a cell."""

from collections.abc import Collection
from difflib import get_close_matches

from vendorwatch.errors import Fault, Kind, VendorwatchError
from vendorwatch.toml_lines import KeyPath

MOST_MISTAKES = 100  # that are looked for: nobody mends more at once
_SHOWN = 60  # characters of a cell that a message repeats


class BadMapping(VendorwatchError):
    """The mapping file has mistakes. Up to a hundred of them are named, each with its line.

    Correct them; `vendorwatch mapping check` tries a mapping without storing it.
    """

    kind = Kind.REFUSED
    slug = "bad-mapping"
    title = "The mapping file has mistakes"


class Unusable(Exception):
    """A text cannot become the value that the mapping wants of it; `reason` goes on "..., which"."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class CellRefused(Exception):
    """An `Unusable` that knows its column and line. `detail` is a whole sentence."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class Blocked(Exception):
    """A value depends on a field that has been refused already; nothing more is to be said."""


def show(text: str) -> str:
    cut = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    return '"' + cut.replace("\r", "\\r").replace("\n", "\\n") + '"'


def show_all(texts: Collection[str]) -> str:
    return ", ".join(show(text) for text in texts)


def nearest(name: str, known: Collection[str]) -> str | None:
    """The known name that was most likely meant: case, blanks and punctuation count little."""
    by_core = {_core(candidate): candidate for candidate in known}
    exact = by_core.get(_core(name))
    if exact is not None:
        return exact
    close = get_close_matches(_core(name), by_core, n=1, cutoff=0.7)
    return by_core[close[0]] if close else None


def _core(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum()) or name


class Notes:
    """Collects the mistakes of one mapping file, so that all are told at once.

    More than MOST_MISTAKES end the reading: to say what each of them may have meant takes time.
    """

    def __init__(self, lines: dict[KeyPath, int]) -> None:
        self._lines = lines
        self.faults: list[Fault] = []

    def line(self, path: KeyPath) -> int:
        """Of the path, or of the nearest thing around it that is written in the file."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)

    def add(self, path: KeyPath, code: str, detail: str) -> None:
        """Raises BadMapping where there are too many."""
        if len(self.faults) == MOST_MISTAKES:
            raise self.refusal(f"more than {MOST_MISTAKES} mistakes")
        self.faults.append(
            Fault(code=code, detail=detail, field=spell(path) or None, line=self.line(path))
        )

    def refusal(self, count: str) -> BadMapping:
        faults = tuple(sorted(self.faults, key=lambda fault: fault.line or 0))
        return BadMapping(f"The mapping has {count}.", faults=faults)


def spell(path: KeyPath) -> str:
    """As a TOML author would write it: `fields.status.values."3 - Moderate"`."""
    text = ""
    for key in path:
        if isinstance(key, int):
            text += f"[{key}]"
        else:
            bare = key.isascii() and key.replace("-", "").replace("_", "").isalnum()
            text += ("." if text else "") + (key if bare else f'"{key}"')
    return text
