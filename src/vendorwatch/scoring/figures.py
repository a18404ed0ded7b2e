"""From parts and spans to figures: counts, values, intervals. Integers and fractions only."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

import polars as pl

from vendorwatch.periods import SECOND, Micros
from vendorwatch.scoring.frames import Part
from vendorwatch.scoring.intervals import percentile_ranks, wilson, wilson_holds
from vendorwatch.scoring.metrics import METRICS, Percentile, Rate

NOT_REACHED: Literal["not_reached"] = "not_reached"
Rank = Fraction | Literal["not_reached"]
"""A percentile in seconds; not_reached stands above every number."""

VENDOR = None
"""The key of the vendor's own figures among the agents'."""


@dataclass(frozen=True, slots=True)
class RateFigure:
    """`volume` is what the minimum volume is held against: the denominator, or questions."""

    numerator: int
    denominator: int
    pending: int = 0
    missing: int = 0
    volume: int = 0

    @property
    def value(self) -> Fraction | None:
        return Fraction(self.numerator, self.denominator) if self.denominator else None

    @property
    def interval(self) -> tuple[Decimal, Decimal] | None:
        if not self.denominator:
            return None
        found = wilson(self.numerator, self.denominator)
        return found.low, found.high

    def within_noise(self, target: Fraction) -> bool:
        return wilson_holds(self.numerator, self.denominator, target)


@dataclass(frozen=True, slots=True)
class PercentileFigure:
    value: Rank | None
    denominator: int
    pending: int
    missing: int
    interval: tuple[Rank, Rank] | None

    @property
    def volume(self) -> int:
        return self.denominator

    def within_noise(self, target: Fraction) -> bool:
        assert self.interval is not None  # noqa: S101  asked only where there are values
        low, high = self.interval
        return not (_above(low, target) or _above(target, high))


Figure = RateFigure | PercentileFigure


def _above(one: Rank, other: Rank) -> bool:
    if one == NOT_REACHED:
        return other != NOT_REACHED
    return other != NOT_REACHED and one > other


def count_all(facts: pl.DataFrame) -> dict[str | None, dict[str, Figure]]:
    """The figures of the vendor and of every agent that is credited, by metric id."""
    figures: dict[str | None, dict[str, Figure]] = {}
    for dimension in ("response", "resolution"):
        metrics = [metric for metric in METRICS if metric.dimension == dimension]
        # Narrow: what is copied, grouped and sorted below is all of the log.
        parts = facts.select(
            *(metric.part.alias(metric.id) for metric in metrics),
            *{metric.span for metric in metrics if isinstance(metric, Percentile)},
            who=f"{dimension}_agent",
        )
        everybody = parts.with_columns(who=pl.lit(VENDOR, dtype=pl.String))
        for credited in (everybody, parts.drop_nulls("who")):
            for who, found in _figures(metrics, credited).items():
                figures.setdefault(who, {}).update(found)
    return figures


def _figures(
    metrics: list[Rate | Percentile], parts: pl.DataFrame
) -> dict[str | None, dict[str, Figure]]:
    counted = parts.group_by("who").agg(each for metric in metrics for each in _counts(metric))
    rows = counted.select(pl.exclude(pl.List)).iter_rows(named=True)
    return {
        row["who"]: {
            metric.id: _rate(metric, row)
            if isinstance(metric, Rate)
            else _percentile(metric, row, counted[metric.id][at])
            for metric in metrics
        }
        for at, row in enumerate(rows)
    }


def _counts(metric: Rate | Percentile) -> list[pl.Expr]:
    """How often each part is played; for a percentile also the spans reached, in order."""
    played = pl.col(metric.id)
    counts = [(played == int(each)).sum().alias(f"{metric.id} {each.name}") for each in Part]
    if isinstance(metric, Rate):
        return counts
    timed = played.is_in([int(Part.NUMERATOR), int(Part.DENOMINATOR)])
    spans = pl.col(metric.span).filter(timed).drop_nulls().sort()
    return [*counts, spans.alias(metric.id)]


def _rate(metric: Rate, counts: Mapping[str, int]) -> RateFigure:
    met, missed, pending, missing = (counts[f"{metric.id} {each.name}"] for each in Part)
    return RateFigure(met, met + missed, pending, missing, volume=met + missed)


def _percentile(
    metric: Percentile, counts: Mapping[str, int], reached: pl.Series
) -> PercentileFigure:
    """`reached` holds the spans in ascending order; the rest of n were not reached."""
    met, missed, pending, missing = (counts[f"{metric.id} {each.name}"] for each in Part)
    n = met + missed
    if not n:
        return PercentileFigure(None, 0, pending, missing, None)

    def at(rank: int) -> Rank:
        if rank > reached.len():
            return NOT_REACHED
        span: Micros = reached[rank - 1]
        return Fraction(span, SECOND)

    position = -(-n * metric.quantile.numerator // metric.quantile.denominator)
    low, high = percentile_ranks(n, metric.quantile)
    interval = (at(low) if low else Fraction(0), at(high))
    return PercentileFigure(at(position), n, pending, missing, interval)
