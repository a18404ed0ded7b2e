"""The log beside the merchant's own count: contacts that were left out, or made up."""

from datetime import date

import msgspec
import polars as pl

from vendorwatch.integrity.log import Log
from vendorwatch.integrity.measure import is_material


class CountedCell(msgspec.Struct, frozen=True, kw_only=True):
    """`channel` null: of all of them."""

    day: date
    channel: str | None
    counted: int
    logged: int


class Volume(msgspec.Struct, frozen=True, kw_only=True):
    """Over the days that are over and were counted: `missing` sums up by how much the log stays below
    the count, `surplus` by how much it is above it; one does not make up for the other.
    """

    flagged: bool
    counted: int
    logged: int
    missing: int
    surplus: int
    days: list[CountedCell]


def volume(log: Log) -> Volume:
    """The log's inbound interactions count, whatever became of them: so does the merchant."""
    cells = _cells(log)
    counted, logged = sum(each.counted for each in cells), sum(each.logged for each in cells)
    missing = sum(max(each.counted - each.logged, 0) for each in cells)
    surplus = missing + logged - counted
    return Volume(
        flagged=is_material(max(missing, surplus), counted),
        counted=counted,
        logged=logged,
        missing=missing,
        surplus=surplus,
        days=cells,
    )


def _cells(log: Log) -> list[CountedCell]:
    over = [
        (day, start, end) for day, start, end in log.days if end <= log.until and day in log.counted
    ]
    if not over:
        return []
    inbound = log.interactions.filter(pl.col("excluded").ne_missing(pl.lit("outbound")))
    opened = inbound.select("opened_at", pl.col("channel").cast(pl.String)).sort("opened_at")
    at = opened["opened_at"]
    found = []
    for day, start, end in over:
        first, last = at.search_sorted(start, side="left"), at.search_sorted(end, side="left")
        channels = opened["channel"].slice(first, last - first)
        logged = dict(channels.value_counts().iter_rows())
        found += [
            CountedCell(
                day=day,
                channel=channel,
                counted=count,
                logged=channels.len() if channel is None else logged.get(channel, 0),
            )
            for channel, count in sorted(log.counted[day].items(), key=lambda each: each[0] or "")
        ]
    return found
