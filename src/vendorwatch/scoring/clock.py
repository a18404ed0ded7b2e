"""Business time: how much of a span falls into the support hours. Exact, in microseconds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from vendorwatch.periods import Micros, Month, to_datetime, to_micros
from vendorwatch.scoring.policy import CHANNELS, Hours

Calendars = Sequence[tuple[Month, Mapping[str, Hours]]]
"""Versions, oldest first: the month from which each counts, and its hours tables."""

_BEFORE_ALL: Micros = -(2**62)


@dataclass(frozen=True)
class BusinessClock:
    """Open time of one channel, accumulated from the first interval on.

    `starts` are the beginnings of the open intervals, `lengths` their durations and `before` the
    open time before each; all ascending, with a first empty interval that lies before everything.
    """

    starts: pl.Series
    lengths: pl.Series
    before: pl.Series

    def at(self, instants: pl.Series) -> pl.Series:
        """Open microseconds from the clock's beginning to each instant. Nulls stay null."""
        known = instants.fill_null(_BEFORE_ALL)
        index = self.starts.search_sorted(known, side="right") - 1
        start, length = self.starts.gather(index), self.lengths.gather(index)
        inside = pl.select(pl.min_horizontal(known - start, length)).to_series()
        elapsed = self.before.gather(index) + inside
        return pl.select(
            pl.when(instants.is_not_null()).then(elapsed).alias(instants.name)
        ).to_series()


def channel_clocks(
    calendars: Calendars, zone: ZoneInfo, *, start: Micros, end: Micros
) -> dict[str, BusinessClock]:
    """A clock for every channel that can measure spans within `[start, end]`.

    None if nobody ever said when the shop is open: then no target counts in business time.
    """
    made: dict[tuple[Hours, ...], BusinessClock] = {}
    clocks: dict[str, BusinessClock] = {}
    for channel in CHANNELS if calendars else ():
        versions = tuple(tables.get(channel, tables["default"]) for _, tables in calendars)
        if versions not in made:
            dated = list(zip((month for month, _ in calendars), versions, strict=True))
            made[versions] = _accumulate(_open_intervals(dated, zone, start, end))
        clocks[channel] = made[versions]
    return clocks


def _open_intervals(
    versions: list[tuple[Month, Hours]], zone: ZoneInfo, start: Micros, end: Micros
) -> list[tuple[Micros, Micros]]:
    """The union of the open intervals of all local days that touch `[start, end]`."""
    day = to_datetime(start).astimezone(zone).date() - timedelta(days=1)
    last = to_datetime(end).astimezone(zone).date() + timedelta(days=1)
    found: list[tuple[Micros, Micros]] = []
    while day <= last:
        hours = _hours_on(versions, day)
        if day not in hours.holidays:
            for opens, closes in hours.weekly[day.weekday()]:
                found.append((_boundary(day, opens, zone), _boundary(day, closes, zone)))
        day += timedelta(days=1)
    return _union(found)


def _hours_on(versions: list[tuple[Month, Hours]], day: date) -> Hours:
    month = Month(day.year, day.month)
    chosen = versions[0][1]
    for effective_from, hours in versions:
        if effective_from <= month:
            chosen = hours
    return chosen


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
    return BusinessClock(starts, lengths, lengths.cum_sum().shift(1, fill_value=0))
