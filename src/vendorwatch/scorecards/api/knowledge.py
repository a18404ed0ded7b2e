"""What is behind a scorecard's knowledge figures: results of checks, and answers by topic."""

from typing import Annotated, TypeVar

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from vendorwatch.db.engine import Database
from vendorwatch.errors import NotFound
from vendorwatch.scorecards import service
from vendorwatch.scorecards.model import Cell, ScorecardNotVerifiable, Topic
from vendorwatch.web.paging import BadCursor, Pages
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
    scorecard: FromPath[str],
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    pages: NamedDependency[Pages],
    agent: OfAgent = None,
) -> Response[list[ResultItem]]:
    principal.require("read", "score")
    async with database.read(principal.scope) as connection:
        found = await service.results_behind(connection, principal.scope, scorecard, agent=agent)
    listing = pages.of(f"results:{scorecard}:{agent}", int)
    return listing.answer_by_number(found[listing.start :][: listing.wanted], show=_result_item)


@get(
    "/scorecards/{scorecard:str}/knowledge/answers",
    tags=["scorecards"],
    summary="The answers behind knowledge_coverage, by agent and topic",
    description="Those of the 180 days before the as-of instant, as the scorecard knew them.",
    responses=_RESPONSES,
)
async def list_answers_behind(
    scorecard: FromPath[str],
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    pages: NamedDependency[Pages],
    agent: OfAgent = None,
) -> Response[list[TopicItem]]:
    principal.require("read", "score")
    async with database.read(principal.scope) as connection:
        found = await service.answers_behind(connection, principal.scope, scorecard, agent=agent)
    listing = pages.of(f"answers:{scorecard}:{agent}", int)
    return listing.answer_by_number(found[listing.start :][: listing.wanted], show=_topic_item)


def _result_item(found: dict[str, Cell]) -> ResultItem:
    return msgspec.convert(found, ResultItem)


def _topic_item(found: Topic) -> TopicItem:
    return TopicItem(
        agent_id=found.agent_id, topic=found.topic, asked=found.asked, right=found.right
    )


HANDLERS = (list_results_behind, list_answers_behind)
