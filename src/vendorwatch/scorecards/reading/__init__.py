"""Reads the records of a month in columns, hardly slower than the bare driver reads them at all."""

import asyncio
from dataclasses import dataclass

import polars as pl
from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.scorecards.reading import postgresql, sqlite
from vendorwatch.scorecards.reading.happened import by_then
from vendorwatch.scorecards.reading.parts import Asked, in_other_months, month, others
from vendorwatch.scorecards.reading.since import standing_since
from vendorwatch.scoring.frames import CONTACTS

__all__ = ["Asked", "Records", "read", "standing_since"]


@dataclass(frozen=True, slots=True)
class Records:
    """`interactions` are those of the month, `contacts` those elsewhere."""

    interactions: pl.DataFrame
    contacts: pl.DataFrame
    received: int  # opened by as_of, in any month


async def read(connection: AsyncConnection, asked: Asked) -> Records:
    """Revisions that were in force, as the connection's transaction sees them: frames.INTERACTIONS
    and frames.CONTACTS, rows in no order, each in one piece.

    The transaction must be one of Database.read(). Raises DatabaseUnavailable.
    """
    beside = others(asked)
    own = month(asked)
    parts = [own, *beside.values()]
    fetch = postgresql.fetch if connection.dialect.name == "postgresql" else sqlite.fetch
    (interactions, *contacts), elsewhere = await fetch(connection, parts, in_other_months(asked))
    interactions = await by_then(connection, own, asked.as_of, interactions)
    # To score what came in twenty pieces takes a fifth longer.
    interactions = await asyncio.to_thread(interactions.rechunk)
    placed = [
        frame.select(pl.lit(asked.vendor_of[engagement_id]).alias("vendor_id"), pl.all())
        for engagement_id, frame in zip(beside, contacts, strict=True)
    ]
    return Records(
        interactions=interactions,
        contacts=pl.concat([pl.DataFrame(schema=CONTACTS), *placed], rechunk=True),
        received=elsewhere + interactions.filter(pl.col("opened_at") <= asked.as_of).height,
    )
