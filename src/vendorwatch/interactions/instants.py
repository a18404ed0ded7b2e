"""Instants as vendors write them, read exactly or refused.

Read are RFC 3339 with an offset; the same without an offset where the caller names a time zone;
and `31/10/2026 9:05`, `10-31-2026 9:05 PM` and the like where the caller also names the order of
day, month and year.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from vendorwatch.interactions.fields import show
from vendorwatch.periods import Micros, to_micros

DateOrder = Literal["dmy", "mdy", "ymd"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST = to_micros(datetime.min.replace(tzinfo=UTC))
_LATEST = to_micros(datetime.max.replace(tzinfo=UTC))
_FULL_YEAR = 4
_FRACTION_DIGITS = 6
_NOON = 12

# What nearly every log holds; fromisoformat then reads it exactly.
_PLAIN = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:[0-5]\d)", re.ASCII
).fullmatch
_MOMENT = datetime.fromisoformat
_WRITTEN = re.compile(
    r"(?P<a>[0-9]{1,4})(?P<mark>[-/.])(?P<b>[0-9]{1,2})(?P=mark)(?P<c>[0-9]{1,4})"
    r"(?:(?P<gap>[Tt]|[ ]{1,2})(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})"
    r"(?::(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]+))?)?(?P<half>[ ]?[AaPp][Mm])?)?"
    r"[ ]?(?P<offset>[Zz]|[+-][0-9]{2}:[0-5][0-9])?"
).fullmatch


class BadInstant(ValueError):
    """`code` is one of record.md's: bad_timestamp, timezone_required, ..._local_time."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def parse_instant(
    text: object, zone: ZoneInfo | None = None, date_order: DateOrder | None = None
) -> Micros:
    """Raises BadInstant, whatever `text` is.

    A fraction of a second has up to six digits; more only where the rest are zeros.
    """
    if not isinstance(text, str):
        raise BadInstant("bad_timestamp", f"{_shown(text)} is not text; write 2026-10-31T09:05:00Z")
    if _PLAIN(text):
        try:
            since = _MOMENT(text) - _EPOCH
        except ValueError:
            return _read_slowly(text, zone, date_order)  # which can tell why
        instant = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
        if _EARLIEST <= instant <= _LATEST:
            return instant
        raise _outside(text)
    return _read_slowly(text, zone, date_order)


def resolve_local(moment: datetime, zone: ZoneInfo) -> Micros:
    """The instant at which clocks in `zone` showed `moment` (naive).

    Raises BadInstant for a time that a clock change skipped or showed twice.
    """
    try:
        first = to_micros(moment.replace(tzinfo=zone, fold=0))
        second = to_micros(moment.replace(tzinfo=zone, fold=1))
    except OverflowError:
        raise _outside(moment.isoformat()) from None
    # PEP 495: before the change and after it, two readings of one clock face.
    if first < second:
        raise BadInstant(
            "ambiguous_local_time",
            f"{moment} happened twice in {zone.key}, where clocks went back; give an offset",
        )
    if first > second:
        raise BadInstant(
            "nonexistent_local_time",
            f"{moment} did not happen in {zone.key}, where clocks went forward",
        )
    return _within_calendar(first, moment.isoformat())


def _read_slowly(text: str, zone: ZoneInfo | None, date_order: DateOrder | None) -> Micros:
    found = _WRITTEN(text)
    if not found:
        raise _bad(text, "is not an instant; write 2026-10-31T09:05:00Z")
    year, month, day = _ordered(found, text, date_order)
    hour, minute, second = _time_of_day(found, text)
    try:
        moment = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001  zoned below
    except ValueError:
        raise _bad(text, "is not a date and time of the calendar") from None
    moment += timedelta(microseconds=_fraction(found["fraction"], text))
    offset = found["offset"]
    if offset:
        return _within_calendar(to_micros(moment.replace(tzinfo=UTC)) - _span(offset, text), text)
    if zone is None:
        raise BadInstant(
            "timezone_required",
            f"{_shown(text)} has no offset; write one, or name the file's time_zone",
        )
    return resolve_local(moment, zone)


def _ordered(found: re.Match[str], text: str, date_order: DateOrder | None) -> tuple[int, int, int]:
    a, b, c = found["a"], found["b"], found["c"]
    if len(a) == _FULL_YEAR and found["mark"] == "-" and len(b) == len(c) == len("01"):
        return int(a), int(b), int(c)  # ISO 8601 reads only one way
    if date_order is None:
        raise _bad(text, "can be read in several ways; name the file's date_order, such as dmy")
    places = dict(zip(date_order, (a, b, c), strict=True))
    if len(places["y"]) != _FULL_YEAR or max(len(places["m"]), len(places["d"])) > len("01"):
        raise _bad(text, f"is not a date in the order {date_order} with a year of four digits")
    return int(places["y"]), int(places["m"]), int(places["d"])


def _time_of_day(found: re.Match[str], text: str) -> tuple[int, int, int]:
    if found["hour"] is None:
        raise _bad(text, "has no time of day")
    hour, half = int(found["hour"]), (found["half"] or "").strip().lower()
    if half:
        if not 1 <= hour <= _NOON:
            raise _bad(text, "has no such hour before or after noon")
        hour = hour % _NOON + (_NOON if half == "pm" else 0)
    second = int(found["second"] or 0)
    if second == 60:  # noqa: PLR2004  the leap second's own number
        raise _bad(text, "is a leap second, which cannot be stored; write second 59")
    return hour, int(found["minute"]), second


def _fraction(digits: str | None, text: str) -> int:
    if not digits:
        return 0
    if digits[_FRACTION_DIGITS:].strip("0"):
        raise _bad(text, "is finer than a microsecond")
    return int(digits[:_FRACTION_DIGITS].ljust(_FRACTION_DIGITS, "0"))


def _span(offset: str, text: str) -> Micros:
    if offset in "Zz":
        return 0
    hours, minutes = int(offset[1:3]), int(offset[4:6])
    if hours >= 24:  # noqa: PLR2004  hours of a day
        raise _bad(text, "has an offset of a day or more")
    span = (hours * 3600 + minutes * 60) * 1_000_000
    return -span if offset[0] == "-" else span


def _within_calendar(instant: Micros, text: str) -> Micros:
    if _EARLIEST <= instant <= _LATEST:
        return instant
    raise _outside(text)


def _outside(text: str) -> BadInstant:
    return _bad(text, "lies outside the years 1 to 9999 in UTC")


def _bad(text: str, why: str) -> BadInstant:
    return BadInstant("bad_timestamp", f"{_shown(text)} {why}")


def _shown(value: object) -> str:
    text = repr(value) if isinstance(value, str) else show(value)
    return text if len(text) <= 80 else f"{text[:77]}..."  # noqa: PLR2004  a line's worth
