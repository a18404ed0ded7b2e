"""Conditions on a row: `{ column = "outcome", equals = "HANG" }` and combinations of them."""

import re
from collections.abc import Callable

from vendorwatch.interactions.mapping.amounts import Number, ReadNumber, as_number, number_reader
from vendorwatch.interactions.mapping.faults import (
    Blocked,
    CellRefused,
    Unusable,
    nearest,
    show,
)
from vendorwatch.interactions.mapping.fields import FIELDS
from vendorwatch.interactions.mapping.reading import Table, as_cell
from vendorwatch.interactions.mapping.settings import Settings, Uses
from vendorwatch.toml_lines import KeyPath

Cells = dict[str, str]
Value = str | int | None
"""Of a field: an instant is Micros, everything else is its text."""
Done = dict[str, Value]
Condition = Callable[[Cells, Done], bool]

_Test = Callable[[str], bool]
_Read = Callable[[Cells, Done], str]

_COMPARE: dict[str, Callable[[Number, Number], bool]] = {
    "less_than": lambda a, b: a < b,
    "at_most": lambda a, b: a <= b,
    "more_than": lambda a, b: a > b,
    "at_least": lambda a, b: a >= b,
}
_GROUPS = ("all", "any", "not")
_PLAIN_NUMBER = number_reader(".", "")


class ConditionReader:
    """`fields`: whether conditions may look at fields of the record, not at columns only."""

    def __init__(self, settings: Settings, uses: Uses, *, fields: bool) -> None:
        self._settings = settings
        self._uses = uses
        self._fields = fields

    def read(self, table: Table, key: str) -> Condition | None:
        """Of a key that holds a condition, or an array of them of which any suffices."""
        if not table.has(key):
            return None
        return self._any_of(table.data[key], (*table.path, key), table)

    def _any_of(self, value: object, path: KeyPath, table: Table) -> Condition:
        conditions = self._several(value, path, table)
        if len(conditions) == 1:
            return conditions[0]
        return lambda cells, done: any(holds(cells, done) for holds in conditions)

    def _several(self, value: object, path: KeyPath, table: Table) -> list[Condition]:
        items = list(enumerate(value)) if isinstance(value, list) else [(None, value)]
        conditions: list[Condition] = []
        for index, item in items:
            where = path if index is None else (*path, index)
            if isinstance(item, dict):
                conditions.append(self._one(Table(item, where, table.notes)))
            else:
                table.notes.add(where, "bad_value", _HOW)
        if not items:
            table.notes.add(path, "bad_value", "an empty array is no condition")
        return conditions or [lambda cells, done: False]

    def _one(self, table: Table) -> Condition:
        groups = [key for key in _GROUPS if table.has(key)]
        if not groups:
            return self._comparison(table)
        if len(table.data) > 1:
            table.wrong(groups[0], "all, any and not stand alone in their condition")
        key = groups[0]
        path = (*table.path, key)
        if key == "all":
            conditions = self._several(table.data[key], path, table)
            return lambda cells, done: all(holds(cells, done) for holds in conditions)
        inner = self._any_of(table.data[key], path, table)
        if key == "any":
            return inner
        return lambda cells, done: not inner(cells, done)

    def _comparison(self, table: Table) -> Condition:
        read, what, number = self._subject(table)
        fold = table.flag("ignore_case")
        tests = _equalities(table, number, fold=fold) + self._emptiness(table)
        tests += _likeness(table, fold=fold) + _orders(table, number, self._settings.nulls)
        table.finish()
        if not tests and table.data.keys() <= {"column", "field", "ignore_case"}:
            table.notes.add(table.path, "bad_value", _HOW)
        line = table.line
        test = tests[0] if len(tests) == 1 else _all_of(tests)

        def holds(cells: Cells, done: Done) -> bool:
            text = read(cells, done)
            try:
                return test(text)
            except Unusable as bad:
                raise CellRefused(
                    bad.code, f"mapping line {line}: {what} holds {show(text)}, {bad.reason}"
                ) from None

        return holds

    def _subject(self, table: Table) -> tuple[_Read, str, ReadNumber]:
        column, name = table.text("column"), table.text("field") if self._fields else None
        if (column is None) == (name is None):
            either = "a column or a field" if self._fields else "a column"
            if not {"column", "field"} & table.data.keys() or column is not None:
                table.notes.add(table.path, "bad_value", f"a condition names {either}; {_HOW}")
            return (lambda cells, done: ""), "", _PLAIN_NUMBER
        if column is not None:
            self._uses.columns.setdefault(column, (*table.path, "column"))
            return (
                lambda cells, done: cells[column],
                f"column {show(column)}",
                self._settings.number,
            )
        return self._field_subject(table, name or "")

    def _field_subject(self, table: Table, name: str) -> tuple[_Read, str, ReadNumber]:
        if name not in FIELDS:
            close = nearest(name, FIELDS)
            table.wrong("field", f"the record has no field {name}; did you mean {close}?")
        self._uses.fields.setdefault(name, (*table.path, "field"))

        def read(cells: Cells, done: Done) -> str:
            if name not in done:
                raise Blocked
            value = done[name]
            return "" if value is None else str(value)

        return read, f"field {name}", _PLAIN_NUMBER

    def _emptiness(self, table: Table) -> list[_Test]:
        if not table.has("empty"):
            return []
        nulls, wanted = self._settings.nulls, table.flag("empty")
        return [lambda text: (text in nulls) == wanted]


