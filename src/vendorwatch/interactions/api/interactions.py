"""Interactions in force, and one with all its revisions."""

from typing import Annotated, Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from vendorwatch.db.engine import Database
from vendorwatch.errors import Fault, NotFound
from vendorwatch.interactions import service
from vendorwatch.interactions.instants import BadInstant, parse_instant
from vendorwatch.interactions.model import Filter, Position
from vendorwatch.interactions.revision import Revision
from vendorwatch.interactions.shown import InteractionDetail
from vendorwatch.periods import Micros, Month
from vendorwatch.scoring.words import Channel, Status
from vendorwatch.web.addresses import id_to_find
from vendorwatch.web.paging import BadCursor, Pages, as_is
from vendorwatch.web.principal import InsufficientScope, Principal
from vendorwatch.web.problems import BadParameter, problem_responses


@get(
    "/interactions",
    tags=["interactions"],
    summary="Interactions in force, by opened_at",
    responses=problem_responses(InsufficientScope, BadCursor, BadParameter),
)
async def list_interactions(
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    pages: NamedDependency[Pages],
    month: Annotated[
        str | None, QueryParameter(description="As 2026-10, in the engagement's time zone.")
    ] = None,
    opened_from: Annotated[str | None, QueryParameter(description="RFC 3339, inclusive.")] = None,
    opened_to: Annotated[str | None, QueryParameter(description="RFC 3339, exclusive.")] = None,
    agent: Annotated[str | None, QueryParameter(description="agent_id.")] = None,
    channel: Annotated[Channel | None, QueryParameter()] = None,
    status: Annotated[Status | None, QueryParameter()] = None,
) -> Response[list[Revision]]:
    principal.require("upload", "read")
    listing = pages.of("interactions", tuple[Micros, str, str])
    wanted = Filter(
        month=_month(month),
        opened_from=_instant("opened_from", opened_from),
        opened_to=_instant("opened_to", opened_to),
        agent_id=agent,
        channel=channel,
        status=status,
    )
    async with database.read(principal.scope) as connection:
        found = await service.list_interactions(
            connection,
            principal.scope,
            wanted,
            after=listing.place,
            limit=listing.wanted,
        )
    return listing.answer(found, place=_place, show=as_is)


@get(
    "/interactions/{interaction_id:path}",
    tags=["interactions"],
    summary="One interaction with all its revisions",
    responses=problem_responses(InsufficientScope, NotFound, BadParameter),
)
async def get_interaction(
    request: Request[Any, Any, Any],
    interaction_id: FromPath[str],
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    source_account: Annotated[
        str, QueryParameter(description="Where the vendor works in several.")
    ] = "",
) -> InteractionDetail:
    principal.require("upload", "read")
    name = id_to_find(request, interaction_id, "/interactions/")
    async with database.read(principal.scope) as connection:
        revisions = await service.find_revisions(connection, principal.scope, name, source_account)
    in_force = next(each for each in revisions if each.in_force)
    return InteractionDetail(interaction=in_force, revisions=revisions)


def _place(found: Revision) -> Position:
    return parse_instant(found.opened_at), found.source_account, found.interaction_id


def _month(text: str | None) -> Month | None:
    try:
        return None if text is None else Month.parse(text)
    except ValueError as error:
        raise BadParameter(
            str(error), faults=(Fault("bad_value", str(error), field="month"),)
        ) from error


def _instant(name: str, text: str | None) -> Micros | None:
    try:
        return None if text is None else parse_instant(text)
    except BadInstant as error:
        raise BadParameter(
            error.detail, faults=(Fault("bad_value", error.detail, field=name),)
        ) from error
