"""Rows of merchants, vendors, engagements and agents."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Row, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.db import models
from vendorwatch.db.base import Base
from vendorwatch.db.scope import Scope
from vendorwatch.periods import Micros
from vendorwatch.vendors.model import Agent, Engagement, RosterEntry

_AGENT = (
    models.Agent.agent_id,
    models.Agent.name,
    models.Agent.team,
    models.Agent.started_on,
    models.Agent.ended_on,
    models.Agent.languages,
    models.Agent.aliases,
    models.Agent.on_roster,
)
_FROM_ROSTER = ("name", "team", "started_on", "ended_on", "languages", "aliases", "on_roster")
_tags = msgspec.json.Decoder(tuple[str, ...])

_ENGAGEMENTS = (
    select(
        models.Engagement.merchant_id,
        models.Engagement.engagement_id,
        models.Merchant.name,
        models.Engagement.vendor_id,
        models.Vendor.name,
        models.Engagement.time_zone,
        models.Merchant.pseudonym_key,
        models.Engagement.created_at,
    )
    .join(models.Merchant, models.Merchant.merchant_id == models.Engagement.merchant_id)
    .join(
        models.Vendor,
        (models.Vendor.merchant_id == models.Engagement.merchant_id)
        & (models.Vendor.vendor_id == models.Engagement.vendor_id),
    )
)
# Put together once: every upload asks for it.
_ENGAGEMENT = _ENGAGEMENTS.where(models.Engagement.engagement_id == bindparam("wanted"))


async def add_merchant(
    connection: AsyncConnection, *, merchant_id: str, name: str, pseudonym_key: bytes, now: Micros
) -> str:
    """The id under that name: the given one, or the one that was there first."""
    row = {"merchant_id": merchant_id, "name": name, "pseudonym_key": pseudonym_key}
    statement = _insert(connection, models.Merchant).on_conflict_do_nothing()
    await connection.execute(statement, [row | {"created_at": now}])
    found = select(models.Merchant.merchant_id).where(models.Merchant.name == name)
    return (await connection.execute(found)).scalar_one()


async def add_vendor(
    connection: AsyncConnection, *, merchant_id: str, vendor_id: str, name: str, now: Micros
) -> str:
    """The id under that name: the given one, or the one that was there first."""
    row = {"merchant_id": merchant_id, "vendor_id": vendor_id, "name": name, "created_at": now}
    await connection.execute(_insert(connection, models.Vendor).on_conflict_do_nothing(), [row])
    found = select(models.Vendor.vendor_id).where(
        models.Vendor.merchant_id == merchant_id, models.Vendor.name == name
    )
    return (await connection.execute(found)).scalar_one()


async def add_engagement(
    connection: AsyncConnection,
    scope: Scope,
    *,
    vendor_id: str,
    time_zone: str,
    now: Micros,
) -> str:
    """The id of the pair's engagement: the given one, or the one that was there first."""
    row = {
        "engagement_id": scope.engagement_id,
        "merchant_id": scope.merchant_id,
        "vendor_id": vendor_id,
        "time_zone": time_zone,
        "upload_sequence": 0,
        "created_at": now,
    }
    await connection.execute(_insert(connection, models.Engagement).on_conflict_do_nothing(), [row])
    found = select(models.Engagement.engagement_id).where(
        models.Engagement.merchant_id == scope.merchant_id,
        models.Engagement.vendor_id == vendor_id,
    )
    return (await connection.execute(found)).scalar_one()


async def engagement(connection: AsyncConnection, engagement_id: str) -> Engagement | None:
    row = (await connection.execute(_ENGAGEMENT, {"wanted": engagement_id})).one_or_none()
    return None if row is None else _engagement(row)


async def engagements(connection: AsyncConnection) -> list[Engagement]:
    """Of all merchants: for whoever runs the server, never for a caller of the API."""
    statement = _ENGAGEMENTS.order_by(
        models.Merchant.name, models.Vendor.name, models.Engagement.engagement_id
    )
    return [_engagement(row) for row in await connection.execute(statement)]


