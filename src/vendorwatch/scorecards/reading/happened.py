"""What had happened by the as-of instant, where events tell when it did.

The columns of an interaction say how it ended: what happened later is in them, too.
"""

import asyncio
from collections.abc import Sequence

import msgspec
import polars as pl
from sqlalchemy import Row, Select, Text, or_, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.db import models
from vendorwatch.interactions.events import Event, derive
from vendorwatch.periods import CLOCK_SKEW, Micros
from vendorwatch.scorecards.reading.parts import Part

_Row = models.Interaction
_KEY = ("source_account", "interaction_id")
_TOLD = ("resolved_at", "reopens", "handovers")
_THEN = pl.Schema(dict.fromkeys(_KEY, pl.String) | dict.fromkeys(_TOLD, pl.Int64))
_BATCH_ROWS = 10_000
_events = msgspec.json.Decoder(tuple[Event, ...])


async def by_then(
    connection: AsyncConnection, part: Part, as_of: Micros, interactions: pl.DataFrame
) -> pl.DataFrame:
    """`interactions`, the rows of the part, with what their events up to `as_of` say."""
    # All other rows were the same then: counts only grow, and a resolution is gone only where it
    # was taken back, which is a reopen, or came again.
    changeable = pl.any_horizontal(
        pl.col("reopens") > 0, pl.col("handovers") > 0, pl.col("resolved_at") > as_of
    )
    if not interactions.select((pl.col("next_replies").is_not_null() & changeable).any()).item():
        return interactions
    found = await connection.stream(_changeable(part, as_of))
    told = [
        await asyncio.to_thread(_told, batch, as_of)
        async for batch in found.partitions(_BATCH_ROWS)
    ]
    if not told:  # as a rule: what comes after the as-of instant is about another month
        return interactions
    return interactions.update(pl.concat(told), on=_KEY, include_nulls=True)


def _changeable(part: Part, as_of: Micros) -> Select[*tuple[str, str, Micros, str]]:
    """An upload that came before cannot tell of what happened later."""
    upload = models.Upload
    later = select(upload.sequence).where(
        upload.engagement_id == part.engagement_id, upload.received_at >= as_of - CLOCK_SKEW
    )
    events = type_coerce(_Row.events, Text)  # those that are there
    return select(_Row.source_account, _Row.interaction_id, _Row.opened_at, events).where(
        *part.where(part.start, part.end),
        _Row.upload_sequence.in_(later),
        _Row.events.is_not(None),
        or_(_Row.reopens > 0, _Row.handovers > 0, _Row.resolved_at > as_of),
    )


def _told(batch: Sequence[Row[*tuple[str, str, Micros, str]]], as_of: Micros) -> pl.DataFrame:
    rows = []
    for account, interaction_id, opened_at, events in batch:
        happened = [event for event in _events.decode(events) if event.at <= as_of]
        derived = derive(happened, opened_at)
        rows.append((account, interaction_id, *(getattr(derived, name) for name in _TOLD)))
    return pl.DataFrame(rows, schema=_THEN, orient="row")
