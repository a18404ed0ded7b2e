"""Durations in columns: added to an instant, or summed to handle_seconds."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from vendorwatch.interactions.mapping.amounts import UNITS, Number, duration_reader
from vendorwatch.interactions.mapping.conditions import Cells
from vendorwatch.interactions.mapping.faults import CellRefused, Unusable, nearest, show, show_all
from vendorwatch.interactions.mapping.reading import Table
from vendorwatch.interactions.mapping.sources import Draft
from vendorwatch.periods import Micros

ReadTotal = Callable[[Cells], int | None]

N = TypeVar("N", bound=Number)

_NEGATIVE = ("refuse", "null", "zero", "keep")
_EMPTY = ("null", "zero")


def read_unit(table: Table) -> str | None:
    unit = table.text("unit")
    if unit is None or unit in UNITS:
        return unit
    close = nearest(unit, UNITS)
    hint = f"; did you mean {close}?" if close else ""
    table.wrong("unit", f"unit must be one of {show_all(UNITS)}{hint}")
    return "seconds"


def read_total(draft: Draft, key: str, read: Callable[[str], int]) -> ReadTotal:
    """Of a key that names one column or several, whose amounts are summed.

    None where a cell is empty, unless `if_empty = "zero"`.
    """
    columns = draft.table.texts(key)
    many = isinstance(draft.table.data[key], list)
    for index, column in enumerate(columns):
        draft.take(column, key, *([index] if many else []))
    empty_is_zero = draft.table.choice("if_empty", _EMPTY, "null") == "zero"
    line = draft.table.line

    def total(cells: Cells) -> int | None:
        so_far = 0
        for column in columns:
            text = cells[column]
            if draft.is_null(text):
                if not empty_is_zero:
                    return None
                continue
            try:
                so_far += read(text)
            except Unusable as bad:
                raise _refusal(line, column, text, bad) from None
        return so_far

    return total


def _refusal(line: int, column: str, text: str, bad: Unusable) -> CellRefused:
    detail = f"mapping line {line}: column {show(column)} holds {show(text)}, {bad.reason}"
    return CellRefused(bad.code, detail)


@dataclass(frozen=True, slots=True)
class Sign:
    """What becomes of an amount below zero; the key if_negative."""

    rule: str

    def settle(self, amount: N) -> N | int | None:
        """Raises Unusable where nothing was said."""
        if amount >= 0 or self.rule == "keep":
            return amount
        if self.rule == "refuse":
            raise Unusable("out_of_range", "which is negative; `if_negative` says what that means")
        return 0 if self.rule == "zero" else None


def read_sign(table: Table) -> Sign:
    return Sign(table.choice("if_negative", _NEGATIVE, "refuse"))


def read_duration(draft: Draft, key: str) -> ReadTotal:
    """Of `add` or `subtract`, in microseconds; each column's sign is settled by itself."""
    unit = read_unit(draft.table)
    if unit is None:
        draft.table.wrong(key, f"{key} needs a unit, one of {show_all(UNITS)}")
    read = duration_reader(unit or "seconds", draft.settings.number)
    sign = read_sign(draft.table)

    def settled(text: str) -> Micros:
        amount = sign.settle(read(text))
        if amount is None:
            raise _NoAmount
        return amount

    total = read_total(draft, key, settled)

    def or_none(cells: Cells) -> Micros | None:
        try:
            return total(cells)
        except _NoAmount:
            return None

    return or_none


class _NoAmount(Exception):
    """A negative amount that means there is none."""
