"""On which line of a TOML source each key stands; `tomllib` does not tell.

The scan trusts its input: it is called only with a source that `tomllib` has accepted.
"""

import re
import tomllib

KeyPath = tuple[str | int, ...]
"""Keys and array positions from the top: `("skip", 0, "when", "column")`."""

MOST_DOTS = 100
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"""(?:""?(?!"))?'
    r"|'''.*?'''(?:''?(?!'))?"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_TEXT_OR_REMARK = re.compile(rf"{_STRING.pattern}|#[^\n]*", re.DOTALL)
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_PLAIN_VALUE = re.compile(r"[^,\]}#\n]*")


def find_long_key(source: str) -> int | None:
    """The first line with far more dots outside of texts and remarks than any key needs.

    To be asked before `tomllib` is: it takes the square of a key's parts.
    """
    bare = _TEXT_OR_REMARK.sub(lambda found: "\n" * found[0].count("\n"), source)
    lines = enumerate(bare.split("\n"), start=1)
    return next((number for number, line in lines if line.count(".") > MOST_DOTS), None)


def find_lines(source: str) -> dict[KeyPath, int]:
    """Lines count from 1. Tables, keys and elements of arrays each have their path."""
    return _Scan(source).document()


class _Scan:
    def __init__(self, source: str) -> None:
        self._source = source.replace("\r\n", "\n")
        self._at = 0
        self._counted_at = 0
        self._line = 1
        self._lines: dict[KeyPath, int] = {}
        self._elements: dict[KeyPath, int] = {}  # how many tables each [[array]] has so far

    def document(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        self._skip(_BLANK)
        while self._at < len(self._source):
            table = self._header() if self._peek() == "[" else self._pair(table)
            self._skip(_BLANK)
        return self._lines

    def _header(self) -> KeyPath:
        brackets = 2 if self._source.startswith("[[", self._at) else 1
        self._at += brackets
        keys = self._keys()
        self._at += brackets
        path = self._resolve(keys[:-1]) + keys[-1:]
        if brackets == 1:
            return self._mark(self._resolve(keys))
        self._mark(path)
        index = self._elements.get(path, 0)
        self._elements[path] = index + 1
        return self._mark((*path, index))

    def _resolve(self, keys: KeyPath) -> KeyPath:
        """A header that goes through an [[array]] means its last table."""
        path: KeyPath = ()
        for key in keys:
            path = (*path, key)
            if path in self._elements:
                path = (*path, self._elements[path] - 1)
        return path

    def _pair(self, table: KeyPath) -> KeyPath:
        path = table
        for key in self._keys():
            path = self._mark((*path, key))
        self._at += 1  # the equals sign
        self._skip(_SPACE)
        self._value(path)
        return table

    def _keys(self) -> KeyPath:
        keys: list[str] = []
        while True:
            self._skip(_SPACE)
            keys.append(self._key())
            self._skip(_SPACE)
            if self._peek() != ".":
                return tuple(keys)
            self._at += 1

    def _key(self) -> str:
        if self._peek() not in "\"'":
            return self._skip(_BARE_KEY)
        quoted = self._skip(_STRING)
        return str(tomllib.loads(f"key = {quoted}")["key"])  # it knows the escapes

    def _value(self, path: KeyPath) -> None:
        opening = self._peek()
        if opening == "[":
            self._array(path)
        elif opening == "{":
            self._inline_table(path)
        elif opening in "\"'":
            self._skip(_STRING)
        else:
            self._skip(_PLAIN_VALUE)

    def _array(self, path: KeyPath) -> None:
        self._at += 1
        index = 0
        self._skip(_BLANK)
        while self._peek() != "]":
            self._value(self._mark((*path, index)))
            index += 1
            self._past_comma()
        self._at += 1

    def _inline_table(self, path: KeyPath) -> None:
        self._at += 1
        self._skip(_BLANK)
        while self._peek() != "}":
            self._pair(path)
            self._past_comma()
        self._at += 1

    def _past_comma(self) -> None:
        self._skip(_BLANK)
        if self._peek() == ",":
            self._at += 1
            self._skip(_BLANK)

    def _peek(self) -> str:
        return self._source[self._at]

    def _skip(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._source, self._at)
        if found is None:  # only if tomllib and this scan disagree about what TOML is
            raise ValueError(f"not TOML at character {self._at}")
        self._at = found.end()
        return found[0]

    def _mark(self, path: KeyPath) -> KeyPath:
        self._line += self._source.count("\n", self._counted_at, self._at)
        self._counted_at = self._at
        self._lines.setdefault(path, self._line)
        return path
