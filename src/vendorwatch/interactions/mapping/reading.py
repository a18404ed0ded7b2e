"""Reads one table of a mapping file key by key, and notes what is wrong instead of stopping."""

from collections.abc import Callable, Collection
from decimal import Decimal
from typing import TypeVar

from vendorwatch.interactions.mapping.faults import Notes, nearest, show_all
from vendorwatch.toml_lines import KeyPath

T = TypeVar("T")

# What people write from memory of other tools, and what it is called here.
_MEANT = {
    "null_if": "unless",
    "null_when": "unless",
    "skip_if": "unless",
    "if": "when",
    "only_if": "when",
    "timezone": "zone",
    "time_zone": "zone",
    "tz": "zone",
    "date_format": "format",
    "formats": "format",
    "map": "values",
    "mapping": "values",
    "lookup": "values",
    "value": "constant",
    "const": "constant",
    "literal": "constant",
    "fixed": "constant",
    "col": "column",
    "source": "column",
    "columns": "join",
    "concat": "join",
    "date": "join",
    "sep": "separator",
    "else": "other",
    "otherwise": "other",
    "fallback": "default",
    "nulls": "null",
    "na": "null",
    "null_values": "null",
    "plus_seconds": "add",
    "duration": "add",
    "case_insensitive": "ignore_case",
    "regex": "like",
    "matches": "like",
    "eq": "equals",
    "ne": "not_equals",
    "is_empty": "empty",
    "one_of": "in",
    "name": "rule",
    "header_row": "skip_lines",
    "quotechar": "quote",
    "sep_decimal": "decimal",
    "strip": "trim",
}


class Table:
    """`finish` notes every key that nobody asked for."""

    def __init__(self, data: dict[str, object], path: KeyPath, notes: Notes) -> None:
        self.data = data
        self.path = path
        self.notes = notes
        self._known: list[str] = []

    @property
    def line(self) -> int:
        return self.notes.line(self.path)

    def has(self, key: str) -> bool:
        self._known.append(key)
        return key in self.data

    def wrong(self, key: str, detail: str, code: str = "bad_value") -> None:
        self.notes.add((*self.path, key), code, detail)

    def text(self, key: str, default: str | None = None) -> str | None:
        if not self.has(key):
            return default
        value = self.data[key]
        if isinstance(value, str):
            return value
        self.wrong(key, f"{key} must be text in quotes, and is {_called(value)}")
        return default

    def scalar(self, key: str) -> str | None:
        """Text, or a number or truth value as a CSV file would spell it."""
        return as_cell(self, key, self.data[key]) if self.has(key) else None

    def texts(self, key: str) -> tuple[str, ...]:
        """An array of texts, or a single one."""
        if not self.has(key):
            return ()
        value = self.data[key]
        items = value if isinstance(value, list) else [value]
        if isinstance(value, list) and not items:
            self.wrong(key, f"{key} is an empty array")
        return tuple(
            text for item in items if (text := as_cell(self, key, item, only_text=True)) is not None
        )

    def flag(self, key: str) -> bool:
        if not self.has(key):
            return False
        value = self.data[key]
        if isinstance(value, bool):
            return value
        self.wrong(key, f"{key} must be true or false, and is {_called(value)}")
        return False

    def integer(self, key: str, default: int = 0) -> int:
        if not self.has(key):
            return default
        value = self.data[key]
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        self.wrong(key, f"{key} must be a whole number, and is {_called(value)}")
        return default

    def choice(self, key: str, choices: Collection[str], default: str) -> str:
        value = self.text(key, default) or default
        if value in choices:
            return value
        close = nearest(value, choices)
        hint = f"; did you mean {close}?" if close else ""
        self.wrong(key, f"{key} must be one of {show_all(choices)}{hint}")
        return default

    def checked(self, key: str, check: Callable[[str], T]) -> T | None:
        """What `check` makes of the text; its ValueError becomes the note."""
        value = self.text(key)
        if value is None:
            return None
        try:
            return check(value)
        except ValueError as bad:
            self.wrong(key, str(bad))
            return None

    def table(self, key: str) -> "Table | None":
        if not self.has(key):
            return None
        value = self.data[key]
        if isinstance(value, dict):
            return Table(value, (*self.path, key), self.notes)
        self.wrong(key, f"{key} must be a table, and is {_called(value)}")
        return None

    def finish(self) -> None:
        for key in self.data:
            if key in self._known:
                continue
            meant = _MEANT.get(key)
            close = meant if meant in self._known else nearest(key, self._known)
            hint = f"did you mean {close}? " if close else ""
            known = ", ".join(sorted(set(self._known)))
            self.wrong(key, f"there is no key {key} here; {hint}known here: {known}", "unknown_key")


def as_cell(table: Table, key: str, value: object, *, only_text: bool = False) -> str | None:
    if isinstance(value, str):
        return value
    if not only_text:
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | Decimal):
            return str(value)
    wanted = "text in quotes" if only_text else "text or a number"
    table.wrong(key, f"{key} must be {wanted}, and holds {_called(value)}")
    return None


def _called(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "an array"
    if isinstance(value, str):
        return f'the text "{value}"'
    return f"{value}"
