"""Reads TOML table by table, and collects what is wrong, each mistake with its line. Pure."""

import re
import tomllib
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeVar

from vendorwatch.errors import Fault, Kind, VendorwatchError
from vendorwatch.toml_lines import MOST_DOTS, KeyPath, find_lines, find_long_key

T = TypeVar("T")
Table = Mapping[str, object]

MOST_CHARACTERS = 64 * 2**10
_PLACE = re.compile(r" \(at line (\d+), column (\d+)\)")
_NOT_TOML = "not-toml"
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


class BadPolicy(VendorwatchError):
    """The policy file has mistakes. All of them are named, each with its line and the key's path.

    Correct them and set the policy again; the page on the policy file lists every key.
    """

    kind = Kind.REFUSED
    slug = "bad-policy"
    title = "The policy cannot be used"


@dataclass(frozen=True, slots=True)
class _Mistake:
    code: str
    detail: str
    path: KeyPath


@dataclass(frozen=True, slots=True)
class Mistakes:
    """Of one file, in the order in which they were found."""

    source: str
    _found: list[_Mistake] = field(default_factory=list)

    def add(self, code: str, detail: str, path: KeyPath) -> None:
        self._found.append(_Mistake(code, detail, path))

    def refuse(self) -> None:
        """Raises BadPolicy with all of them, in the order of their lines, if there are any."""
        if not self._found:
            return
        lines = _first_lines(self.source)
        faults = [
            Fault(each.code, each.detail, spell(each.path), line=_line(lines, each.path))
            for each in self._found
        ]
        count = f"{len(faults)} mistakes" if len(faults) > 1 else "one mistake"
        raise BadPolicy(
            f"The policy has {count}.",
            faults=tuple(sorted(faults, key=lambda fault: fault.line or 0)),
        )


class Reader:
    """One table of the file. What is not taken by `finish` is a key that nobody knows."""

    def __init__(self, table: Table, path: KeyPath, mistakes: Mistakes) -> None:
        self._table = table
        self._path = path
        self._mistakes = mistakes
        self._taken: set[str] = set()

    def has(self, key: str) -> bool:
        """Whoever asks for a key knows it: it must be taken, if it is there."""
        self._taken.add(key)
        return key in self._table

    def keys(self, *needed: str, allowed: tuple[str, ...]) -> list[str]:
        """The allowed keys that are there, with those needed; all of the others are faults."""
        self._taken.update(allowed)
        self.finish(allowed)
        self._taken.update(self._table)
        return [key for key in allowed if key in self._table or key in needed]

    def take(self, key: str, read: Callable[[object], T], instead: T, *, needed: bool = True) -> T:
        """The value; `instead` where it is missing or wrong (which is a fault)."""
        self._taken.add(key)
        if key not in self._table:
            if needed:
                self.fault("missing", "is missing", key)
            return instead
        try:
            return read(self._table[key])
        except ValueError as error:
            self.fault("bad-value", str(error), key)
            return instead

    def table(self, key: str, *, needed: bool = True) -> "Reader":
        nothing: Table = {}
        found = self.take(key, _table, nothing, needed=needed)
        # Of a table that is missing or none, what it would have to hold is no further mistake.
        silent = found is nothing and (needed or self.has(key))
        mistakes = Mistakes(self._mistakes.source) if silent else self._mistakes
        return Reader(found, (*self._path, key), mistakes)

    def finish(self, known: tuple[str, ...] = ()) -> None:
        for key in self._table:
            if key not in self._taken:
                among = f"; known here: {', '.join(known or sorted(self._taken))}"
                self.fault("unknown-key", f"is not known{among}", key)

    def fault(self, code: str, detail: str, *key: str) -> None:
        self._mistakes.add(code, detail, (*self._path, *key))


def load(source: str) -> dict[str, object]:
    """The file as TOML; its decimals are Decimals. Raises BadPolicy with one fault."""
    if len(source) > MOST_CHARACTERS:
        raise _unreadable("too-long", f"has more than {MOST_CHARACTERS} characters", 1)
    if (long := find_long_key(source)) is not None:
        raise _unreadable(_NOT_TOML, f"has more than {MOST_DOTS} dots in one line", long)
    lines = source.split("\n")
    try:
        return tomllib.loads(source, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        place = _PLACE.search(str(error))
        number = int(place[1]) if place else len(lines)
        detail = f"is not TOML: {_PLACE.sub('', str(error))}"
        detail += f" (column {place[2]})" if place else ""
        raise _unreadable(_NOT_TOML, detail, number) from error
    except (ValueError, ArithmeticError, RecursionError) as error:
        # Not only what the reader calls wrong: also numbers and nesting beyond its own limits.
        first = bisect_left(range(1, len(lines) + 1), True, key=lambda n: _breaks(lines[:n]))
        detail = "has a number of too many digits, or tables or lists nested too deeply"
        raise _unreadable(_NOT_TOML, detail, first + 1) from error


def spell(path: KeyPath) -> str | None:
    """As a TOML author would write it; None for the top."""
    keys = (str(key) for key in path)
    return ".".join(key if _BARE_KEY.fullmatch(key) else f'"{key}"' for key in keys) or None


def _breaks(lines: list[str]) -> bool:
    """Whether these lines are enough to go beyond the reader's limits."""
    try:
        _ = tomllib.loads("\n".join(lines), parse_float=Decimal)
    except tomllib.TOMLDecodeError:
        return False
    except (ValueError, ArithmeticError, RecursionError):
        return True
    return False


def _unreadable(code: str, detail: str, line: int) -> BadPolicy:
    fault = Fault(code, f"the file {detail}", line=line)
    return BadPolicy(f"Line {line}: {fault.detail}.", faults=(fault,))


def _first_lines(source: str) -> dict[KeyPath, int]:
    """Where each key, and each table, is first spoken of; the file itself on line 1."""
    first: dict[KeyPath, int] = {(): 1}
    for path, line in find_lines(source).items():
        for end in range(1, len(path) + 1):
            first.setdefault(path[:end], line)
    return first


def _line(first: Mapping[KeyPath, int], path: KeyPath) -> int:
    """Of the path, or of the nearest table around it that is there."""
    while path not in first:
        path = path[:-1]
    return first[path]


def _table(value: object) -> Table:
    if not isinstance(value, dict):
        raise ValueError("must be a table")  # noqa: TRY004  a fault of the file, not of types
    return value
