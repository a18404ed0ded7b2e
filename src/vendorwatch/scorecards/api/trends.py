"""`/v1/scorecards/{id}/trends`: a year of months, and which of them differ by more than noise."""

from typing import Annotated

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath

from vendorwatch.db.engine import Database
from vendorwatch.errors import NotFound
from vendorwatch.scorecards import service
from vendorwatch.scorecards.trends import Better, Document, Kind, Trend, trends
from vendorwatch.scoring.document import (
    POINT_DIGITS,
    RATE_DIGITS,
    SECOND_DIGITS,
    decimal_text,
)
from vendorwatch.scoring.xmr import Assurance, Direction, Limits, Rule, Variation
from vendorwatch.web.principal import InsufficientScope, Principal
from vendorwatch.web.problems import problem_responses

_DIGITS = {
    "score": POINT_DIGITS,
    "rate": RATE_DIGITS,
    "mean": RATE_DIGITS,
    "percentile": SECOND_DIGITS,
}


class MonthItem(msgspec.Struct, frozen=True, kw_only=True):
    """`status` is null for a month that has no scorecard; of such there is nothing else, either."""

    month: str
    status: str | None
    as_of: str | None
    policy_version: Annotated[
        int | None, msgspec.Meta(description="Another policy may measure something else.")
    ]


class LimitsItem(msgspec.Struct, frozen=True, kw_only=True):
    """mean and mean -+ 2.66 times the mean moving range; they may lie beyond what can be reached."""

    mean: str
    lower: str
    upper: str


class SignalItem(msgspec.Struct, frozen=True, kw_only=True):
    """`up`: rising, or above the mean. Whether that is good depends on the metric."""

    rule: Rule
    direction: Direction


class TrendItem(msgspec.Struct, frozen=True, kw_only=True):
    """`values` and `signals` have one entry for each month.

    A value is null where the month has none; `not_reached` counts as none. `trial`: fewer than 12
    months have values, so the limits will still move. `variation` is that of the newest month,
    `assurance` what the next ones will bring if nothing changes. Without a target nobody has said
    what is `better`: then there is no assurance, and a signal is neither improving nor worsening.
    """

    kind: Kind
    values: list[str | None]
    target: str | None
    better: Better | None
    limits: LimitsItem | None
    trial: bool
    signals: list[list[SignalItem]]
    variation: Variation | None
    assurance: Assurance | None


class TrendsItem(msgspec.Struct, frozen=True, kw_only=True):
    """Months run without a gap, oldest first, to that of the scorecard."""

    months: list[MonthItem]
    score: TrendItem
    metrics: dict[str, TrendItem]


@get(
    "/scorecards/{scorecard:str}/trends",
    tags=["scorecards"],
    summary="The months up to this one, as XmR charts",
    description="Of the vendor's score and metrics, over at most 12 months. The months before are "
    "those that were known when the scorecard was kept, as they were then. Rules: outside a limit; "
    "7 months on one side of the mean; 7 rising or falling; 2 of 3 beyond two thirds of the way "
    "from the mean to the same limit.",
    responses=problem_responses(InsufficientScope, NotFound),
)
async def get_trends(
    scorecard: FromPath[str],
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
) -> TrendsItem:
    principal.require("read", "score")
    async with database.read(principal.scope) as connection:
        card = await service.find_scorecard(connection, principal.scope, scorecard)
        history = await service.history(connection, principal.scope, card)
    found = trends(card.document, history)
    return TrendsItem(
        months=[_month(*each) for each in zip(found.months, found.cards, strict=True)],
        score=_item(found.score),
        metrics={name: _item(trend) for name, trend in found.metrics.items()},
    )


def _month(month: str, card: Document | None) -> MonthItem:
    return MonthItem(
        month=month,
        status=card["status"] if card else None,
        as_of=card["as_of"] if card else None,
        policy_version=card["policy"]["version"] if card else None,
    )


def _item(trend: Trend) -> TrendItem:
    found = trend.chart
    return TrendItem(
        kind=trend.kind,
        values=list(trend.values),
        target=trend.target,
        better=trend.better,
        limits=_limits(found.limits, _DIGITS[trend.kind]) if found.limits else None,
        trial=found.trial,
        signals=[
            [SignalItem(rule=each.rule, direction=each.direction) for each in signals]
            for signals in found.signals
        ],
        variation=found.variation,
        assurance=found.assurance,
    )


def _limits(limits: Limits, digits: int) -> LimitsItem:
    return LimitsItem(
        mean=decimal_text(limits.mean, digits),
        lower=decimal_text(limits.lower, digits),
        upper=decimal_text(limits.upper, digits),
    )


HANDLERS = (get_trends,)
