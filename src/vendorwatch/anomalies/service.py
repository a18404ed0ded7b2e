"""Use cases: the merchant's own counts, and what a month's log looks like beside them."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import msgspec
import polars as pl
from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.anomalies import store
from vendorwatch.anomalies.model import ContactCount, check_counts
from vendorwatch.audit import service as audit
from vendorwatch.audit.model import COMMAND, Actor
from vendorwatch.db.locks import lock_engagement
from vendorwatch.db.scope import Scope
from vendorwatch.integrity.log import CountedDay, Log
from vendorwatch.integrity.report import Anomalies, examine
from vendorwatch.periods import Micros, Month, load_zone, to_datetime
from vendorwatch.scorecards.inputs import inputs_now
from vendorwatch.scoring.facts import exclusion
from vendorwatch.scoring.inputs import Inputs
from vendorwatch.scoring.measured import of_month
from vendorwatch.vendors.service import find_engagement


@dataclass(frozen=True, slots=True)
class Examined:
    """`as_of` is the instant up to which the log was looked at."""

    month: Month
    time_zone: str
    as_of: Micros
    anomalies: Anomalies


async def set_counts(
    connection: AsyncConnection,
    scope: Scope,
    counts: Sequence[ContactCount],
    now: Micros,
    *,
    by: Actor = COMMAND,
) -> int:
    """Each day that is named is counted like this from now on. How many days that changes.

    Raises BadContactCounts.
    """
    zone = load_zone((await find_engagement(connection, scope.engagement_id)).time_zone)
    said = check_counts(counts, to_datetime(now).astimezone(zone).date())
    await lock_engagement(connection, scope)  # two must not make the same revision
    before = await store.counts(connection, scope, min(said), max(said))
    changed = {day: cells for day, cells in said.items() if before.get(day) != cells}
    if changed:
        await store.add(connection, scope, changed, now)
        await audit.record(
            connection, scope, "contact_counts.set", by, now,
            first_day=str(min(changed)), last_day=str(max(changed)), days=len(changed),
            sha256=_digest(changed),
        )  # fmt: skip
    return len(changed)


async def counts_of(
    connection: AsyncConnection, scope: Scope, month: Month
) -> dict[date, CountedDay]:
    """Of the days of the month that were counted, oldest first."""
    first = date(month.year, month.month, 1)
    return await store.counts(connection, scope, first, first.replace(day=month.days))


async def anomalies(
    connection: AsyncConnection, scope: Scope, month: Month, *, now: Micros
) -> Examined:
    """From what a scorecard of the month would be computed from now. Stores nothing.

    Raises NotFound for an unknown engagement, FutureAsOf.
    """
    engagement = await find_engagement(connection, scope.engagement_id)
    counted = await counts_of(connection, scope, month)
    inputs, _, _ = await inputs_now(
        connection, engagement, month, as_of=None, now=now, instead=None
    )
    found = await asyncio.to_thread(_examined, inputs, counted)
    return Examined(month, engagement.time_zone, inputs.as_of, found)


def _examined(inputs: Inputs, counted: Mapping[date, CountedDay]) -> Anomalies:
    records, _ = of_month(inputs)
    return examine(
        Log(
            interactions=records.select(
                "source_account",
                "interaction_id",
                "opened_at",
                "customer_ref",
                pl.col("channel").cast(pl.String),
                pl.col("agent_id").replace(inputs.aliases),
                exclusion(inputs.as_of, inputs.policy.policy).cast(pl.String).alias("excluded"),
            ),
            days=inputs.month.days_in(inputs.zone),
            until=inputs.as_of,
            counted=counted,
        )
    )


def _digest(counted: Mapping[date, CountedDay]) -> str:
    rows = [
        [str(day), channel, contacts]
        for day, cells in sorted(counted.items())
        for channel, contacts in sorted(cells.items(), key=lambda each: each[0] or "")
    ]
    return hashlib.sha256(msgspec.json.encode(rows)).hexdigest()
