"""Gathers what a month is computed from: as it is known now, or as it was known to a scorecard."""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import metadata

import polars as pl
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.db.scope import Scope
from vendorwatch.db.wall import widened
from vendorwatch.interactions.rehash import is_as_received
from vendorwatch.knowledge.service import answers_given, results_due
from vendorwatch.periods import DAY, Micros, Month, load_zone
from vendorwatch.policies.model import DEFAULT_VERSION, policy_for, read_default
from vendorwatch.policies.service import default_policy, policies, version_for
from vendorwatch.quality.service import newest_sequence, reviews_for_scoring
from vendorwatch.scorecards import reading, store
from vendorwatch.scorecards.model import Basis, Kept
from vendorwatch.scoring.frames import ANSWERS, KNOWLEDGE, REVIEWS
from vendorwatch.scoring.inputs import Inputs, PolicyVersion, resolve_as_of
from vendorwatch.vendors.model import Engagement
from vendorwatch.vendors.service import agents, find_engagement, sibling_engagements

CODE_VERSION = metadata.version("vendorwatch")
_ANSWERS_COUNT: Micros = 180 * DAY


async def inputs_now(
    connection: AsyncConnection,
    engagement: Engagement,
    month: Month,
    *,
    as_of: Micros | None,
    now: Micros,
    instead: str | None,
) -> tuple[Inputs, Mapping[str, int], Basis]:
    """With the newest upload of each of the merchant's engagements, and the rest that may change.

    `instead` is a policy file that is to count. Raises FutureAsOf, BadPolicy.
    """
    scope, zone = engagement.scope, load_zone(engagement.time_zone)
    policy = await version_for(connection, scope, month, instead)
    as_of = resolve_as_of(as_of, month=month, zone=zone, policy=policy.policy, now=now)
    basis = await basis_now(connection, scope, month.bounds(zone), policy, as_of=as_of, now=now)
    inputs, known = await _inputs(
        connection, engagement, month, as_of=as_of, policy=policy, known=None, basis=basis
    )
    return inputs, known, basis


async def basis_now(
    connection: AsyncConnection,
    scope: Scope,
    bounds: tuple[Micros, Micros],
    policy: PolicyVersion,
    *,
    as_of: Micros,
    now: Micros,
) -> Basis:
    """`bounds` are those of the month."""
    roster = await agents(connection, scope)
    answers = await answers_given(connection, scope, after=as_of - _ANSWERS_COUNT, as_of=as_of)
    return Basis(
        names={agent.agent_id: agent.name for agent in roster},
        aliases={alias: agent.agent_id for agent in roster for alias in agent.aliases},
        knowledge=[
            tuple(getattr(each, name) for name in KNOWLEDGE)
            for each in await results_due(connection, scope, *bounds, as_of)
        ],
        answers=[(*alike, count) for alike, count in Counter(answers).items()],
        reviews=await newest_sequence(connection, scope),
        policies=len(await policies(connection, scope)),
        now=now,
        default_policy=default_policy().source if policy.version == DEFAULT_VERSION else None,
    )


async def is_as_then(
    connection: AsyncConnection, kept: Kept, basis: Basis, agents: Sequence[str]
) -> bool:
    """Whether nothing has come since that could count, told without reading the records.

    True is certain. `agents` are those of the kept document.
    """
    engagement = await find_engagement(connection, kept.scope.engagement_id)
    month = Month.parse(kept.month)
    async with widened(connection, kept.scope):
        newest = await store.newest_uploads(connection, engagement.merchant_id)
    if newest != json.loads(kept.known):
        return False
    policy = await version_for(connection, kept.scope, month, None)
    bounds = month.bounds(load_zone(engagement.time_zone))
    found = await basis_now(connection, kept.scope, bounds, policy, as_of=kept.as_of, now=basis.now)
    return found.about(agents).to_json() == basis.to_json()


