"""Business time: how much of a span falls into the support hours. Exact, in microseconds.

And clock times by which an answer is due. Both are looked up by binary search in sorted instants,
so a million spans cost little more than one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import polars as pl

from vendorwatch.periods import DAY, Micros, Month, to_datetime, to_micros
from vendorwatch.scoring.policy import Hours
from vendorwatch.scoring.words import CHANNELS

Calendars = Sequence[tuple[Month, Mapping[str, Hours]]]
"""Versions, oldest first: the month from which each counts, and its hours tables."""

_BEFORE_ALL: Micros = -(2**62)
_NEVER: Micros = 2**62
_LOOKAHEAD: Micros = 35 * DAY
"""How far beyond the last instant a due moment is looked for: longer than any holiday."""

_Versions = Sequence[tuple[Month, Hours]]


@dataclass(frozen=True, eq=False)
class BusinessClock:
    """Open time of one channel, accumulated from the first interval on.

    `starts` are the beginnings of the open intervals. Within one, the clock shows the instant plus
    `offsets`, until it shows `ends`. All ascending but the offsets, with a first empty interval that
    lies before everything.
    """

    starts: pl.Series
    offsets: pl.Series
    ends: pl.Series

    def place(self, instants: pl.Expr) -> pl.Expr:
        """The number of the open interval that began last; what `reading` is looked up by."""
        return pl.lit(self.starts).search_sorted(instants.fill_null(_BEFORE_ALL), side="right") - 1

    def reading(self, instants: pl.Expr, place: pl.Expr) -> pl.Expr:
        """Open microseconds from the clock's beginning to each instant. Nulls stay null."""
        inside = instants + pl.lit(self.offsets).gather(place)
        end = pl.lit(self.ends).gather(place)
        return pl.when(inside > end).then(end).otherwise(inside)

    def reading_at(self, instant: Micros) -> Micros:
        place = int(self.starts.search_sorted(instant, side="right")) - 1
        return min(instant + int(self.offsets[place]), int(self.ends[place]))


@dataclass(frozen=True, eq=False)
class DueMoments:
    """The instants at which a clock time comes round, ascending."""

    moments: pl.Series

    def after(self, instants: pl.Expr) -> pl.Expr:
        """The first moment later than each instant; null where none comes any more."""
        index = pl.lit(self.moments).search_sorted(instants, side="right")
        found = pl.lit(self.moments).gather(index)
        return pl.when(found < _NEVER).then(found)


@dataclass(frozen=True)
class Clocks:
    """What can be measured within `[start, end]` of one engagement.

    Without calendars nobody ever said when the shop is open: then no target counts in business
    time, and there is no clock of a channel.
    """

    calendars: Calendars
    zone: ZoneInfo
    start: Micros
    end: Micros

    @cached_property
    def by_channel(self) -> dict[str, BusinessClock]:
        """Channels with the same hours share one clock."""
        made: dict[tuple[Hours, ...], BusinessClock] = {}
        clocks: dict[str, BusinessClock] = {}
        for channel in CHANNELS if self.calendars else ():
            versions = self._versions(channel)
            hours = tuple(each for _, each in versions)
            if hours not in made:
                made[hours] = _accumulate(self._open_intervals(versions))
            clocks[channel] = made[hours]
        return clocks

    def due_moments(self, channel: str, reply_by: int, *, business: bool) -> DueMoments:
        """When `reply_by` (minutes after midnight) comes round: every day, or on open days only."""
        versions = self._versions(channel) if business else []
        moments = [
            _boundary(day, reply_by, self.zone)
            for day in self._days(_LOOKAHEAD)
            if not business or _intervals_on(versions, day)
        ]
        return DueMoments(pl.Series([*sorted(moments), _NEVER], dtype=pl.Int64))

    def _versions(self, channel: str) -> _Versions:
        return [(month, tables.get(channel, tables["default"])) for month, tables in self.calendars]

    def _open_intervals(self, versions: _Versions) -> list[tuple[Micros, Micros]]:
        """The union of the open intervals of all local days that touch `[start, end]`."""
        return _union(
            [
                (_boundary(day, opens, self.zone), _boundary(day, closes, self.zone))
                for day in self._days()
                for opens, closes in _intervals_on(versions, day)
            ]
        )

    def _days(self, further: Micros = 0) -> Iterator[date]:
        day = to_datetime(self.start).astimezone(self.zone).date() - timedelta(days=1)
        last = to_datetime(self.end + further).astimezone(self.zone).date() + timedelta(days=1)
        while day <= last:
            yield day
            day += timedelta(days=1)


def with_readings(
    frame: pl.DataFrame, clocks: Sequence[BusinessClock], columns: Sequence[str]
) -> pl.DataFrame:
    """Adds what each clock shows at the instants of each column, named by reading_of."""
    reads = [(number, clock, name) for number, clock in enumerate(clocks) for name in columns]
    return (
        frame.with_columns(
            clock.place(pl.col(name)).alias(f"{reading_of(name, number)} place")
            for number, clock, name in reads
        )
        .with_columns(
            clock.reading(pl.col(name), pl.col(f"{reading_of(name, number)} place")).alias(
                reading_of(name, number)
            )
            for number, clock, name in reads
        )
        .drop(f"{reading_of(name, number)} place" for number, _, name in reads)
    )


def reading_of(column: str, clock: int) -> str:
    return f"{column} on clock {clock}"


def _intervals_on(versions: _Versions, day: date) -> tuple[tuple[int, int], ...]:
    """Open minutes of a local day, by the newest version that counts in its month."""
    month = Month(day.year, day.month)
    chosen = versions[0][1]
    for effective_from, hours in versions:
        if effective_from <= month:
            chosen = hours
    return () if day in chosen.holidays else chosen.weekly[day.weekday()]


def _boundary(day: date, minutes: int, zone: ZoneInfo) -> Micros:
    """A wall-clock boundary; one that a clock change skips or doubles is read with fold = 0."""
    days, minutes = divmod(minutes, 24 * 60)
    wall = time(minutes // 60, minutes % 60)
    return to_micros(datetime.combine(day + timedelta(days=days), wall, tzinfo=zone))


def _union(intervals: list[tuple[Micros, Micros]]) -> list[tuple[Micros, Micros]]:
    """A clock change can make neighbours overlap, or turn one around (then it is empty)."""
    merged: list[tuple[Micros, Micros]] = []
    for opens, closes in sorted(i for i in intervals if i[0] < i[1]):
        if merged and opens <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], closes))
        else:
            merged.append((opens, closes))
    return merged


def _accumulate(intervals: list[tuple[Micros, Micros]]) -> BusinessClock:
    bounded = [(_BEFORE_ALL, _BEFORE_ALL), *intervals]
    starts = pl.Series([opens for opens, _ in bounded], dtype=pl.Int64)
    lengths = pl.Series([closes - opens for opens, closes in bounded], dtype=pl.Int64)
    ends = lengths.cum_sum()
    return BusinessClock(starts, ends - lengths - starts, ends)
