"""A compiled mapping, applied to the rows of a file."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Self

from vendorwatch.errors import Fault
from vendorwatch.interactions.formats.delimited import Dialect
from vendorwatch.interactions.formats.faults import BadHeader
from vendorwatch.interactions.mapping.conditions import Cells, Condition, Done
from vendorwatch.interactions.mapping.faults import Blocked, CellRefused, nearest, show, show_all
from vendorwatch.interactions.mapping.fields import Field
from vendorwatch.interactions.mapping.settings import Settings, Uses
from vendorwatch.interactions.mapping.sources import Rule
from vendorwatch.interactions.record import RowRefused
from vendorwatch.periods import format_instant

_GUESSED = 10  # missing columns for which the most similar of the file is looked for
_written = lru_cache(8192)(format_instant)  # instants repeat: see moments


@dataclass(frozen=True, slots=True)
class SkipRule:
    name: str
    when: Condition


@dataclass(frozen=True, slots=True)
class FieldRule:
    field: Field
    line: int
    rule: Rule
    uses: Uses


@dataclass(frozen=True, slots=True)
class Mapped:
    """`fields` are cells of text as record.build reads them; `extra` holds the columns that no rule
    takes a value from, but for the empty cells and those that the mapping drops. Its names are the
    file's own, and may be those of fields of the record, which they don't mean.
    """

    fields: dict[str, str | None]
    extra: dict[str, str]


@dataclass(frozen=True, slots=True)
class SkipRow:
    """The mapping leaves this row out, on purpose, for the rule of this name."""

    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """`supplied`: the record's fields that the mapping fills. `dropped`: the columns that it leaves
    out on purpose. `sha256` is that of the source. `name` is the mapping's own, or empty.
    """

    name: str
    sha256: bytes
    dialect: Dialect
    supplied: frozenset[str]
    dropped: tuple[str, ...]
    _trim: bool
    _skips: tuple[SkipRule, ...]
    _rules: tuple[FieldRule, ...]
    _columns: dict[str, int]
    _not_extra: frozenset[str]

    @classmethod
    def of(
        cls,
        *,
        name: str,
        sha256: bytes,
        settings: Settings,
        skips: tuple[SkipRule, ...],
        rules: tuple[FieldRule, ...],
        columns: dict[str, int],
    ) -> Self:
        taken = {column for rule in rules for column in rule.uses.values}
        return cls(
            name=name,
            sha256=sha256,
            dialect=settings.dialect,
            supplied=frozenset(rule.field.name for rule in rules),
            dropped=settings.drop,
            _trim=settings.trim,
            _skips=skips,
            _rules=rules,
            _columns=columns,
            _not_extra=frozenset(taken | set(settings.drop)),
        )

    def check_header(self, columns: Sequence[str]) -> None:
        """Raises BadHeader that names every column which the mapping needs and the file lacks."""
        there = frozenset(columns)
        lacking = {name: line for name, line in self._columns.items() if name not in there}
        if not lacking:
            return
        in_order = sorted(lacking.items(), key=lambda item: item[1])
        faults = tuple(
            self._lacks(name, line, columns, guess=at < _GUESSED)
            for at, (name, line) in enumerate(in_order)
        )
        detail = f"The file lacks {_count(lacking)} that the mapping names: {show_all(lacking)}."
        raise BadHeader(detail, faults=faults)

    def _lacks(self, name: str, line: int, columns: Sequence[str], *, guess: bool) -> Fault:
        close = nearest(name, columns) if guess else None
        hint = f"; did you mean {show(close)}?" if close else ""
        if len(columns) <= 1:
            hint = "; it has a single column, so the mapping's delimiter may be another one"
        if any(name in rule.field.choices for rule in self._rules if rule.line == line):
            hint += f'; if the text {name} itself is meant, write {{ constant = "{name}" }}'
        detail = f"mapping line {line}: the file has no column {show(name)}{hint}"
        return Fault(code="missing_column", detail=detail, field=name)

    def apply(self, cells: Cells) -> Mapped | SkipRow:
        """`cells` by column; every column that check_header saw must be there.

        Raises RowRefused with all the faults of the row that the mapping finds.
        """
        if self._trim:
            cells = {column: text.strip() for column, text in cells.items()}
        for skip in self._skips:
            if self._skipped(skip, cells):
                return SkipRow(skip.name)
        fields = self._fields(cells)
        not_extra = self._not_extra
        extra = {column: text for column, text in cells.items() if text and column not in not_extra}
        return Mapped(fields, extra)

    def _skipped(self, skip: SkipRule, cells: Cells) -> bool:
        try:
            return skip.when(cells, {})
        except CellRefused as bad:
            raise RowRefused((Fault(code=bad.code, detail=bad.detail),)) from None

    def _fields(self, cells: Cells) -> dict[str, str | None]:
        done: Done = {}
        fields: dict[str, str | None] = {}
        faults: list[Fault] = []
        for rule in self._rules:
            name = rule.field.name
            try:
                value = done[name] = rule.rule(cells, done)
            except CellRefused as bad:
                faults.append(Fault(code=bad.code, detail=bad.detail, field=name))
            except Blocked:
                continue
            else:
                if value is None and rule.field.required:
                    faults.append(_missing(rule, cells))
                fields[name] = _written(value) if isinstance(value, int) else value
        if faults:
            raise RowRefused(tuple(faults))
        return fields

    def explain(self, fault: Fault) -> Fault:
        """A fault that the record found in a mapped field, with the mapping's line and columns."""
        for rule in self._rules:
            if rule.field.name == fault.field:
                columns = f" ({_columns_of(rule)})" if rule.uses.values else ""
                detail = f"mapping line {rule.line}{columns}: {fault.detail}"
                return replace(fault, detail=detail)
        return fault


def _count(lacking: dict[str, int]) -> str:
    return "a column" if len(lacking) == 1 else f"{len(lacking)} columns"


def _columns_of(rule: FieldRule) -> str:
    names = list(rule.uses.columns)
    return ("column " if len(names) == 1 else "columns ") + show_all(names)


def _missing(rule: FieldRule, cells: Cells) -> Fault:
    held = ", ".join(
        f"column {show(column)} holds {show(cells[column])}" for column in rule.uses.columns
    )
    name = rule.field.name
    detail = f"mapping line {rule.line}: {name} is required, and the rule gives no value"
    return Fault(
        code="missing_required", detail=f"{detail}: {held}" if held else detail, field=name
    )