async def inputs_then(
    connection: AsyncConnection, kept: Kept, basis: Basis, code_version: str
) -> Inputs:
    """Whatever was received, corrected or set since is left out."""
    engagement = await find_engagement(connection, kept.scope.engagement_id)
    month = Month.parse(kept.month)
    versions = [
        version
        for version in await policies(connection, kept.scope)
        if version.version <= basis.policies
    ]
    default = default_policy()
    if basis.default_policy is not None:  # another release may have another one
        default = read_default(basis.default_policy)
    policy = policy_for(versions, default, month)
    known = json.loads(kept.known)
    inputs, _ = await _inputs(
        connection, engagement, month, as_of=kept.as_of, policy=policy, known=known, basis=basis
    )
    return replace(inputs, code_version=code_version)


async def altered(connection: AsyncConnection, kept: Kept) -> list[str]:
    """Interactions of the month of which something else is stored than was received."""
    engagement = await find_engagement(connection, kept.scope.engagement_id)
    start, end = Month.parse(kept.month).bounds(load_zone(engagement.time_zone))
    known = json.loads(kept.known)[kept.scope.engagement_id]
    found: list[str] = []
    async for batch in store.revisions(connection, kept.scope, start, end, known=known):
        found += await asyncio.to_thread(_altered, batch)
    return sorted(found)


def _altered(batch: Sequence[RowMapping]) -> list[str]:
    return [
        f"interaction {row['interaction_id']!r} (row {row['row_number']} of upload "
        f"{row['upload_sequence']}): what is stored is not what was received"
        for row in batch
        if not is_as_received(dict(row))
    ]


async def _inputs(
    connection: AsyncConnection,
    engagement: Engagement,
    month: Month,
    *,
    as_of: Micros,
    policy: PolicyVersion,
    known: Mapping[str, int] | None,
    basis: Basis,
) -> tuple[Inputs, Mapping[str, int]]:
    """`known` are the newest uploads that are to count, by engagement; None: all there are."""
    scope, zone = engagement.scope, load_zone(engagement.time_zone)
    start, end = month.bounds(zone)
    async with widened(connection, scope):
        newest = await store.newest_uploads(connection, engagement.merchant_id)
        known = newest if known is None else known
        asked = reading.Asked(
            engagement_id=engagement.engagement_id,
            vendor_of=dict(await sibling_engagements(connection, engagement.merchant_id)),
            known={
                each: None if known[each] == newest.get(each) else known[each] for each in known
            },
            start=start,
            end=end,
            as_of=as_of,
        )
        records = await reading.read(connection, asked)
    inputs = Inputs(
        engagement_id=engagement.engagement_id,
        merchant=engagement.merchant_name,
        vendor=engagement.vendor_name,
        vendor_id=engagement.vendor_id,
        zone=zone,
        month=month,
        as_of=as_of,
        now=basis.now,
        policy=policy,
        received=records.received,
        uploads=await store.upload_counts(
            connection, scope, start, end, known=known[engagement.engagement_id]
        ),
        interactions=records.interactions,
        contacts=records.contacts,
        knowledge=pl.DataFrame(basis.knowledge, schema=KNOWLEDGE, orient="row"),
        answers=_one_by_one(basis.answers),
        reviews=await _reviews(connection, scope, basis.reviews, as_of),
        names=basis.names,
        aliases=basis.aliases,
        code_version=CODE_VERSION,
    )
    return inputs, known


def _one_by_one(answers: Sequence[tuple[str, str, bool, int]]) -> pl.DataFrame:
    counted = pl.DataFrame(answers, schema=ANSWERS | {"count": pl.UInt32}, orient="row")
    return counted.select(pl.col(*ANSWERS).repeat_by("count")).explode(*ANSWERS)


async def _reviews(
    connection: AsyncConnection, scope: Scope, newest: int, as_of: Micros
) -> pl.DataFrame:
    found = await reviews_for_scoring(connection, scope, up_to_sequence=newest, as_of=as_of)
    return pl.DataFrame(found, schema=REVIEWS, orient="row")