_HOW = 'write a condition as { column = "Outcome", equals = "HANG" }'


def _all_of(tests: list[_Test]) -> _Test:
    return lambda text: all(test(text) for test in tests)


def _equalities(table: Table, number: ReadNumber, *, fold: bool) -> list[_Test]:
    tests: list[_Test] = []
    for key, negated in (("equals", False), ("in", False), ("not_equals", True), ("not_in", True)):
        if not table.has(key):
            continue
        value = table.data[key]
        if isinstance(value, list) != key.endswith("in"):
            shape = "an array of texts or numbers" if key.endswith("in") else "one text or number"
            table.wrong(key, f"{key} takes {shape}")
            continue
        items = value if isinstance(value, list) else [value]
        texts = {t for item in items if (t := as_cell(table, key, item)) is not None}
        numbers = {n for item in items if (n := as_number(item)) is not None}
        is_one = _equality(texts, numbers, number, fold=fold)
        tests.append(_negated(is_one) if negated else is_one)
    return tests


def _equality(texts: set[str], numbers: set[Number], read: ReadNumber, *, fold: bool) -> _Test:
    """A number is compared as a number, so that 0 is also 0.0 and 00; a text as it is written."""
    wanted = {text.casefold() for text in texts} if fold else texts

    def is_one(text: str) -> bool:
        if (text.casefold() if fold else text) in wanted:
            return True
        try:
            return read(text) in numbers
        except Unusable:
            return False

    if fold or numbers:
        return is_one
    return wanted.__contains__


def _negated(test: _Test) -> _Test:
    return lambda text: not test(text)


def _likeness(table: Table, *, fold: bool) -> list[_Test]:
    """`*` is any text, `?` one character. Not regular expressions: a vendor who may send mappings
    could write one that takes hours for one cell; these take time in proportion to the cell.
    """
    tests: list[_Test] = []
    for key, negated in (("like", False), ("not_like", True)):
        patterns = [_Wildcards(text, fold=fold) for text in table.texts(key)]
        if patterns:
            tests.append(_like(patterns, negated=negated))
    return tests


def _like(patterns: list["_Wildcards"], *, negated: bool) -> _Test:
    return lambda text: any(pattern.fits(text) for pattern in patterns) != negated


class _Wildcards:
    """The first place where a part fits is kept and never tried again."""

    def __init__(self, text: str, *, fold: bool) -> None:
        parts = text.split("*")
        flags = re.DOTALL | (re.IGNORECASE if fold else 0)
        self._tail = len(parts[-1])
        self._parts = [
            re.compile("".join("." if c == "?" else re.escape(c) for c in part), flags)
            for part in parts
        ]

    def fits(self, text: str) -> bool:
        first, *between = self._parts
        if not between:
            return first.fullmatch(text) is not None
        *between, last = between
        found = first.match(text)
        for part in between:
            found = part.search(text, found.end()) if found else None
        end = len(text) - self._tail
        return found is not None and found.end() <= end and bool(last.fullmatch(text, end))


def _orders(table: Table, number: ReadNumber, nulls: frozenset[str]) -> list[_Test]:
    tests: list[_Test] = []
    for key, compare in _COMPARE.items():
        if not table.has(key):
            continue
        bound = as_number(table.data[key])
        if bound is None:
            table.wrong(key, f"{key} takes a number, without quotes")
            continue
        tests.append(_order(compare, bound, number, nulls))
    return tests


def _order(
    compare: Callable[[Number, Number], bool],
    bound: Number,
    number: ReadNumber,
    nulls: frozenset[str],
) -> _Test:
    """An empty cell is neither more nor less than anything."""
    return lambda text: text not in nulls and compare(number(text), bound)
