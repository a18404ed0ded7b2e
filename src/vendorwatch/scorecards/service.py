"""Policies are set, months are computed, scorecards are kept."""

import asyncio
import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import replace
from importlib import metadata, resources

import polars as pl
from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.db.scope import Scope, is_id
from vendorwatch.errors import NotFound
from vendorwatch.knowledge.service import results_due
from vendorwatch.periods import Micros, Month, load_zone
from vendorwatch.scorecards import store
from vendorwatch.scorecards.model import DEFAULT_POLICY_ID, Computed, StoredPolicy, StoredScorecard
from vendorwatch.scoring.document import Document
from vendorwatch.scoring.frames import ANSWERS, KNOWLEDGE, REVIEWS
from vendorwatch.scoring.policy import in_force
from vendorwatch.scoring.policy_file import parse_policy
from vendorwatch.scoring.score import Inputs, PolicyVersion, resolve_as_of, score_month
from vendorwatch.vendors.model import Engagement
from vendorwatch.vendors.service import agents, find_engagement, sibling_engagements

CODE_VERSION = metadata.version("vendorwatch")
_MONTHS_BESIDE = 11  # a year with the month itself


def default_policy() -> StoredPolicy:
    """What counts until an engagement has set a policy of its own."""
    file = resources.files("vendorwatch.scorecards") / "default_policy.toml"
    return _stored(file.read_text(encoding="utf-8"), DEFAULT_POLICY_ID, 0)


async def set_policy(
    connection: AsyncConnection, scope: Scope, source: str, now: Micros
) -> StoredPolicy:
    """The next version; the same content as the newest one's is that version.

    Raises BadPolicy with every mistake.
    """
    await store.lock(connection, scope)
    versions = await store.policies(connection, scope)
    made = _stored(source, str(uuid.uuid4()), len(versions) + 1)
    if versions and versions[-1].sha256 == made.sha256:
        return versions[-1]
    await store.add_policy(connection, scope, made, now)
    return made


async def policies(connection: AsyncConnection, scope: Scope) -> list[StoredPolicy]:
    """The engagement's own, oldest first."""
    return await store.policies(connection, scope)


async def compute(
    connection: AsyncConnection,
    engagement_id: str,
    month: Month,
    *,
    as_of: Micros | None,
    now: Micros,
) -> Computed:
    """The scorecard of the month, from the records that are in force now. Stores nothing.

    Raises NotFound for an unknown engagement, FutureAsOf.
    """
    engagement = await find_engagement(connection, engagement_id)
    siblings = dict(await sibling_engagements(connection, engagement.merchant_id))
    inputs = await _inputs(connection, engagement, siblings, month, as_of=as_of, now=now)
    return Computed(
        scope=engagement.scope,
        document=await asyncio.to_thread(score_month, inputs),
        as_of=inputs.as_of,
        policy_version=inputs.policy.version,
        known=await store.known(connection, list(siblings)),
    )


async def keep(connection: AsyncConnection, computed: Computed, now: Micros) -> StoredScorecard:
    """The same document again is the scorecard that stands already."""
    await store.lock(connection, computed.scope)
    standing = await store.scorecard_with_hash(connection, computed.scope, computed.sha256)
    if standing:
        return standing
    month = Month.parse(str(computed.document["month"]))
    before = await _months_before(connection, computed.scope, month)
    card = StoredScorecard(str(uuid.uuid4()), computed.document, computed.sha256, now, before)
    await store.add_scorecard(connection, computed, card)
    return replace(card, is_new=True)


async def find_scorecard(
    connection: AsyncConnection, scope: Scope, scorecard_id: str
) -> StoredScorecard:
    """Raises NotFound, also for another engagement's."""
    found = is_id(scorecard_id) and await store.scorecard(connection, scope, scorecard_id)
    if not found:
        raise NotFound("There is no such scorecard.")
    return found


async def scorecards(
    connection: AsyncConnection,
    scope: Scope,
    *,
    month: Month | None,
    after: tuple[str, Micros, str] | None,
    limit: int,
) -> list[StoredScorecard]:
    wanted = str(month) if month else None
    return await store.scorecards(connection, scope, month=wanted, after=after, limit=limit)


async def history(
    connection: AsyncConnection, scope: Scope, card: StoredScorecard
) -> tuple[Document, ...]:
    """The documents of the months before that were known when the scorecard was kept."""
    found = [await store.scorecard(connection, scope, each) for each in card.history]
    return tuple(each.document for each in found if each)


async def _months_before(
    connection: AsyncConnection, scope: Scope, month: Month
) -> tuple[str, ...]:
    found = []
    for _ in range(_MONTHS_BESIDE):
        month = month.previous()
        card = await store.newest_scorecard(connection, scope, str(month))
        if card:
            found.append(card.scorecard_id)
    return tuple(reversed(found))


def _stored(source: str, policy_id: str, version: int) -> StoredPolicy:
    policy = parse_policy(source)
    return StoredPolicy(
        policy_id=policy_id,
        version=version,
        sha256=hashlib.sha256(source.encode()).hexdigest(),
        name=policy.name,
        effective_from=str(policy.effective_from),
        source=source,
    )


async def _inputs(
    connection: AsyncConnection,
    engagement: Engagement,
    siblings: Mapping[str, str],
    month: Month,
    *,
    as_of: Micros | None,
    now: Micros,
) -> Inputs:
    scope, zone = engagement.scope, load_zone(engagement.time_zone)
    policy = _policy_for(await store.policies(connection, scope), month)
    as_of = resolve_as_of(as_of, month=month, zone=zone, policy=policy.policy, now=now)
    start, end = month.bounds(zone)
    roster = await agents(connection, scope)
    due = await results_due(connection, scope, start, end, as_of)
    asked = [
        (
            each.agent_id,
            each.check_id,
            each.questions,
            each.possible,
            each.earned,
            each.passed,
            each.excused,
        )
        for each in due
    ]
    return Inputs(
        engagement_id=engagement.engagement_id,
        merchant=engagement.merchant_name,
        vendor=engagement.vendor_name,
        vendor_id=engagement.vendor_id,
        zone=zone,
        month=month,
        as_of=as_of,
        now=now,
        policy=policy,
        received=await store.received(connection, scope, as_of),
        uploads=await store.upload_counts(connection, scope, start, end),
        interactions=await store.interactions(connection, scope, start, end),
        contacts=await store.contacts(connection, siblings, start, as_of + 1),
        knowledge=pl.DataFrame(asked, schema=KNOWLEDGE, orient="row"),
        answers=pl.DataFrame(schema=ANSWERS),
        reviews=pl.DataFrame(schema=REVIEWS),
        names={agent.agent_id: agent.name for agent in roster},
        aliases={alias: agent.agent_id for agent in roster for alias in agent.aliases},
        code_version=CODE_VERSION,
    )


def _policy_for(versions: list[StoredPolicy], month: Month) -> PolicyVersion:
    """The version for the month, else the package's own, which then also gives the calendar."""
    parsed = [parse_policy(version.source) for version in versions]
    calendars = [(each.effective_from, each.hours) for each in parsed if each.hours]
    chosen = in_force(parsed, month)
    if chosen is None:
        stored = default_policy()
        chosen = parse_policy(stored.source)
        calendars.insert(0, (chosen.effective_from, chosen.hours))
    else:
        stored = next(v for v, each in zip(versions, parsed, strict=True) if each is chosen)
    return PolicyVersion(chosen, stored.policy_id, stored.version, stored.sha256, calendars)
