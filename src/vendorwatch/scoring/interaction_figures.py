"""Figures that interactions and reviews of them give."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from vendorwatch.scoring.counting import Counted, Reviewed
from vendorwatch.scoring.figures import (
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
    FOLLOWED,
    METRICS,
    NEXT_REPLY,
    PERCENTILES,
    QUALITY,
    Percentile,
    Rate,
)
from vendorwatch.scoring.spans import Spans

_NO_REVIEWS = Reviewed()
_BY_ID = {metric.id: metric for metric in METRICS}
_SOONEST_FIRST = sorted(
    (*_BY_ID, QUALITY),
    key=lambda metric: (
        metric in PERCENTILES,
        metric in FOLLOWED,
        metric in {NEXT_REPLY.id, QUALITY},
    ),
)
"""Rates before percentiles, and of those first the ones that wait for nothing but a count."""


def figures_of_interactions(
    counted: Counted, everybody: Sequence[Who]
) -> Iterator[tuple[str, Mapping[Who, Figure]]]:
    """Metric by metric: first those whose counts are there first."""
    rates: dict[str, Mapping[Who, RateFigure]] = {}
    for metric in _SOONEST_FIRST:
        if metric == QUALITY:
            yield metric, _qualities(counted, everybody)
            continue
        how = _BY_ID[metric]
        if isinstance(how, Percentile):
            yield metric, _percentiles(how, rates[how.of], counted.spans[how.of])
        else:
            rates[metric] = _rates(counted, how, everybody)
            yield metric, rates[metric]


def _rates(counted: Counted, metric: Rate, everybody: Sequence[Who]) -> dict[Who, RateFigure]:
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


def _qualities(counted: Counted, everybody: Sequence[Who]) -> dict[Who, MeanFigure]:
    of_month = counted.of_month[DIMENSION_OF[QUALITY]]
    found = {}
    for who in everybody:
        reviewed = counted.reviewed.get(who, _NO_REVIEWS)
        excluded = of_month.get(who, 0) - reviewed.interactions
        found[who] = MeanFigure(reviewed.total, reviewed.reviews, Counts(excluded=excluded))
    return found
