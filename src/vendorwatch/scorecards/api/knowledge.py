"""What is behind a scorecard's knowledge figures: results of checks, and answers by topic."""

from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from vendorwatch.db.engine import Database
from vendorwatch.errors import NotFound
from vendorwatch.scorecards import service
from vendorwatch.scorecards.model import ScorecardNotVerifiable
from vendorwatch.web.paging import (
    DEFAULT_LIMIT,
    BadCursor,
    Cursors,
    CursorText,
    Limit,
    page,
)
from vendorwatch.web.principal import InsufficientScope, Principal
from vendorwatch.web.problems import BadParameter, problem_responses

T = TypeVar("T")
OfAgent = Annotated[str | None, QueryParameter(description="agent_id. Without: of all agents.")]
_RESPONSES = problem_responses(
    InsufficientScope, NotFound, BadCursor, BadParameter, ScorecardNotVerifiable
)


class ResultItem(msgspec.Struct, frozen=True, kw_only=True):
    """How an agent did on a check that was due in the month."""

    agent_id: str
    check_id: str
    questions: int
    possible: int
    earned: int
    passed: bool
    excused: bool


class TopicItem(msgspec.Struct, frozen=True, kw_only=True):
    """How many questions of a topic an agent was asked, and how many answers were right."""

    agent_id: str
    topic: str
    asked: int
    right: int


@get(
    "/scorecards/{scorecard:str}/knowledge/results",
    tags=["scorecards"],
    summary="The results of checks behind the knowledge figures",
    description="By agent and check, as the scorecard knew them. An agent who has two ids may have "
    "two results of one check: both count.",
    responses=_RESPONSES,
)
async def list_results_behind(
    request: Request[Any, Any, Any],
    scorecard: FromPath[str],
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    secret: NamedDependency[bytes],
    agent: OfAgent = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: CursorText = None,
) -> Response[list[ResultItem]]:
    principal.require("read", "score")
    async with database.read(principal.scope) as connection:
        found = await service.results_behind(connection, principal.scope, scorecard, agent=agent)
    cursors = Cursors(secret, principal.scope, f"results:{scorecard}:{agent}")
    items = [msgspec.convert(each, ResultItem) for each in found]
    return _paged(request, items, cursors, cursor, limit)


@get(
    "/scorecards/{scorecard:str}/knowledge/answers",
    tags=["scorecards"],
    summary="The answers behind knowledge_coverage, by agent and topic",
    description="Those of the 180 days before the as-of instant, as the scorecard knew them.",
    responses=_RESPONSES,
)
async def list_answers_behind(
    request: Request[Any, Any, Any],
    scorecard: FromPath[str],
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    secret: NamedDependency[bytes],
    agent: OfAgent = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: CursorText = None,
) -> Response[list[TopicItem]]:
    principal.require("read", "score")
    async with database.read(principal.scope) as connection:
        found = await service.answers_behind(connection, principal.scope, scorecard, agent=agent)
    cursors = Cursors(secret, principal.scope, f"answers:{scorecard}:{agent}")
    items = [
        TopicItem(agent_id=each.agent_id, topic=each.topic, asked=each.asked, right=each.right)
        for each in found
    ]
    return _paged(request, items, cursors, cursor, limit)


def _paged(
    request: Request[Any, Any, Any],
    items: Sequence[T],
    cursors: Cursors,
    cursor: str | None,
    limit: int,
) -> Response[list[T]]:
    """What a scorecard knew does not change, so that a number is a place in its lists."""
    place = cursors.read(cursor)
    start = int(place[0] or 0) if place else 0
    numbered = list(enumerate(items, start=1))[start : start + limit + 1]
    listed = page(request, numbered, limit=limit, cursors=cursors, place=lambda each: [each[0]])
    return Response([item for _, item in listed.items], headers=listed.headers)


HANDLERS = (list_results_behind, list_answers_behind)
