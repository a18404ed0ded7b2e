"""Figures that interactions and reviews of them give."""

from collections.abc import Iterable, Mapping
from fractions import Fraction

from vendorwatch.scoring.counting import Counted, Reviewed
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
from vendorwatch.scoring.metrics import (
    DIMENSION_OF,
    METRICS,
    NEXT_REPLY,
    QUALITY,
    RATES,
    Percentile,
    Rate,
)
from vendorwatch.scoring.spans import Spans

_NO_REVIEWS = Reviewed()


def figures_of_interactions(
    counted: Counted, agents: Iterable[str]
) -> dict[Who, dict[str, Figure]]:
    """Of VENDOR and these agents, by metric id."""
    everybody = (VENDOR, *agents)
    rates = {metric: _rates(counted, rate, everybody) for metric, rate in RATES.items()}
    of_metric: dict[str, Mapping[Who, Figure]] = {
        metric.id: _percentiles(metric, rates[metric.of], counted.measured.spans[metric.of])
        if isinstance(metric, Percentile)
        else rates[metric.id]
        for metric in METRICS
    }
    of_metric[QUALITY] = _qualities(counted, everybody)
    return {
        who: {metric: figures[who] for metric, figures in of_metric.items()} for who in everybody
    }


def _rates(counted: Counted, metric: Rate, everybody: Iterable[Who]) -> dict[Who, RateFigure]:
    tally, of_month = counted.tally(metric), counted.of_month[metric.dimension]
    is_next_reply = metric is NEXT_REPLY
    interactions_of = tally.other("interactions") if is_next_reply else {}
    is_measured = not is_next_reply or counted.measured.counts_next_replies
    found = {}
    for who in everybody:
        met, valued, pending, missing = tally.counted(metric.id, who)
        interactions = valued + pending
        if is_next_reply:  # how many are missing, only the interactions tell, not their replies
            missing = counted.response.counted(metric.id, who)[3]
            interactions = interactions_of.get(who, 0)
        excluded = of_month.get(who, 0) - interactions - missing if is_measured else 0
        found[who] = RateFigure(met, valued, Counts(pending, missing, excluded), volume=valued)
    return found


def _percentiles(
    metric: Percentile, rates: Mapping[Who, RateFigure], reached: Spans
) -> dict[Who, PercentileFigure]:
    return {who: _percentile(metric.quantile, rate, reached, who) for who, rate in rates.items()}


def _percentile(quantile: Fraction, rate: RateFigure, reached: Spans, who: Who) -> PercentileFigure:
    n = rate.denominator
    if not n:
        return PercentileFigure(None, 0, None, rate.counts)
    position = -(-n * quantile.numerator // quantile.denominator)
    low, high = percentile_ranks(n, quantile)
    return PercentileFigure(
        value=reached.at(who, position),
        denominator=n,
        interval=(reached.at(who, low) if low else Fraction(0), reached.at(who, high)),
        counts=rate.counts,
    )


def _qualities(counted: Counted, everybody: Iterable[Who]) -> dict[Who, MeanFigure]:
    of_month = counted.of_month[DIMENSION_OF[QUALITY]]
    found = {}
    for who in everybody:
        reviewed = counted.reviewed.get(who, _NO_REVIEWS)
        excluded = of_month.get(who, 0) - reviewed.interactions
        found[who] = MeanFigure(reviewed.total, reviewed.reviews, Counts(excluded=excluded))
    return found
