"""Support hours and due times minute by minute: every boundary of the hours is a whole minute."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from vendorwatch.periods import SECOND, Micros, Month, to_datetime, to_micros
from vendorwatch.scoring.policy import Hours

MINUTE: Micros = 60 * SECOND
_DAY = timedelta(days=1)

Versions = Sequence[tuple[Month, Hours]]
"""The hours of one channel, oldest first."""


def open_minutes(versions: Versions, zone: ZoneInfo, start: Micros, end: Micros) -> pl.DataFrame:
    """Columns minute (since the epoch), open_before (open microseconds before it) and is_open."""
    first, last = start // MINUTE, end // MINUTE
    marks = bytearray(last - first + 1)
    for day in _days(zone, start, end):
        for opens, closes in _intervals(_hours_on(versions, day), day):
            begin = max(_instant(day, opens, zone) // MINUTE, first)
            finish = min(_instant(day, closes, zone) // MINUTE, last + 1)
            if begin < finish:
                marks[begin - first : finish - first] = b"\1" * (finish - begin)
    is_open = pl.Series(list(marks), dtype=pl.Int64)
    return pl.DataFrame(
        {
            "minute": pl.int_range(first, last + 1, dtype=pl.Int64, eager=True),
            "open_before": (is_open.cum_sum() - is_open) * MINUTE,
            "is_open": is_open,
        }
    )


def next_dues(
    versions: Versions | None, reply_by: int, zone: ZoneInfo, start: Micros, end: Micros
) -> pl.DataFrame:
    """Columns minute and due_at: the first local clock time after whatever began in it, if by `end`.

    With `versions`, only days with support hours count.
    """
    dues = sorted(
        _instant(day, reply_by, zone)
        for day in _days(zone, start, end)
        if versions is None or _intervals(_hours_on(versions, day), day)
    )
    minutes = pl.DataFrame(
        {"minute": pl.int_range(start // MINUTE, end // MINUTE + 1, dtype=pl.Int64, eager=True)}
    )
    due = pl.DataFrame({"due_at": dues}, schema={"due_at": pl.Int64}).select(
        "due_at", before=pl.col("due_at") // MINUTE - 1
    )
    return minutes.join_asof(due, left_on="minute", right_on="before", strategy="forward").select(
        "minute", "due_at"
    )


def _days(zone: ZoneInfo, start: Micros, end: Micros) -> Iterator[date]:
    day = to_datetime(start).astimezone(zone).date() - _DAY
    last = to_datetime(end).astimezone(zone).date() + _DAY
    while day <= last:
        yield day
        day += _DAY


def _hours_on(versions: Versions, day: date) -> Hours:
    started = [hours for since, hours in versions if since <= Month(day.year, day.month)]
    return started[-1] if started else versions[0][1]


def _intervals(hours: Hours, day: date) -> Sequence[tuple[int, int]]:
    return () if day in hours.holidays else hours.weekly[day.weekday()]


def _instant(day: date, minutes: int, zone: ZoneInfo) -> Micros:
    """Of a local clock time; one that is skipped or doubled is read with fold = 0."""
    days, minutes = divmod(minutes, 24 * 60)
    clock = time(minutes // 60, minutes % 60)
    return to_micros(datetime.combine(day + days * _DAY, clock, tzinfo=zone))
