"""Numbers and durations as exports write them, read exactly: no float is involved."""

import re
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

from vendorwatch.interactions.mapping.faults import Unusable
from vendorwatch.periods import DAY, SECOND, Micros

Number = int | Fraction
ReadNumber = Callable[[str], Number]
ReadDuration = Callable[[str], Micros]

_LONGEST = 40  # characters of a number; more is no amount of anything
_MINUTE = 60 * SECOND
_HOUR = 60 * _MINUTE

_NUMBERS_OF: dict[str, Micros] = {
    "milliseconds": SECOND // 1000,
    "seconds": SECOND,
    "minutes": _MINUTE,
    "hours": _HOUR,
    "days": DAY,
}
_CLOCKS: dict[str, re.Pattern[str]] = {
    "H:MM:SS": re.compile(
        r"(?P<sign>-?)(?P<h>[0-9]{1,6}):(?P<m>[0-5]?[0-9]):(?P<s>[0-5]?[0-9])(?:[.,](?P<f>[0-9]{1,6}))?"
    ),
    "H:MM": re.compile(r"(?P<sign>-?)(?P<h>[0-9]{1,6}):(?P<m>[0-5]?[0-9])"),
    "MM:SS": re.compile(
        r"(?P<sign>-?)(?P<m>[0-9]{1,6}):(?P<s>[0-5]?[0-9])(?:[.,](?P<f>[0-9]{1,6}))?"
    ),
}
UNITS = (*_NUMBERS_OF, *_CLOCKS, "words")

_WORDS: dict[str, Micros] = {
    **dict.fromkeys(("w", "wk", "wks", "week", "weeks"), 7 * DAY),
    **dict.fromkeys(("d", "day", "days"), DAY),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), _HOUR),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), _MINUTE),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), SECOND),
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), SECOND // 1000),
}
_LONGEST_WORDS = 100
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([A-Za-z]+)\.?(?:, ?| and | )?")
_CLOCK_AT_THE_END = re.compile(r"[0-9]{1,6}:[0-5]?[0-9]:[0-5]?[0-9](?:[.,][0-9]{1,6})?")


def number_reader(decimal: str, thousands: str) -> ReadNumber:
    """`3.0` is the whole number 3. Raises Unusable from the reader."""
    grouped = rf"[0-9]{{1,3}}(?:{re.escape(thousands)}[0-9]{{3}})+|" if thousands else ""
    shape = re.compile(rf"-?(?:{grouped}[0-9]+)(?:{re.escape(decimal)}[0-9]+)?")

    def read(text: str) -> Number:
        if text.isascii() and text.isdigit() and len(text) <= _LONGEST:
            return int(text)
        if len(text) > _LONGEST or not shape.fullmatch(text):
            raise Unusable("bad_value", f"which is not a number{_hint(text)}")
        if thousands:
            text = text.replace(thousands, "")
        exact = Fraction(text.replace(decimal, "."))
        return exact.numerator if exact.denominator == 1 else exact

    return read


def _hint(text: str) -> str:
    if text != text.strip():
        return " because of the white space around it; `trim = true` in [file] takes it away"
    if text.endswith("%"):
        return ' because of its sign; `suffix = "%"` takes it away'
    if "," in text or text.count(".") > 1 or " " in text:
        return ' as [file] has it; say `decimal = ","` or `thousands = ","` there if that is meant'
    return ""


def as_number(value: object) -> Number | None:
    """Of a TOML value; None if it is no finite number."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return Fraction(value) if Decimal(value).is_finite() else None


def whole(number: Number) -> int:
    """To the nearest, halves upwards."""
    return (2 * number.numerator + number.denominator) // (2 * number.denominator)


def duration_reader(unit: str, number: ReadNumber) -> ReadDuration:
    """`unit` is one of UNITS. Raises Unusable from the reader."""
    if unit in _NUMBERS_OF:
        factor = _NUMBERS_OF[unit]
        return lambda text: whole(number(text) * factor)
    return _words if unit == "words" else _clock_reader(unit)


def _clock_reader(unit: str) -> ReadDuration:
    shape = _CLOCKS[unit]

    def read(text: str) -> Micros:
        found = shape.fullmatch(text)
        if found is None:
            raise Unusable("bad_value", f"which is not a duration written as {unit}")
        parts = found.groupdict(default="0")
        seconds = int(parts.get("h", 0)) * 3600 + int(parts["m"]) * 60 + int(parts.get("s", 0))
        micros = seconds * SECOND + int(parts.get("f", "0").ljust(6, "0"))
        return -micros if found["sign"] else micros

    return read


_HOURS_MINUTES_SECONDS = _clock_reader("H:MM:SS")


def _words(text: str) -> Micros:
    """`1d 2h`, `2 hours, 5 minutes`, `1 day, 2:03:04`."""
    if len(text) > _LONGEST_WORDS or not text.removeprefix("-"):
        raise Unusable("bad_value", "which is not a duration")
    rest = text.removeprefix("-")
    total = Fraction(0)
    while rest:
        if _CLOCK_AT_THE_END.fullmatch(rest):
            total += _HOURS_MINUTES_SECONDS(rest)
            break
        part = _PART.match(rest)
        unit = _WORDS.get(part[2].casefold()) if part else None
        if part is None or unit is None or len(part[1]) > _LONGEST:
            raise Unusable("bad_value", 'which is not a duration in words such as "1d 2h 30m"')
        total += Fraction(part[1]) * unit
        rest = rest[part.end() :]
    return -whole(total) if text.startswith("-") else whole(total)
