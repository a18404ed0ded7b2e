"""Where the text of a field comes from: a column, several joined, a constant, another field."""

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field as attribute

from vendorwatch.interactions.mapping.conditions import Cells, Done, Value
from vendorwatch.interactions.mapping.faults import (
    Blocked,
    CellRefused,
    Unusable,
    nearest,
    show,
)
from vendorwatch.interactions.mapping.fields import FIELDS, Field, Kind, kind_of
from vendorwatch.interactions.mapping.reading import Table
from vendorwatch.interactions.mapping.settings import Settings, Uses

Raw = Callable[[Cells, Done], str | None]
Rule = Callable[[Cells, Done], Value]

_NAMES = ("column", "join", "constant", "field")
_LIKE_TEXT: frozenset[Kind] = frozenset({"text", "choice", "integer", "decimal"})


@dataclass(frozen=True, slots=True)
class Draft:
    """A rule while it is read: what it is for, and what is known around it."""

    table: Table
    field: Field
    settings: Settings
    uses: Uses
    nulls: frozenset[str]  # folded where ignore_case is set
    fold: bool
    is_null: Callable[[str], bool] = attribute(init=False)

    def __post_init__(self) -> None:
        nulls = self.nulls
        is_null = (lambda text: text.casefold() in nulls) if self.fold else nulls.__contains__
        object.__setattr__(self, "is_null", is_null)  # frozen: there is no other way

    def take(self, column: str, *keys: str | int) -> None:
        """The column's text becomes a value, and so isn't kept in `extra` besides."""
        self.uses.columns.setdefault(column, (*self.table.path, *keys))
        self.uses.values.add(column)


@dataclass(frozen=True, slots=True)
class Source:
    """`raw` gives the text, null tokens included, or None where there is none at all."""

    raw: Raw
    columns: tuple[str, ...]
    what: str  # as messages name it

    def holds(self, cells: Cells) -> str:
        if not self.columns:
            return self.what
        return f"{self.what} {'holds' if len(self.columns) == 1 else 'hold'} " + " and ".join(
            show(cells[column]) for column in self.columns
        )


def read_source(draft: Draft, *more: str) -> Source | None:
    """`more` are the other keys that may stand instead; None means one of them does.

    Where none or several stand there, that is noted, and the source is one without texts.
    """
    table = draft.table
    given = [key for key in (*_NAMES, *more) if table.has(key)]
    if len(given) != 1:
        names = ", ".join((*_NAMES, *more))
        found = f"and this one has {' and '.join(given)}" if given else "and this one has none"
        table.notes.add(table.path, "bad_value", f"a rule takes one of {names}, {found}")
        return Source(lambda cells, done: None, (), "")
    match given[0]:
        case "column":
            return _column(draft, table.text("column") or "")
        case "join":
            return _join(draft, table.texts("join"))
        case "constant":
            text = table.scalar("constant") or ""
            return Source(lambda cells, done: text, (), f"the constant {show(text)}")
        case "field":
            return _field(draft, table.text("field") or "")
        case _:
            return None


def _column(draft: Draft, column: str) -> Source:
    # A bare name stands at the field's own key, a spelt-out one under `column`.
    draft.take(column, "column")
    return Source(lambda cells, done: cells[column], (column,), f"column {show(column)}")


def _join(draft: Draft, columns: tuple[str, ...]) -> Source:
    table = draft.table
    for index, column in enumerate(columns):
        draft.take(column, "join", index)
    default = " " if kind_of(draft.field) == "instant" else "-"
    separator = table.text("separator", default) or ""
    skip_empty = table.flag("skip_empty")

    def raw(cells: Cells, done: Done) -> str | None:
        parts = [cells[column] for column in columns]
        there = [part for part in parts if not draft.is_null(part)]
        if not there or (len(there) < len(parts) and not skip_empty):
            return None
        return separator.join(there)

    return Source(raw, columns, "columns " + " and ".join(show(column) for column in columns))


def _field(draft: Draft, name: str) -> Source:
    wanted = kind_of(draft.field)
    other = FIELDS.get(name)
    if other is None:
        close = nearest(name, FIELDS)
        hint = f"; did you mean {close}?" if close else ""
        draft.table.wrong("field", f"the record has no field {name}{hint}")
    elif kind_of(other) != wanted and not {kind_of(other), wanted} <= _LIKE_TEXT:
        draft.table.wrong("field", f"{name} is of another kind: {kind_of(other)}, not {wanted}")
    draft.uses.fields.setdefault(name, (*draft.table.path, "field"))

    def raw(cells: Cells, done: Done) -> str | None:
        value = field_value(name, done)
        return None if value is None else str(value)

    return Source(raw, (), f"field {name}")


def field_value(name: str, done: Done) -> Value:
    if name not in done:
        raise Blocked
    return done[name]


def converted(draft: Draft, source: Source, convert: Callable[[str], Value]) -> Rule:
    """Null tokens are the business of `convert`: a table of values may name them."""
    raw, line = source.raw, draft.table.line
    if source.columns and "column" in draft.table.data:
        return _of_column(line, source, convert)

    def rule(cells: Cells, done: Done) -> Value:
        text = raw(cells, done)
        if text is None:
            return None
        try:
            return convert(text)
        except Unusable as bad:
            raise refusal(line, source, cells, bad) from None

    return rule


def _of_column(line: int, source: Source, convert: Callable[[str], Value]) -> Rule:
    """The rule of nearly every field, without a detour: it runs for every cell."""
    column = source.columns[0]

    def rule(cells: Cells, done: Done) -> Value:
        try:
            return convert(cells[column])
        except Unusable as bad:
            raise refusal(line, source, cells, bad) from None

    return rule


def refusal(line: int, source: Source, cells: Cells, bad: Unusable) -> CellRefused:
    return CellRefused(bad.code, f"mapping line {line}: {source.holds(cells)}, {bad.reason}")
