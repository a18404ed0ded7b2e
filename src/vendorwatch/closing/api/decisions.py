"""What a person decides about a month."""

from litestar import post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK

from vendorwatch.audit.model import Actor
from vendorwatch.closing import issuing, service
from vendorwatch.closing.api.months import detail
from vendorwatch.closing.bodies import ApproveBody, ReviseBody
from vendorwatch.closing.refusals import (
    BadClosingRequest,
    MonthNotDue,
    MonthNotFrozen,
    NothingToRevise,
)
from vendorwatch.closing.shown import ClosingDetail
from vendorwatch.db.engine import Database
from vendorwatch.errors import NotFound
from vendorwatch.telemetry import Clock
from vendorwatch.web.months import month_in
from vendorwatch.web.principal import InsufficientScope, Principal
from vendorwatch.web.problems import BodyTooLarge, UnsupportedMediaType, problem_responses
from vendorwatch.web.strict import BadBody, BadContent

_BODY = (BadBody, BadContent, BodyTooLarge, UnsupportedMediaType)


@post(
    "/closings/{month:str}/approve",
    tags=["closings"],
    summary="Issue a month that is held",
    description="One that was issued already stays as it is.",
    status_code=HTTP_200_OK,
    responses=problem_responses(
        InsufficientScope, NotFound, BadClosingRequest, MonthNotFrozen, *_BODY
    ),
)
async def approve_closing(
    month: FromPath[str],
    data: JSONBody[ApproveBody],
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    clock: NamedDependency[Clock],
    actor: NamedDependency[Actor],
) -> ClosingDetail:
    principal.require("manage")
    wanted = month_in(month)
    async with database.write(principal.scope) as connection:
        await issuing.approve(
            connection,
            principal.scope,
            wanted,
            by=actor,
            reason=data.reason,
            now=clock(),
        )
    return await detail(principal, database, clock, wanted)


@post(
    "/closings/{month:str}/revise",
    tags=["closings"],
    summary="Issue the next revision of a month",
    description="From the records that are in force now, as of the instant at which the month was "
    "final. The revisions before it stay as they are.",
    responses=problem_responses(
        InsufficientScope,
        NotFound,
        BadClosingRequest,
        MonthNotDue,
        MonthNotFrozen,
        NothingToRevise,
        *_BODY,
    ),
)
async def revise_closing(
    month: FromPath[str],
    data: JSONBody[ReviseBody],
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    clock: NamedDependency[Clock],
    actor: NamedDependency[Actor],
) -> ClosingDetail:
    principal.require("manage")
    wanted = month_in(month)
    await service.revise(
        database,
        principal.scope,
        wanted,
        by=actor,
        reason=data.reason,
        now=clock(),
    )
    return await detail(principal, database, clock, wanted)


HANDLERS = (approve_closing, revise_closing)