async def engagements_of(connection: AsyncConnection, merchant_id: str) -> list[tuple[str, str]]:
    """(engagement_id, vendor_id), in the order of the ids."""
    statement = (
        select(models.Engagement.engagement_id, models.Engagement.vendor_id)
        .where(models.Engagement.merchant_id == merchant_id)
        .order_by(models.Engagement.engagement_id)
    )
    return [(found, vendor) for found, vendor in await connection.execute(statement)]


async def put_agents(
    connection: AsyncConnection, scope: Scope, entries: Sequence[RosterEntry], now: Micros
) -> None:
    """`entries` must be ordered by id: two rosters at once then wait instead of deadlocking."""
    if not entries:
        return
    statement = _insert(connection, models.Agent)
    changed = {name: statement.excluded[name] for name in _FROM_ROSTER}
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=[models.Agent.engagement_id, models.Agent.agent_id], set_=changed
        ),
        [
            {
                "engagement_id": scope.engagement_id,
                "agent_id": entry.agent_id,
                "name": entry.name,
                "team": entry.team,
                "started_on": entry.started_on,
                "ended_on": entry.ended_on,
                "languages": _json(entry.languages),
                "aliases": _json(entry.aliases),
                "on_roster": True,
                "created_at": now,
            }
            for entry in entries
        ],
    )


async def add_unknown_agents(
    connection: AsyncConnection, scope: Scope, agent_ids: Iterable[str], now: Micros
) -> None:
    rows = [
        {
            "engagement_id": scope.engagement_id,
            "agent_id": agent_id,
            "languages": "[]",
            "aliases": "[]",
            "on_roster": False,
            "created_at": now,
        }
        for agent_id in sorted(set(agent_ids))  # the order of put_agents, for the same reason
    ]
    if rows:
        await connection.execute(_insert(connection, models.Agent).on_conflict_do_nothing(), rows)


async def agent_ids(connection: AsyncConnection, scope: Scope) -> set[str]:
    statement = select(models.Agent.agent_id).where(
        models.Agent.engagement_id == scope.engagement_id
    )
    return set((await connection.execute(statement)).scalars())


async def agents(
    connection: AsyncConnection, scope: Scope, *, after: str | None, limit: int | None
) -> list[Agent]:
    """Ordered by id, code point by code point on both engines."""
    column = models.Agent.agent_id
    if connection.dialect.name == "postgresql":
        ordered = column.collate("C")
    else:
        ordered = column.collate("BINARY")
    statement = select(*_AGENT).where(models.Agent.engagement_id == scope.engagement_id)
    if after is not None:
        statement = statement.where(ordered > after)
    rows = await connection.execute(statement.order_by(ordered).limit(limit))
    return [_agent(row) for row in rows]


def _insert(connection: AsyncConnection, model: type[Base]) -> postgresql.Insert | sqlite.Insert:
    if connection.dialect.name == "postgresql":
        return postgresql.insert(model)
    return sqlite.insert(model)


def _engagement(row: Row[*tuple[Any, ...]]) -> Engagement:
    merchant_id, engagement_id, merchant, vendor_id, vendor, time_zone, key, created_at = row
    return Engagement(
        scope=Scope(merchant_id=merchant_id, engagement_id=engagement_id),
        merchant_name=merchant,
        vendor_id=vendor_id,
        vendor_name=vendor,
        time_zone=time_zone,
        pseudonym_key=key,
        created_at=created_at,
    )


def _agent(row: Row[*tuple[Any, ...]]) -> Agent:
    return Agent(
        agent_id=row.agent_id,
        name=row.name,
        team=row.team,
        started_on=row.started_on,
        ended_on=row.ended_on,
        languages=_tags.decode(row.languages),
        aliases=_tags.decode(row.aliases),
        on_roster=row.on_roster,
    )


def _json(values: tuple[str, ...]) -> str:
    return msgspec.json.encode(values).decode()
