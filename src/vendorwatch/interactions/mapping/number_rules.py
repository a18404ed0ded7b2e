"""Rules for fields that are numbers."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from vendorwatch.interactions.mapping.amounts import Number, as_number, duration_reader, whole
from vendorwatch.interactions.mapping.conditions import Cells, Done, Value
from vendorwatch.interactions.mapping.durations import read_sign, read_total, read_unit
from vendorwatch.interactions.mapping.faults import CellRefused, Unusable
from vendorwatch.interactions.mapping.fields import bounds_of, kind_of, objection
from vendorwatch.interactions.mapping.sources import Draft, Rule, converted, read_source
from vendorwatch.interactions.mapping.values import read_values
from vendorwatch.periods import SECOND

_DURATION = "handle_seconds"
_SCALED = ("csat", "nps", "vendor_quality")
_REMEMBERED = 1024
_MILLION = 1_000_000
_Finish = Callable[[Number], str | None]


def read_number_rule(draft: Draft) -> Rule | None:
    source = read_source(draft, "sum")
    read = _reader(draft)
    translate = read_values(draft)
    finish = _finisher(draft)
    if source is None:
        return _sum(draft, read, finish)
    is_null = draft.is_null

    def convert(text: str) -> Value:
        if translate is None:
            return None if is_null(text) else finish(read(text))
        meaning = translate(text)
        return None if meaning is None else finish(read(meaning))

    # Counts are few and small: the same texts come again and again.
    rule = converted(draft, source, lru_cache(_REMEMBERED)(convert))
    if "constant" in draft.table.data:
        _check_constant(draft, rule)
    return rule


def _check_constant(draft: Draft, rule: Rule) -> None:
    try:
        value = rule({}, {})
    except CellRefused as bad:
        draft.table.wrong("constant", bad.detail.partition(": ")[2])
        return
    unfit = objection(draft.field, str(value)) if value is not None else None
    if unfit:
        draft.table.wrong("constant", unfit)


def _sum(draft: Draft, read: Callable[[str], Number], finish: _Finish) -> Rule:
    """Amounts are summed in millionths, which every number and duration that is read fits."""
    total = read_total(draft, "sum", lambda text: whole(read(text) * _MILLION))
    line, columns = draft.table.line, " and ".join(draft.table.texts("sum"))

    def rule(cells: Cells, done: Done) -> Value:
        millionths = total(cells)
        if millionths is None:
            return None
        try:
            return finish(Fraction(millionths, _MILLION))
        except Unusable as bad:
            total_text = spell(Fraction(millionths, _MILLION))
            detail = f"mapping line {line}: the sum of {columns} is {total_text}, {bad.reason}"
            raise CellRefused(bad.code, detail) from None

    return rule


def _reader(draft: Draft) -> Callable[[str], Number]:
    table, number = draft.table, draft.settings.number
    suffix = table.text("suffix", "") or ""
    unit = read_unit(table) if draft.field.name == _DURATION else None
    if unit is None:
        return lambda text: number(text.removesuffix(suffix).rstrip() if suffix else text)
    duration = duration_reader(unit, number)
    if suffix:
        table.wrong("suffix", "suffix and unit don't go together")
    return lambda text: Fraction(duration(text), SECOND)


@dataclass(frozen=True, slots=True)
class _Scale:
    low: Number
    high: Number
    onto: tuple[int, int]

    def convert(self, number: Number) -> Fraction:
        if not self.low <= number <= self.high:
            raise Unusable(
                "out_of_range",
                f"which lies outside the scale {spell(self.low)} to {spell(self.high)}",
            )
        low, high = self.onto
        return low + Fraction(number - self.low) * (high - low) / (self.high - self.low)


def _finisher(draft: Draft) -> _Finish:
    """From the number as read to the field's text: plus, scale, sign, rounding, in this order."""
    table = draft.table
    plus = table.integer("plus")
    scale = _read_scale(draft)
    rounding = table.flag("round")
    sign = read_sign(table)
    integral = kind_of(draft.field) == "integer"

    def finish(number: Number) -> str | None:
        moved = number + plus
        settled = sign.settle(moved if scale is None else scale.convert(moved))
        if settled is None:
            return None
        if not integral:
            return spell(settled)
        if settled.denominator != 1 and not rounding and scale is None:
            raise Unusable(
                "bad_value", "which is not a whole number; `round = true` takes the nearest one"
            )
        return str(whole(settled))

    return finish


def _read_scale(draft: Draft) -> _Scale | None:
    """Of `scale = [1, 10]`: the lowest and the highest value that the file's scale has."""
    table, bounds = draft.table, bounds_of(draft.field)
    if not table.has("scale"):
        return None
    ends = table.data["scale"]
    numbers = [as_number(end) for end in ends] if isinstance(ends, list) else []
    if bounds is None or draft.field.name not in _SCALED:
        table.wrong("scale", f"scale is for {', '.join(_SCALED)}")
        return None
    low, high = numbers if len(numbers) == len(bounds) else (None, None)
    if low is None or high is None or low >= high:
        table.wrong("scale", "scale is two numbers, the lowest and the highest: scale = [1, 10]")
        return None
    return _Scale(low, high, bounds)


def spell(number: Number) -> str:
    """With as many decimals as needed, but no more than six."""
    millionths = whole(number * _MILLION)
    sign, (units, rest) = "-" * (millionths < 0), divmod(abs(millionths), _MILLION)
    return f"{sign}{units}.{rest:06}".rstrip("0").rstrip(".")
