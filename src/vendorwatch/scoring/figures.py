"""A figure: its counts, its value, and how sure it is. Integers and fractions only."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from vendorwatch.scoring.intervals import wilson_holds, wilson_text

NOT_REACHED: Literal["not_reached"] = "not_reached"
Rank = Fraction | Literal["not_reached"]
"""A percentile in seconds; not_reached stands above every number."""


Who = str | None
"""An agent, or VENDOR."""

VENDOR = None
"""The key of the vendor's own figures among the agents'."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the interactions that are in no value; see frames.Part.

    `excluded` are those of the month that the metric does not look at at all.
    """

    pending: int = 0
    missing: int = 0
    excluded: int = 0


@dataclass(frozen=True, slots=True)
class RateFigure:
    """`volume` is what the minimum volume is held against: the denominator, or questions."""

    numerator: int
    denominator: int
    counts: Counts = Counts()
    volume: int = 0

    @property
    def value(self) -> Fraction | None:
        return Fraction(self.numerator, self.denominator) if self.denominator else None

    @property
    def interval(self) -> tuple[str, str] | None:
        return wilson_text(self.numerator, self.denominator) if self.denominator else None

    def within_noise(self, target: Fraction) -> bool:
        return wilson_holds(self.numerator, self.denominator, target)


@dataclass(frozen=True, slots=True)
class MeanFigure:
    """Of shares between 0 and 1; `total` is their sum."""

    total: Fraction
    denominator: int
    counts: Counts = Counts()

    @property
    def volume(self) -> int:
        return self.denominator

    @property
    def value(self) -> Fraction | None:
        return self.total / self.denominator if self.denominator else None

    @property
    def interval(self) -> tuple[str, str] | None:
        return wilson_text(self.total, self.denominator) if self.denominator else None

    def within_noise(self, target: Fraction) -> bool:
        return wilson_holds(self.total, self.denominator, target)


@dataclass(frozen=True, slots=True)
class PercentileFigure:
    value: Rank | None
    denominator: int
    interval: tuple[Rank, Rank] | None
    counts: Counts = Counts()

    @property
    def volume(self) -> int:
        return self.denominator

    def within_noise(self, target: Fraction) -> bool:
        assert self.interval is not None  # noqa: S101  asked only where there are values
        low, high = self.interval
        return not (_above(low, target) or _above(target, high))


Figure = RateFigure | MeanFigure | PercentileFigure


def _above(one: Rank, other: Rank) -> bool:
    if one == NOT_REACHED:
        return other != NOT_REACHED
    return other != NOT_REACHED and one > other
