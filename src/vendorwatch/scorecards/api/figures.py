"""The interactions behind a scorecard's figures."""

from typing import Annotated, Literal
from urllib.parse import quote, urlencode

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from vendorwatch.db.engine import Database
from vendorwatch.errors import Fault, NotFound
from vendorwatch.periods import format_instant
from vendorwatch.scorecards import service
from vendorwatch.scorecards.model import ScorecardNotVerifiable
from vendorwatch.scoring.explain import EXPLAINED, ClockSpan, Explained, PartName
from vendorwatch.web.paging import BadCursor, Pages
from vendorwatch.web.principal import InsufficientScope, Principal
from vendorwatch.web.problems import BadParameter, problem_responses

_PARTS: tuple[PartName, ...] = ("numerator", "denominator", "pending", "missing", "excluded")
_BEHIND_KNOWLEDGE = {
    "knowledge_score": "results",
    "knowledge_pass_rate": "results",
    "knowledge_coverage": "answers",
}
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
    scorecard: FromPath[str],
    metric: FromPath[str],
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    pages: NamedDependency[Pages],
    part: Annotated[
        str,
        QueryParameter(description=f"{', '.join(_PARTS)}; the denominator holds the numerator."),
    ] = "denominator",
    agent: Annotated[
        str | None, QueryParameter(description="agent_id. Without: the vendor's figure.")
    ] = None,
) -> Response[list[ExplainedItem]]:
    principal.require("read", "score")
    async with database.read(principal.scope) as connection:
        # First of all it must be there: nothing else is told of one that is not.
        await service.find_scorecard(connection, principal.scope, scorecard)
        _check_metric(metric, scorecard)
        wanted = _part(part)
        listing = pages.of(f"behind:{scorecard}:{metric}:{part}:{agent}", int)
        found = await service.explained(
            connection,
            principal.scope,
            scorecard,
            metric=metric,
            part=wanted,
            agent=agent,
            start=listing.start,
            limit=listing.wanted,
        )
    return listing.answer_by_number(found, show=_item)


def _check_metric(metric: str, scorecard: str) -> None:
    if metric in EXPLAINED:
        return
    detail = f"metric is one of {', '.join(EXPLAINED)}"
    if metric in _BEHIND_KNOWLEDGE:
        detail = (
            f"{metric} is not counted from interactions; what is behind it stands under "
            f"/v1/scorecards/{scorecard}/knowledge/{_BEHIND_KNOWLEDGE[metric]}"
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


HANDLERS = (list_interactions_behind,)
