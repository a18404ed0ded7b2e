"""Dates and times in the formats that a mapping names.

The notation is strptime's, read more strictly: white space is not squeezed away, month names are
English whatever the host's locale is, and nothing is guessed.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

from vendorwatch.interactions.instants import BadInstant, parse_instant, resolve_local
from vendorwatch.interactions.mapping.faults import Unusable
from vendorwatch.periods import DAY, Micros, to_datetime, to_micros

ReadInstant = Callable[[str], Micros]

_MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_MONTH_OF = {name[:3]: number for number, name in enumerate(_MONTHS, 1)}
_WEEKDAYS = "(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_SHORT_WEEKDAYS = "mon|tue|wed|thu|fri|sat|sun"

# Where a number touches another one, only its full width tells where it ends.
_NUMBERS: dict[str, tuple[str, str, str]] = {
    "d": ("day", "[0-9]{1,2}", "[0-9]{2}"),
    "m": ("month", "[0-9]{1,2}", "[0-9]{2}"),
    "y": ("short_year", "[0-9]{2}", "[0-9]{2}"),
    "Y": ("year", "[0-9]{4}", "[0-9]{4}"),
    "H": ("hour", "[0-9]{1,2}", "[0-9]{2}"),
    "I": ("half_hour", "[0-9]{1,2}", "[0-9]{2}"),
    "M": ("minute", "[0-9]{1,2}", "[0-9]{2}"),
    "S": ("second", "[0-9]{1,2}", "[0-9]{2}"),
    "f": ("fraction", "[0-9]{1,6}", "[0-9]{6}"),
}
_WORDS: dict[str, tuple[str, str]] = {
    "b": ("month_name", "|".join(name[:3] for name in _MONTHS) + "|sept"),
    "B": ("month_name", "|".join(_MONTHS)),
    "p": ("half", r"[ap]\.?m\.?"),
    "a": ("weekday", _SHORT_WEEKDAYS),
    "A": ("weekday", _WEEKDAYS),
    "z": ("offset", r"z|[+-][0-9]{2}:?[0-5][0-9]|[+-][0-9]{2}"),
}
_SHORTHANDS = {"%T": "%H:%M:%S", "%R": "%H:%M", "%F": "%Y-%m-%d", "%D": "%m/%d/%y"}
_DIRECTIVE = re.compile(r"%-?(.)|([^%]+)|%", re.DOTALL)
DIRECTIVES = " ".join(f"%{letter}" for letter in (*_NUMBERS, *_WORDS, "%"))

_EPOCHS: dict[str, Micros] = {
    "epoch_seconds": 1_000_000,
    "epoch_milliseconds": 1_000,
    "epoch_microseconds": 1,
}
_EPOCH_TEXT = re.compile(r"(-?[0-9]{1,17})(?:\.([0-9]{1,6}))?")
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
NAMED = ("iso", *_EPOCHS)

_SHORT_YEAR_PIVOT = 69  # POSIX: 69-99 are 1969-1999, 00-68 are 2000-2068
_REMEMBERED = 8192  # instants repeat: opened_at on every revision, one export time on every row


@dataclass(frozen=True, slots=True)
class Format:
    """One format of a mapping, compiled. `offset`: the text says its own offset, or may."""

    text: str
    shape: re.Pattern[str] | None  # None: one of NAMED
    offset: bool

    @property
    def dates_only(self) -> bool:
        return self.shape is not None and not {"hour", "half_hour"} & self.shape.groupindex.keys()


def compile_format(text: str) -> Format:
    """Raises ValueError that says what is wrong with the format."""
    if text in NAMED:
        return Format(text, None, offset=text != "iso")
    if "%" not in text:
        raise ValueError(
            f"a format is one of {', '.join(NAMED)} or is made of directives such as"
            " %d/%m/%Y %H:%M (day/month/year hour:minute)"
        )
    long = text
    for shorthand, meaning in _SHORTHANDS.items():
        long = long.replace(shorthand, meaning)
    pattern, groups = _translate(long)
    _check(groups)
    return Format(text, re.compile(pattern, re.IGNORECASE), offset="offset" in groups)


def _translate(text: str) -> tuple[str, list[str]]:
    parts = list(_DIRECTIVE.finditer(text))
    numeric = [part[1] in _NUMBERS for part in parts] + [False]
    pattern = ""
    groups: list[str] = []
    for index, part in enumerate(parts):
        letter, literal = part[1], part[2]
        if literal is not None:
            pattern += re.escape(literal)
        elif letter == "%":
            pattern += "%"
        elif letter in _NUMBERS:
            name, free, full = _NUMBERS[letter]
            touches = numeric[index + 1] or (index > 0 and numeric[index - 1])
            groups.append(name)
            pattern += f"(?P<{name}>{full if touches else free})"
        elif letter in _WORDS:
            name, words = _WORDS[letter]
            groups.append(name)
            pattern += f"(?P<{name}>{words})"
        else:
            raise ValueError(_unknown_directive(part[0]))
        if len(set(groups)) != len(groups):
            raise ValueError(f"the format says the {groups[-1].replace('_', ' ')} twice")
    return pattern, groups


def _unknown_directive(directive: str) -> str:
    if directive == "%Z":
        return (
            "%Z is not read, since names such as EST or IST mean several zones; write the name as"
            " plain text in the format and say the zone with `zone`"
        )
    if directive == "%s":
        return "for seconds since 1970 write epoch_seconds"
    return f"there is no directive {directive}; there are {DIRECTIVES}"


def _check(groups: list[str]) -> None:
    has = set(groups)
    for needed, what in (
        ({"year", "short_year"}, "year (%Y or %y)"),
        ({"month", "month_name"}, "month (%m, %b or %B)"),
        ({"day"}, "day (%d)"),
    ):
        if len(needed & has) != 1:
            raise ValueError(f"the format must say the {what}, once")
    if {"hour", "half_hour"} <= has:
        raise ValueError("the format says the hour twice: %H or %I")
    if ("half_hour" in has) != ("half" in has):
        raise ValueError("%I (hours 1 to 12) and %p (AM or PM) go together; 24 hours are %H")
    if not {"hour", "half_hour"} & has and {"minute", "second", "offset"} & has:
        raise ValueError("the format must say the hour (%H, or %I with %p)")


def contradict(formats: tuple[Format, ...]) -> tuple[str, str] | None:
    """Two formats that would read one text as two different days, such as 3/4/2026."""
    seen: dict[str, str] = {}
    for candidate in formats:
        blurred = re.sub(r"%-?[dm]", "%#", candidate.text)
        other = seen.setdefault(blurred, candidate.text)
        if other.replace("%-", "%") != candidate.text.replace("%-", "%"):
            return other, candidate.text
    return None


def instant_reader(formats: tuple[Format, ...], zone: ZoneInfo | None, at: time) -> ReadInstant:
    """Tries the formats in their order. `at` is the time of day of formats that have none.

    `zone` may be None only if every format carries its offset. Raises Unusable from the reader.
    """
    named = " nor ".join(_named(candidate) for candidate in formats)
    neither = "neither " if len(formats) > 1 else "not "

    @lru_cache(_REMEMBERED)
    def read(text: str) -> Micros:
        for candidate in formats:
            found = _read(candidate, text, zone, at)
            if found is not None:
                return found
        hint = ""
        if text != text.strip():
            hint = "; there is white space around it, which `trim = true` in [file] takes away"
        raise Unusable("bad_timestamp", f"which is {neither}{named}{hint}")

    return read


def _named(candidate: Format) -> str:
    if candidate.text == "iso":
        return "a date and time as ISO 8601 writes it, such as 2026-10-31T09:05:00"
    if candidate.shape is None:
        return f"a number of {candidate.text.replace('_', ' ')}".replace("epoch ", "") + (
            " since 1970"
        )
    return f"a date in the format {candidate.text}"


def _read(candidate: Format, text: str, zone: ZoneInfo | None, at: time) -> Micros | None:
    """None: the text is no date in this format. Raises Unusable: it is one, and is no instant."""
    if candidate.text == "iso":
        return _read_iso(text, zone, at)
    if candidate.shape is None:
        return _read_epoch(text, _EPOCHS[candidate.text])
    found = candidate.shape.fullmatch(text)
    if found is None:
        return None
    moment = _moment(found.groupdict(), at)
    return None if moment is None else _place(moment, zone)


def _place(moment: datetime, zone: ZoneInfo | None) -> Micros:
    if moment.tzinfo is not None:
        return to_micros(moment)
    if zone is None:
        raise Unusable(
            "timezone_required", "which says no offset from UTC; give the mapping a `zone`"
        )
    try:
        return resolve_local(moment, zone)
    except BadInstant as bad:
        raise Unusable(bad.code, f"a time of which this is to be said: {bad.detail}") from None


def _read_iso(text: str, zone: ZoneInfo | None, at: time) -> Micros | None:
    if _ISO_DATE.fullmatch(text):
        text = f"{text} {at.isoformat()}"
    try:
        return parse_instant(text, zone)
    except BadInstant as bad:
        if bad.code == "bad_timestamp":
            return None
        raise Unusable(bad.code, f"a time of which this is to be said: {bad.detail}") from None


def _read_epoch(text: str, factor: Micros) -> Micros | None:
    found = _EPOCH_TEXT.fullmatch(text)
    if found is None:
        return None
    fraction = int((found[2] or "0").ljust(6, "0")) * factor // 1_000_000
    instant = int(found[1]) * factor + (-fraction if found[1].startswith("-") else fraction)
    try:
        to_datetime(instant)
    except OverflowError:
        return None
    return instant


def _moment(parts: dict[str, str | None], at: time) -> datetime | None:
    """None if there is no such day or time. Aware only where the text said its offset."""
    hour = _hour(parts)
    minute, second, fraction = parts.get("minute"), parts.get("second"), parts.get("fraction")
    try:
        return datetime(
            _year(parts),
            _month(parts),
            int(parts["day"] or 0),
            at.hour if hour is None else hour,
            at.minute if hour is None else int(minute or 0),
            at.second if hour is None else int(second or 0),
            int((fraction or "0").ljust(6, "0")),
            tzinfo=_offset(parts.get("offset")),
        )
    except ValueError:
        return None


def _year(parts: dict[str, str | None]) -> int:
    full, short = parts.get("year"), int(parts.get("short_year") or 0)
    if full is not None:
        return int(full)
    return short + (1900 if short >= _SHORT_YEAR_PIVOT else 2000)


def _month(parts: dict[str, str | None]) -> int:
    name = parts.get("month_name")
    return int(parts["month"] or 0) if name is None else _MONTH_OF[name[:3].lower()]


def _hour(parts: dict[str, str | None]) -> int | None:
    half, hour = parts.get("half"), parts.get("hour")
    if half is None:
        return None if hour is None else int(hour)
    twelve = int(parts["half_hour"] or 0)
    afternoon = half[0] in "pP"
    return 99 if not 1 <= twelve <= 12 else twelve % 12 + 12 * afternoon  # noqa: PLR2004  a clock


def _offset(text: str | None) -> timezone | None:
    if text is None:
        return None
    if text in "zZ":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    span = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-span if text[0] == "-" else span)


def next_local_day(instant: Micros, zone: ZoneInfo | None) -> Micros:
    """The same time of day, a day later, as clocks in `zone` show it. Raises Unusable."""
    if zone is None:
        return instant + DAY
    local = to_datetime(instant).astimezone(zone).replace(tzinfo=None)
    return _place(local + timedelta(days=1), zone)
