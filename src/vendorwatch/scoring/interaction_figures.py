"""Figures that interactions and reviews of them give."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from fractions import Fraction

import polars as pl

from vendorwatch.scoring.counting import Counted
from vendorwatch.scoring.credit import CREDIT
from vendorwatch.scoring.figures import (
    VENDOR,
    Counts,
    Figure,
    MeanFigure,
    PercentileFigure,
    RateFigure,
    Who,
)
from vendorwatch.scoring.intervals import percentile_ranks
from vendorwatch.scoring.measured import Measured
from vendorwatch.scoring.metrics import METRICS, NEXT_REPLY, QUALITY, RATES, Percentile, Rate
from vendorwatch.scoring.spans import Spans


def figures_of_interactions(
    counted: Counted, agents: Iterable[str]
) -> dict[Who, dict[str, Figure]]:
    """Of VENDOR and these agents, by metric id."""
    measured = counted.measured
    month = {name: _interactions_of(measured, name) for name in CREDIT}
    reviews = _shares(measured)
    found: dict[Who, dict[str, Figure]] = {}
    for who in (VENDOR, *agents):
        of_month = {name: by_agent.get(who, 0) for name, by_agent in month.items()}
        figures: dict[str, Figure] = {}
        for metric in METRICS:
            all_of_month = of_month[metric.dimension]
            if isinstance(metric, Percentile):
                figures[metric.id] = _percentile(
                    metric, _rate(counted, RATES[metric.of], who, all_of_month), measured.spans, who
                )
            else:
                figures[metric.id] = _rate(counted, metric, who, all_of_month)
        figures[QUALITY] = _quality(*reviews.get(who, _NO_REVIEWS), of_month["resolution"])
        found[who] = figures
    return found


def _interactions_of(measured: Measured, dimension: str) -> dict[Who, int]:
    """All of the month, those too that are left out of every metric."""
    credited = measured.in_month[CREDIT[dimension]]
    counts = credited.drop_nulls().value_counts()
    return {VENDOR: credited.len(), **dict(counts.cast({credited.name: pl.String}).iter_rows())}


def _rate(counted: Counted, metric: Rate, who: Who, of_month: int) -> RateFigure:
    met, valued, pending, missing = counted.tally(metric).counted(metric.id, who)
    interactions = valued + pending
    if metric is NEXT_REPLY:
        missing = counted.response.counted(metric.id, who)[3]
        interactions = counted.next_replies.other("interactions", who)
    excluded = of_month - interactions - missing if _is_measured(counted, metric) else 0
    return RateFigure(met, valued, Counts(pending, missing, excluded), volume=valued)


def _is_measured(counted: Counted, metric: Rate) -> bool:
    return metric is not NEXT_REPLY or counted.measured.counts_next_replies


def _percentile(
    metric: Percentile, rate: RateFigure, ordered: Mapping[str, Spans], who: Who
) -> PercentileFigure:
    n = rate.denominator
    if not n:
        return PercentileFigure(None, 0, None, rate.counts)
    reached = ordered[metric.of]
    position = -(-n * metric.quantile.numerator // metric.quantile.denominator)
    low, high = percentile_ranks(n, metric.quantile)
    return PercentileFigure(
        value=reached.at(who, position),
        denominator=n,
        interval=(reached.at(who, low) if low else Fraction(0), reached.at(who, high)),
        counts=rate.counts,
    )


_NO_REVIEWS = (Fraction(0), 0, 0)


def _shares(measured: Measured) -> dict[Who, tuple[Fraction, int, int]]:
    """The sum of the reviews' shares, their number, and how many interactions they are of."""
    reviews = measured.reviews.with_columns(who=pl.col(CREDIT["resolution"]).cast(pl.String))
    totals: dict[Who, Fraction] = defaultdict(Fraction)
    numbers: dict[Who, int] = defaultdict(int)
    # Few different shares: each is made a fraction once, and not for every review.
    alike = reviews.group_by("who", "share").len()
    for agent, share, number in alike.select("who", "share", "len").iter_rows():
        for who in {VENDOR, agent}:
            totals[who] += Fraction(share) * number
            numbers[who] += number
    reviewed = reviews.select("who", "row").unique()
    interactions: dict[Who, int] = {VENDOR: reviewed.height}
    interactions.update(reviewed["who"].drop_nulls().value_counts().iter_rows())
    return {who: (totals[who], numbers[who], interactions[who]) for who in totals}


def _quality(total: Fraction, reviews: int, interactions: int, of_month: int) -> MeanFigure:
    return MeanFigure(total, reviews, Counts(excluded=of_month - interactions))
