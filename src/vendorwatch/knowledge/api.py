"""`/v1/questions` and `/v1/checks`: what was asked, and how this engagement's agents did."""

from litestar import Response, get
from litestar.di import NamedDependency

from vendorwatch.db.engine import Database
from vendorwatch.knowledge import service
from vendorwatch.knowledge.service import CheckStanding, QuestionStanding
from vendorwatch.periods import Micros
from vendorwatch.telemetry import Clock
from vendorwatch.web.paging import BadCursor, Pages, as_is
from vendorwatch.web.principal import InsufficientScope, Principal
from vendorwatch.web.problems import BadParameter, problem_responses


@get(
    "/questions",
    tags=["knowledge"],
    summary="Every version of every question, by id",
    description="Of the merchant; the statistics are over this engagement's agents alone. A key "
    "without the scope manage sees those of checks assigned in this engagement; stem, options and "
    "right options are null for it.",
    responses=problem_responses(InsufficientScope, BadCursor, BadParameter),
)
async def list_questions(
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    pages: NamedDependency[Pages],
    clock: NamedDependency[Clock],
) -> Response[list[QuestionStanding]]:
    principal.require("read", "manage")
    listing = pages.of("questions", tuple[str, int])
    async with database.read(principal.reach) as connection:
        found = await service.question_standings(
            connection,
            principal.scope,
            now=clock(),
            with_text="manage" in principal.scopes,
            assigned="manage" not in principal.scopes,
            after=listing.place,
            limit=listing.wanted,
        )
    return listing.answer(found, place=lambda each: (each.question_id, each.version), show=as_is)


@get(
    "/checks",
    tags=["knowledge"],
    summary="The checks by due date, and how they stand",
    description="Of the merchant; counts, weights and KR-20 are over this engagement's agents "
    "alone, as of now. A key without the scope manage sees those assigned in this engagement.",
    responses=problem_responses(InsufficientScope, BadCursor, BadParameter),
)
async def list_checks(
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    pages: NamedDependency[Pages],
    clock: NamedDependency[Clock],
) -> Response[list[CheckStanding]]:
    principal.require("read", "manage")
    listing = pages.of("checks", tuple[Micros, str])
    async with database.read(principal.reach) as connection:
        found = await service.standings(
            connection,
            principal.scope,
            now=clock(),
            assigned="manage" not in principal.scopes,
            after=listing.place,
            limit=listing.wanted,
        )
    return listing.answer(
        found, place=lambda each: (each[0], each[1].check_id), show=lambda each: each[1]
    )


HANDLERS = (list_questions, list_checks)
