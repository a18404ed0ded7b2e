"""`/v1/deliveries`: what became of each mail."""

from typing import Annotated, get_args

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.status_codes import HTTP_200_OK

from vendorwatch.audit.model import Actor
from vendorwatch.db.engine import Database
from vendorwatch.errors import NotFound
from vendorwatch.mailing import service
from vendorwatch.mailing.model import STATES, DeliveryConflict, State
from vendorwatch.mailing.shown import DeliveryItem, delivery_item
from vendorwatch.periods import Micros
from vendorwatch.telemetry import Clock
from vendorwatch.web.paging import BadCursor, Pages
from vendorwatch.web.principal import InsufficientScope, Principal
from vendorwatch.web.problems import BadParameter, problem_responses


@get(
    "/deliveries",
    tags=["mail"],
    summary="What became of each mail, the newest first",
    responses=problem_responses(InsufficientScope, BadCursor, BadParameter),
)
async def list_deliveries(
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    pages: NamedDependency[Pages],
    only: Annotated[
        str | None,
        QueryParameter(name="state", description=f"Only those: one of {', '.join(STATES)}."),
    ] = None,
) -> Response[list[DeliveryItem]]:
    principal.require("manage")
    if only is not None and only not in get_args(State):
        raise BadParameter(f"state is one of {', '.join(STATES)}.")
    listing = pages.of("deliveries", tuple[Micros, str])
    async with database.read(principal.reach) as connection:
        found = await service.deliveries(
            connection,
            principal.scope,
            states=[each for each in STATES if only in {None, each}],
            after=listing.place,
            limit=listing.wanted,
        )
    return listing.answer(
        found, place=lambda each: (each.created_at, each.delivery_id), show=delivery_item
    )


@post(
    "/deliveries/{delivery_id:str}/retry",
    tags=["mail"],
    summary="Try a mail again, from now on",
    description="Under the same Message-ID: whoever has it already sees it once.",
    status_code=HTTP_200_OK,
    responses=problem_responses(InsufficientScope, NotFound, DeliveryConflict),
)
async def retry_delivery(
    delivery_id: FromPath[str],
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    clock: NamedDependency[Clock],
    actor: NamedDependency[Actor],
) -> DeliveryItem:
    principal.require("manage")
    async with database.write(principal.reach) as connection:
        return delivery_item(
            await service.retry(connection, principal.scope, delivery_id, clock(), by=actor)
        )


@post(
    "/deliveries/{delivery_id:str}/cancel",
    tags=["mail"],
    summary="Do not send a mail that waits",
    status_code=HTTP_200_OK,
    responses=problem_responses(InsufficientScope, NotFound, DeliveryConflict),
)
async def cancel_delivery(
    delivery_id: FromPath[str],
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    clock: NamedDependency[Clock],
    actor: NamedDependency[Actor],
) -> DeliveryItem:
    principal.require("manage")
    async with database.write(principal.reach) as connection:
        return delivery_item(
            await service.cancel(connection, principal.scope, delivery_id, clock(), by=actor)
        )
