"""`/v1/vendors`, `/v1/engagements` and `/v1/agents`, each within the caller's engagement."""

from typing import Annotated

import msgspec
from litestar import Response, get, put
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.openapi.spec import Example
from litestar.params import BodyKwarg, FromPath

from vendorwatch.audit.model import Actor
from vendorwatch.db.engine import Database
from vendorwatch.errors import NotFound
from vendorwatch.telemetry import Clock
from vendorwatch.vendors import service
from vendorwatch.vendors.model import Agent, BadRoster, Engagement, RosterEntry, RosterReceipt
from vendorwatch.web.paging import BadCursor, Pages, as_is
from vendorwatch.web.principal import InsufficientScope, Principal
from vendorwatch.web.problems import (
    BadParameter,
    BodyTooLarge,
    UnsupportedMediaType,
    problem_responses,
)
from vendorwatch.web.strict import BadBody, BadContent

_ROSTER = BodyKwarg(
    media_type=RequestEncodingType.JSON,
    examples=[
        Example(
            id="two-agents",
            value=[
                {"agent_id": "007", "name": "Nguyễn An", "team": "Night", "languages": ["vi"]},
                {"agent_id": "8", "started_on": "2026-01-31", "aliases": ["zd-8"]},
            ],
        )
    ],
)


class VendorItem(msgspec.Struct, frozen=True, kw_only=True):
    vendor_id: str
    name: str


class EngagementItem(msgspec.Struct, frozen=True, kw_only=True):
    engagement_id: str
    merchant_id: str
    merchant_name: str
    vendor_id: str
    vendor_name: str
    time_zone: str


@get("/vendors", tags=["vendors"], summary="The vendor of the key's engagement")
async def list_vendors(
    principal: NamedDependency[Principal], database: NamedDependency[Database]
) -> list[VendorItem]:
    async with database.read(principal.scope) as connection:
        engagement = await service.find_engagement(connection, principal.scope.engagement_id)
    return [VendorItem(vendor_id=engagement.vendor_id, name=engagement.vendor_name)]


@get("/engagements", tags=["vendors"], summary="The key's engagement")
async def list_engagements(
    principal: NamedDependency[Principal], database: NamedDependency[Database]
) -> list[EngagementItem]:
    async with database.read(principal.scope) as connection:
        engagement = await service.find_engagement(connection, principal.scope.engagement_id)
    return [_item(engagement)]


@get(
    "/engagements/{engagement_id:str}",
    tags=["vendors"],
    summary="One engagement",
    responses=problem_responses(NotFound),
)
async def get_engagement(
    engagement_id: FromPath[str],
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
) -> EngagementItem:
    if engagement_id != principal.scope.engagement_id:
        raise NotFound("There is no such engagement.")
    async with database.read(principal.scope) as connection:
        return _item(await service.find_engagement(connection, engagement_id))


@get(
    "/agents",
    tags=["vendors"],
    summary="Agents in the order of their ids",
    responses=problem_responses(InsufficientScope, BadCursor, BadParameter),
)
async def list_agents(
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    pages: NamedDependency[Pages],
) -> Response[list[Agent]]:
    principal.require("upload", "read")
    listing = pages.of("agents", str)
    async with database.read(principal.scope) as connection:
        found = await service.agents(
            connection,
            principal.scope,
            after=listing.place,
            limit=listing.wanted,
        )
    return listing.answer(found, place=lambda agent: agent.agent_id, show=as_is)


@put(
    "/agents",
    tags=["vendors"],
    summary="The roster: agents by id",
    description="New agents are added and known ones take the new values. Agents that the roster "
    "does not name stay: they may stand in logs of earlier months.",
    responses=problem_responses(
        InsufficientScope, BadBody, BadContent, BadRoster, BodyTooLarge, UnsupportedMediaType
    ),
)
async def put_roster(
    data: Annotated[list[RosterEntry], _ROSTER],
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    clock: NamedDependency[Clock],
    actor: NamedDependency[Actor],
) -> RosterReceipt:
    principal.require("upload", "manage")
    async with database.write(principal.scope) as connection:
        return await service.put_roster(connection, principal.scope, data, clock(), by=actor)


def _item(engagement: Engagement) -> EngagementItem:
    return EngagementItem(
        engagement_id=engagement.engagement_id,
        merchant_id=engagement.merchant_id,
        merchant_name=engagement.merchant_name,
        vendor_id=engagement.vendor_id,
        vendor_name=engagement.vendor_name,
        time_zone=engagement.time_zone,
    )


HANDLERS = (list_vendors, list_engagements, get_engagement, list_agents, put_roster)
