"""What is behind a scorecard's figures: interactions, and what agents were asked."""

from typing import Annotated, Any, Literal
from urllib.parse import quote, urlencode

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from vendorwatch.db.engine import Database
from vendorwatch.errors import Fault, NotFound
from vendorwatch.periods import format_instant
from vendorwatch.scorecards import service
from vendorwatch.scorecards.model import Basis, ScorecardNotVerifiable
from vendorwatch.scoring.explain import EXPLAINED, ClockSpan, Explained, PartName
from vendorwatch.scoring.frames import ANSWERS, KNOWLEDGE
from vendorwatch.scoring.metrics import KNOWLEDGE_METRICS
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

_PARTS: tuple[PartName, ...] = ("numerator", "denominator", "pending", "missing", "excluded")
Instant = Annotated[str, msgspec.Meta(description="RFC 3339, UTC.")]
Microseconds = Annotated[int, msgspec.Meta(description="Of time on the clock.")]


class ClockItem(msgspec.Struct, frozen=True, kw_only=True):
    """`span` runs from `start` to `end`, or to the scorecard's as-of instant where there is none.

    Either `target` or `due` says how long it may be.
    """

    clock: Literal["business", "calendar"]
    start: Instant
    end: Instant | None
    span: Microseconds
    target: Microseconds | None
    due: Instant | None


class ExplainedItem(msgspec.Struct, frozen=True, kw_only=True):
    """One interaction, or one of its next replies, or one review of it, in a figure.

    `agent_id` is whom the metric credits; `share` is what a review gives, an exact fraction.
    """

    interaction_id: str
    source_account: str
    opened_at: Instant
    agent_id: str | None
    part: PartName
    reason: str
    clock: ClockItem | None
    review_id: str | None
    share: str | None
    links: dict[str, str]


class ResultItem(msgspec.Struct, frozen=True, kw_only=True):
    """How an agent did on a check that was due in the month."""

    agent_id: str
    check_id: str
    questions: int
    possible: int
    earned: int
    passed: bool
    excused: bool


class AnswerItem(msgspec.Struct, frozen=True, kw_only=True):
    agent_id: str
    topic: str
    right: bool


class KnowledgeBehind(msgspec.Struct, frozen=True, kw_only=True):
    """`results` are behind knowledge_score and knowledge_pass_rate, `answers` behind
    knowledge_coverage: those of the 180 days before the as-of instant.
    """

    results: list[ResultItem]
    answers: list[AnswerItem]


@get(
    "/scorecards/{scorecard:str}/metrics/{metric:str}/interactions",
    tags=["scorecards"],
    summary="The interactions behind a figure, by opened_at",
    description="As the scorecard knew them, whatever has been corrected since. Of "
    "next_reply_on_time each reply is an item, of quality each review.",
    responses=problem_responses(
        InsufficientScope, NotFound, BadCursor, BadParameter, ScorecardNotVerifiable
    ),
)
async def list_interactions_behind(
    request: Request[Any, Any, Any],
    scorecard: FromPath[str],
    metric: FromPath[str],
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    secret: NamedDependency[bytes],
    part: Annotated[
        str,
        QueryParameter(description=f"{', '.join(_PARTS)}; the denominator holds the numerator."),
    ] = "denominator",
    agent: Annotated[
        str | None, QueryParameter(description="agent_id. Without: the vendor's figure.")
    ] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: CursorText = None,
) -> Response[list[ExplainedItem]]:
    principal.require("read", "score")
    name = f"behind:{scorecard}:{metric}:{part}:{agent}"
    cursors = Cursors(secret, principal.scope, name)
    async with database.read() as connection:
        # First of all it must be there: nothing else is told of one that is not.
        await service.find_scorecard(connection, principal.scope, scorecard)
        _check_metric(metric, scorecard)
        wanted, place = _part(part), cursors.read(cursor)
        found = await service.explained(
            connection, principal.scope, scorecard, metric=metric, part=wanted, agent=agent
        )
    # What a scorecard knew does not change, so that a number is a place in its lists.
    start = int(place[0] or 0) if place else 0
    numbered = list(enumerate(found, start=1))[start : start + limit + 1]
    listed = page(request, numbered, limit=limit, cursors=cursors, place=lambda each: [each[0]])
    return Response([_item(each) for _, each in listed.items], headers=listed.headers)


@get(
    "/scorecards/{scorecard:str}/knowledge",
    tags=["scorecards"],
    summary="The results and answers behind the knowledge figures",
    description="As the scorecard knew them.",
    responses=problem_responses(InsufficientScope, NotFound, ScorecardNotVerifiable),
)
async def get_knowledge_behind(
    scorecard: FromPath[str],
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
) -> KnowledgeBehind:
    principal.require("read", "score")
    async with database.read() as connection:
        basis = await service.knowledge_behind(connection, principal.scope, scorecard)
    return KnowledgeBehind(
        results=[
            msgspec.convert(each, ResultItem) for each in _rows(basis, KNOWLEDGE, basis.knowledge)
        ],
        answers=[
            msgspec.convert(each, AnswerItem) for each in _rows(basis, ANSWERS, basis.answers)
        ],
    )


def _check_metric(metric: str, scorecard: str) -> None:
    if metric in EXPLAINED:
        return
    detail = f"metric is one of {', '.join(EXPLAINED)}"
    if metric in KNOWLEDGE_METRICS:
        detail = (
            f"{metric} is not counted from interactions; what is behind it stands under "
            f"/v1/scorecards/{scorecard}/knowledge"
        )
    raise _refused("metric", detail)


def _part(name: str) -> PartName:
    for part in _PARTS:
        if part == name:
            return part
    raise _refused("part", f"part is one of {', '.join(_PARTS)}")


def _refused(field: str, detail: str) -> BadParameter:
    return BadParameter(f"{detail}.", faults=(Fault("bad_value", detail, field=field),))


def _item(each: Explained) -> ExplainedItem:
    address = f"/v1/interactions/{quote(each.interaction_id, safe='')}"
    if each.source_account:
        address += "?" + urlencode({"source_account": each.source_account})
    return ExplainedItem(
        interaction_id=each.interaction_id,
        source_account=each.source_account,
        opened_at=format_instant(each.opened_at),
        agent_id=each.agent_id,
        part=each.part,
        reason=each.reason,
        clock=_clock(each.clock) if each.clock else None,
        review_id=each.review_id,
        share=each.share,
        links={"interaction": address},
    )


def _clock(span: ClockSpan) -> ClockItem:
    return ClockItem(
        clock=span.clock,
        start=format_instant(span.start),
        end=None if span.end is None else format_instant(span.end),
        span=span.span,
        target=span.target,
        due=None if span.due is None else format_instant(span.due),
    )


def _rows(
    basis: Basis, columns: dict[str, Any], rows: Any
) -> list[dict[str, str | int | bool | None]]:
    """With the agents' own ids, as the document has them."""
    named = [dict(zip(columns, row, strict=True)) for row in rows]
    return [
        each | {"agent_id": basis.aliases.get(each["agent_id"], each["agent_id"])} for each in named
    ]


HANDLERS = (list_interactions_behind, get_knowledge_behind)
