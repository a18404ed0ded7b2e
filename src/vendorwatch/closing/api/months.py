"""Months and how they stand."""

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from vendorwatch.closing import months, service
from vendorwatch.closing.refusals import MonthNotDue, MonthNotFrozen
from vendorwatch.closing.shown import (
    ClosingDetail,
    ClosingItem,
    ClosingPreview,
    closing_detail,
    closing_item,
    closing_preview,
)
from vendorwatch.db.engine import Database
from vendorwatch.errors import NotFound
from vendorwatch.periods import Month
from vendorwatch.telemetry import Clock
from vendorwatch.web.months import month_in
from vendorwatch.web.paging import BadCursor, Pages
from vendorwatch.web.principal import InsufficientScope, Principal
from vendorwatch.web.problems import BadParameter, problem_responses

READERS = ("read", "score", "manage")
"""Each of these scopes is enough to look."""


@get(
    "/closings",
    tags=["closings"],
    summary="Months and how they stand, the newest first",
    description="open: it runs or settles; due: it is being closed; held: it waits for approval; "
    "issued: its scorecard went out.",
    responses=problem_responses(InsufficientScope, BadCursor, BadParameter),
)
async def list_closings(
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    clock: NamedDependency[Clock],
    pages: NamedDependency[Pages],
) -> Response[list[ClosingItem]]:
    principal.require(*READERS)
    listing = pages.of("closings", str)
    async with database.read(principal.scope) as connection:
        found = await months.closings(
            connection,
            principal.scope,
            now=clock(),
            before=Month.parse(listing.place) if listing.place else None,
            limit=listing.wanted,
        )
    return listing.answer(found, place=lambda each: str(each.month), show=closing_item)


@get(
    "/closings/{month:str}",
    tags=["closings"],
    summary="One month with its revisions and their changes",
    responses=problem_responses(InsufficientScope, NotFound),
)
async def get_closing(
    month: FromPath[str],
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    clock: NamedDependency[Clock],
) -> ClosingDetail:
    principal.require(*READERS)
    return await detail(principal, database, clock, month_in(month))


@get(
    "/closings/{month:str}/changes",
    tags=["closings"],
    summary="What a revision would change now",
    description="Computes the month again, and keeps nothing.",
    responses=problem_responses(InsufficientScope, NotFound, MonthNotDue, MonthNotFrozen),
)
async def preview_revision(
    month: FromPath[str],
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    clock: NamedDependency[Clock],
) -> ClosingPreview:
    principal.require("score", "manage")
    wanted = month_in(month)
    found = await service.preview(database, principal.scope, wanted, now=clock())
    return closing_preview(wanted, found)


async def detail(
    principal: Principal, database: Database, clock: Clock, month: Month
) -> ClosingDetail:
    async with database.read(principal.scope) as connection:
        listed, revisions = await months.find_closing(
            connection, principal.scope, month, now=clock()
        )
    return closing_detail(listed, revisions)


HANDLERS = (list_closings, get_closing, preview_revision)
