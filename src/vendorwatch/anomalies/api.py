"""`/v1/contact-counts` and `/v1/anomalies`."""

from typing import Annotated

import msgspec
from litestar import get, put
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.openapi.spec import Example
from litestar.params import BodyKwarg, FromPath

from vendorwatch.anomalies import service
from vendorwatch.anomalies.model import BadContactCounts, ContactCount
from vendorwatch.anomalies.shown import MonthAnomalies, month_anomalies
from vendorwatch.audit.model import Actor
from vendorwatch.db.engine import Database
from vendorwatch.errors import NotFound
from vendorwatch.scoring.inputs import FutureAsOf
from vendorwatch.telemetry import Clock
from vendorwatch.web.months import month_in
from vendorwatch.web.principal import InsufficientScope, Principal
from vendorwatch.web.problems import (
    BodyTooLarge,
    UnsupportedMediaType,
    problem_responses,
)
from vendorwatch.web.strict import BadBody, BadContent

_COUNTS = BodyKwarg(
    media_type=RequestEncodingType.JSON,
    examples=[
        Example(
            id="two-days",
            value=[
                {"day": "2026-10-01", "contacts": 412},
                {"day": "2026-10-02", "channel": "phone", "contacts": 97},
            ],
        )
    ],
)


class CountsReceipt(msgspec.Struct, frozen=True, kw_only=True):
    received: int
    changed_days: int


@put(
    "/contact-counts",
    tags=["anomalies"],
    summary="How many contacts the merchant counted itself",
    description="By day, or by day and channel. A day that is named is counted like this from now "
    "on; what was said of it before is kept. Days that are not named stay as they are.",
    responses=problem_responses(
        InsufficientScope, BadBody, BadContent, BadContactCounts, BodyTooLarge, UnsupportedMediaType
    ),
)
async def put_contact_counts(
    data: Annotated[list[ContactCount], _COUNTS],
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    clock: NamedDependency[Clock],
    actor: NamedDependency[Actor],
) -> CountsReceipt:
    principal.require("manage")
    async with database.write(principal.scope) as connection:
        changed = await service.set_counts(connection, principal.scope, data, clock(), by=actor)
    return CountsReceipt(received=len(data), changed_days=changed)


@get(
    "/contact-counts/{month:str}",
    tags=["anomalies"],
    summary="What the merchant counted in a month",
    responses=problem_responses(InsufficientScope, NotFound),
)
async def list_contact_counts(
    month: FromPath[str], principal: NamedDependency[Principal], database: NamedDependency[Database]
) -> list[ContactCount]:
    principal.require("read", "manage")
    wanted = month_in(month)
    async with database.read(principal.scope) as connection:
        found = await service.counts_of(connection, principal.scope, wanted)
    return [
        ContactCount(day=day, channel=channel, contacts=contacts)
        for day, cells in found.items()
        for channel, contacts in cells.items()
    ]


@get(
    "/anomalies/{month:str}",
    tags=["anomalies"],
    summary="What in a month's log is a reason to ask",
    description="Contacts that the merchant counted and the log has not, runs of short interactions "
    "of one customer, gaps in the numbers of interactions, and what is kept out of every metric. "
    "None of it proves anything, and none of it changes a score.",
    responses=problem_responses(InsufficientScope, NotFound, FutureAsOf),
)
async def get_anomalies(
    month: FromPath[str],
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    clock: NamedDependency[Clock],
) -> MonthAnomalies:
    principal.require("read", "manage")
    wanted = month_in(month)
    async with database.read(principal.scope) as connection:
        found = await service.anomalies(connection, principal.scope, wanted, now=clock())
    return month_anomalies(found)


HANDLERS = (put_contact_counts, list_contact_counts, get_anomalies)
