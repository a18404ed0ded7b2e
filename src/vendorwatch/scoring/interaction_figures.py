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
from vendorwatch.scoring.metrics import METRICS, NEXT_REPLY, QUALITY, RATES, Percentile, Rate
from vendorwatch.scoring.spans import Spans

_NO_REVIEWS = Reviewed()


def figures_of_interactions(
    counted: Counted, agents: Iterable[str]
) -> dict[Who, dict[str, Figure]]:
    """Of VENDOR and these agents, by metric id."""
    measured = counted.measured
    found: dict[Who, dict[str, Figure]] = {}
    for who in (VENDOR, *agents):
        of_month = {name: by_agent.get(who, 0) for name, by_agent in counted.of_month.items()}
        figures: dict[str, Figure] = {}
        for metric in METRICS:
            all_of_month = of_month[metric.dimension]
            if isinstance(metric, Percentile):
                figures[metric.id] = _percentile(
                    metric, _rate(counted, RATES[metric.of], who, all_of_month), measured.spans, who
                )
            else:
                figures[metric.id] = _rate(counted, metric, who, all_of_month)
        reviewed = counted.reviewed.get(who, _NO_REVIEWS)
        excluded = of_month["resolution"] - reviewed.interactions
        figures[QUALITY] = MeanFigure(reviewed.total, reviewed.reviews, Counts(excluded=excluded))
        found[who] = figures
    return found


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
