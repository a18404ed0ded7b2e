"""Rules for fields that are instants."""

import re
from collections.abc import Callable
from datetime import time

from vendorwatch.interactions.mapping.conditions import Cells, Done, Value
from vendorwatch.interactions.mapping.durations import ReadTotal, read_duration
from vendorwatch.interactions.mapping.faults import CellRefused, Unusable, nearest
from vendorwatch.interactions.mapping.fields import FIELDS
from vendorwatch.interactions.mapping.moments import (
    Format,
    instant_reader,
    next_local_day,
)
from vendorwatch.interactions.mapping.settings import read_formats
from vendorwatch.interactions.mapping.sources import (
    Draft,
    Rule,
    Source,
    converted,
    field_value,
    read_source,
)
from vendorwatch.periods import Micros, load_zone, to_datetime

_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?")


def read_instant_rule(draft: Draft) -> Rule | None:
    source = read_source(draft)
    if source is None:
        return None
    rule = _base(draft, source)
    for key, sign in (("add", 1), ("subtract", -1)):
        if draft.table.has(key):
            rule = _shifted(draft, rule, read_duration(draft, key), sign)
    if not {"add", "subtract"} & draft.table.data.keys():
        for key in ("unit", "if_negative", "if_empty"):
            if draft.table.has(key):
                draft.table.wrong(key, f"{key} belongs to `add` or `subtract`; there is none here")
    return rule


def _base(draft: Draft, source: Source) -> Rule:
    table, settings = draft.table, draft.settings
    if "field" in table.data and "column" not in table.data:
        name = table.text("field") or ""
        return lambda cells, done: field_value(name, done)
    formats = read_formats(table) if table.has("format") else settings.formats
    zone = table.checked("zone", load_zone) if table.has("zone") else settings.zone
    at = table.checked("at", _time_of_day)
    _check(draft, formats, at)
    zone_told = table.has("zone") or "zone" in settings.told
    if zone is None and not zone_told and any(not each.offset for each in formats):
        table.notes.add(
            table.path,
            "timezone_required",
            "no zone is known for this instant: give [times] or this rule a zone, such as"
            ' zone = "Asia/Ho_Chi_Minh"',
        )
    read = instant_reader(formats, zone, at or time())
    follows = _after(draft)
    is_null = draft.is_null

    def convert(text: str) -> Value:
        return None if is_null(text) else read(text)

    rule = converted(draft, source, convert)
    if "constant" in table.data and source.what:
        _check_constant(draft, source, rule)
    if follows is None:
        return rule
    return _rolled(draft, rule, follows, lambda instant: next_local_day(instant, zone))


def _check(draft: Draft, formats: tuple[Format, ...], at: time | None) -> None:
    table = draft.table
    if not formats and "format" not in table.data and "format" not in draft.settings.told:
        detail = (
            "no format is known for this instant: give [times] or this rule a format, such as"
            ' format = "%d/%m/%Y %H:%M"'
        )
        table.notes.add(table.path, "bad_value", detail)
    lacking = [each.text for each in formats if each.dates_only]
    if lacking and at is None and "at" not in table.data:
        detail = f'the format {lacking[0]} has no time of day; say which is meant, as at = "00:00"'
        table.notes.add(table.path, "bad_value", detail)
    if at is not None and not lacking and not any(each.text == "iso" for each in formats):
        table.wrong("at", "at is the time of day of a date without one; the format has a time")


def _check_constant(draft: Draft, source: Source, rule: Rule) -> None:
    try:
        rule({}, {})
    except CellRefused as bad:
        draft.table.wrong("constant", bad.detail.partition(": ")[2])


def _time_of_day(text: str) -> time:
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError('at is a time of day such as "09:00" or "23:59:59"')
    return time(int(found[1]), int(found[2]), int(found[3] or 0))


def _shifted(draft: Draft, rule: Rule, total: ReadTotal, sign: int) -> Rule:
    line, name = draft.table.line, draft.field.name

    def shifted(cells: Cells, done: Done) -> Value:
        start = rule(cells, done)
        span = None if start is None else total(cells)
        if start is None or span is None:
            return None
        instant = int(start) + sign * span
        try:
            to_datetime(instant)
        except OverflowError:
            detail = f"mapping line {line}: {name} would lie outside the years 1 to 9999"
            raise CellRefused("out_of_range", detail) from None
        return instant

    return shifted


def _after(draft: Draft) -> str | None:
    """Of the key next_day_if_before: a time of day past midnight belongs to the following day."""
    name = draft.table.text("next_day_if_before")
    if name is None:
        return None
    if name not in FIELDS or FIELDS[name].kind != "instant":
        instants = [each.name for each in FIELDS.values() if each.kind == "instant"]
        close = nearest(name, instants)
        hint = f"; did you mean {close}?" if close else ""
        draft.table.wrong("next_day_if_before", f"{name} is not an instant of the record{hint}")
        return None
    draft.uses.fields.setdefault(name, (*draft.table.path, "next_day_if_before"))
    return name


def _rolled(draft: Draft, rule: Rule, follows: str, next_day: Callable[[Micros], Micros]) -> Rule:
    line, name = draft.table.line, draft.field.name

    def rolled(cells: Cells, done: Done) -> Value:
        instant, earlier = rule(cells, done), field_value(follows, done)
        if instant is None or earlier is None or int(instant) >= int(earlier):
            return instant
        try:
            return next_day(int(instant))
        except Unusable as bad:
            detail = f"mapping line {line}: {name} on the next day is {bad.reason}"
            raise CellRefused(bad.code, detail) from None
        except OverflowError:
            detail = f"mapping line {line}: {name} would lie outside the years 1 to 9999"
            raise CellRefused("out_of_range", detail) from None

    return rolled
