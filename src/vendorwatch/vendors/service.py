"""Use cases about who works for whom."""

import secrets
import uuid
from collections.abc import Iterable

from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.audit import service as audit
from vendorwatch.audit.model import COMMAND, Actor
from vendorwatch.db import wall
from vendorwatch.db.scope import Scope, is_id
from vendorwatch.errors import NotFound
from vendorwatch.periods import Micros
from vendorwatch.vendors import store
from vendorwatch.vendors.model import (
    Agent,
    Engagement,
    EngagementConflict,
    RosterEntry,
    RosterReceipt,
    agree,
    check_aliases,
    check_roster,
)

_PSEUDONYM_KEY_BYTES = 32


async def create_engagement(
    connection: AsyncConnection, *, merchant: str, vendor: str, time_zone: str, now: Micros
) -> Engagement:
    """The same names again are the same engagement.

    Raises BadEngagement, or EngagementConflict where it exists with another time zone.
    """
    terms = agree(merchant, vendor, time_zone)
    merchant_id = await store.add_merchant(
        connection,
        merchant_id=str(uuid.uuid4()),
        name=terms.merchant,
        pseudonym_key=secrets.token_bytes(_PSEUDONYM_KEY_BYTES),
        now=now,
    )
    vendor_id = await store.add_vendor(
        connection,
        merchant_id=merchant_id,
        vendor_id=str(uuid.uuid4()),
        name=terms.vendor,
        now=now,
    )
    wanted = Scope(merchant_id=merchant_id, engagement_id=str(uuid.uuid4()))
    engagement_id = await store.add_engagement(
        connection,
        wanted,
        vendor_id=vendor_id,
        time_zone=terms.time_zone,
        now=now,
    )
    engagement = await find_engagement(connection, engagement_id)
    if engagement.time_zone != time_zone:
        raise EngagementConflict(
            f"{engagement.vendor_name} already works for {engagement.merchant_name} "
            f"in the time zone {engagement.time_zone}, not {time_zone}."
        )
    if engagement.scope == wanted:
        async with wall.narrowed(connection, wanted):
            await audit.record(
                connection, wanted, "engagement.created", COMMAND, now,
                vendor_id=vendor_id, time_zone=terms.time_zone,
            )  # fmt: skip
    return engagement


async def find_engagement(connection: AsyncConnection, engagement_id: str) -> Engagement:
    """Raises NotFound, also for what is not a UUID."""
    found = is_id(engagement_id) and await store.engagement(connection, engagement_id)
    if not found:
        raise NotFound(f"There is no engagement {engagement_id}.")
    return found


async def engagements(connection: AsyncConnection) -> list[Engagement]:
    """Of all merchants: for whoever runs the server."""
    return await store.engagements(connection)


async def sibling_engagements(
    connection: AsyncConnection, merchant_id: str
) -> list[tuple[str, str]]:
    """(engagement_id, vendor_id) of every vendor of one merchant."""
    return await store.engagements_of(connection, merchant_id)


async def put_roster(
    connection: AsyncConnection,
    scope: Scope,
    entries: list[RosterEntry],
    now: Micros,
    *,
    by: Actor = COMMAND,
) -> RosterReceipt:
    """Agents by id: new ones are added, known ones take the new values, others stay.

    Raises BadRoster; then nothing is stored.
    """
    checked = check_roster(entries)
    standing = await store.agents(connection, scope, after=None, limit=None)
    check_aliases(checked, standing)
    known = {agent.agent_id: agent for agent in standing}
    created = sum(entry.agent_id not in known for entry in checked)
    changed = sum(entry.changes(known.get(entry.agent_id)) for entry in checked)
    await store.put_agents(connection, scope, checked, now)
    if changed:
        await audit.record(
            connection, scope, "roster.changed", by, now,
            received=len(checked), created=created, changed=changed - created,
        )  # fmt: skip
    return RosterReceipt(received=len(checked), created=created, updated=len(checked) - created)


async def agents(
    connection: AsyncConnection, scope: Scope, *, after: str | None = None, limit: int | None = None
) -> list[Agent]:
    """Ordered by id, from the first id behind `after`."""
    return await store.agents(connection, scope, after=after, limit=limit)


async def agents_seen(
    connection: AsyncConnection, scope: Scope, agent_ids: Iterable[str], now: Micros
) -> None:
    """Agents that are not known yet are added without a name, off the roster."""
    await store.add_unknown_agents(connection, scope, agent_ids, now)
