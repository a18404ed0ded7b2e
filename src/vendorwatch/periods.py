"""Instants, months and time zones. Nothing here reads the clock."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

from typing_extensions import override

Micros = int
"""An instant as microseconds since 1970-01-01T00:00:00Z, or a duration in microseconds."""

SECOND: Micros = 1_000_000
DAY: Micros = 86_400 * SECOND
CLOCK_SKEW: Micros = 300 * SECOND
"""How far in the future an instant may lie: clocks differ."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_YEAR, _LAST_YEAR = 1970, 2999
_MICROSECOND = timedelta(microseconds=1)
_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
_LONGEST_ZONE = 64  # twice as long as any; a longer one is no name of a file either
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*")


def to_micros(moment: datetime) -> Micros:
    """`moment` must be aware. Exact: no float is involved."""
    if moment.tzinfo is None:
        raise ValueError("a naive datetime is not an instant")
    return (moment - _EPOCH) // _MICROSECOND


def to_shown_micros(moment: datetime) -> Micros:
    """As `to_micros`, of what somebody wrote and is to be shown again.

    Raises ValueError where it lies outside the years 1 to 9999 in UTC.
    """
    instant = to_micros(moment)
    if not FIRST_INSTANT <= instant <= LAST_INSTANT:
        raise ValueError("lies outside the years 1 to 9999 in UTC")
    return instant


FIRST_INSTANT = to_micros(datetime.min.replace(tzinfo=UTC))
LAST_INSTANT = to_micros(datetime.max.replace(tzinfo=UTC))


def to_datetime(instant: Micros) -> datetime:
    """In UTC. Raises OverflowError outside the years 1 to 9999."""
    return _EPOCH + timedelta(microseconds=instant)


def format_instant(instant: Micros) -> str:
    """RFC 3339 in UTC; a fraction of six digits only where there is one."""
    moment = to_datetime(instant).replace(tzinfo=None)
    return moment.isoformat(timespec="microseconds" if instant % SECOND else "seconds") + "Z"


@cache
def load_zone(name: str) -> ZoneInfo:
    """The IANA zone, from the locked `tzdata` package, so that every host has the same rules.

    Raises ValueError if there is no such zone.
    """
    if len(name) > _LONGEST_ZONE or not _ZONE.fullmatch(name):
        raise ValueError(f"{name!r} is not an IANA time zone")
    source = resources.files("tzdata").joinpath("zoneinfo", *name.split("/"))
    if not source.is_file():
        raise ValueError(f"{name!r} is not an IANA time zone")
    with source.open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


@dataclass(frozen=True, slots=True, order=True)
class Month:
    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> "Month":
        """From `YYYY-MM`, in the years 1970 to 2999. Raises ValueError."""
        found = _MONTH.fullmatch(text)
        if not found or not _FIRST_YEAR <= int(found[1]) <= _LAST_YEAR:
            raise ValueError(f"{text!r} is not a month; write it as 2026-10")
        return cls(int(found[1]), int(found[2]))

    @override
    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"

    @property
    def days(self) -> int:
        return monthrange(self.year, self.month)[1]

    def next(self) -> "Month":
        return Month(self.year + self.month // 12, self.month % 12 + 1)

    def previous(self) -> "Month":
        return Month(self.year - (self.month == 1), (self.month - 2) % 12 + 1)

    def bounds(self, zone: ZoneInfo) -> tuple[Micros, Micros]:
        """Half open `[start, end)`: local midnight of the first day, and of the next month's."""
        first, following = self, self.next()
        return (
            to_micros(datetime(first.year, first.month, 1, tzinfo=zone)),
            to_micros(datetime(following.year, following.month, 1, tzinfo=zone)),
        )

    def days_in(self, zone: ZoneInfo) -> list[tuple[date, Micros, Micros]]:
        """Each day with its bounds, half open; one that the zone skips has none and is left out."""
        days = [date(self.year, self.month, number) for number in range(1, self.days + 1)]
        starts = [to_micros(datetime(day.year, day.month, day.day, tzinfo=zone)) for day in days]
        ends = [*starts[1:], self.bounds(zone)[1]]
        return [each for each in zip(days, starts, ends, strict=True) if each[1] < each[2]]

    @classmethod
    def of(cls, instant: Micros, zone: ZoneInfo) -> "Month":
        """The one in which the instant falls there."""
        moment = to_datetime(instant).astimezone(zone)
        return cls(moment.year, moment.month)
