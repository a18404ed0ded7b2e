"""From judged figures to dimensions and the score. Fractions; nothing is rounded here."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Self

from vendorwatch.scoring.figures import VENDOR, Figure, Who
from vendorwatch.scoring.judging import Judgement, judge
from vendorwatch.scoring.metrics import DIMENSION_OF
from vendorwatch.scoring.policy import DIMENSIONS, Dimension, Policy

_NOTHING = Fraction(0)


@dataclass(frozen=True, slots=True)
class Scores:
    score: Fraction | None
    not_rated: tuple[str, ...]
    dimensions: Mapping[str, Fraction | None]


@dataclass(frozen=True, slots=True)
class _Weights:
    """Of a dimension's metrics, as whole numbers: only how they compare counts."""

    of_metric: Mapping[str, int]
    whole: int

    @classmethod
    def of(cls, dimension: Dimension) -> Self:
        exact = {name: Fraction(rule.weight) for name, rule in dimension.metrics.items()}
        unit = lcm(*(weight.denominator for weight in exact.values()))
        scaled = {name: int(weight * unit) for name, weight in exact.items()}
        return cls(scaled, sum(scaled.values()))

    def mean(self, judgements: Mapping[str, Judgement]) -> Fraction | None:
        """Of the points of the rated metrics, if they carry at least half of the weight."""
        # One numerator over one denominator, reduced once: every agent has these sums.
        carried, above, below = 0, 0, 1
        for metric, weight in self.of_metric.items():
            judgement = judgements[metric]
            points = judgement.points
            if judgement.rated and points is not None:
                carried += weight
                above = above * points.denominator + weight * points.numerator * below
                below *= points.denominator
        if not carried or 2 * carried < self.whole:
            return None
        return Fraction(above, below * carried)


@dataclass(frozen=True, slots=True)
class Marking:
    """A policy, made ready to be held against the figures of many agents."""

    policy: Policy
    metrics: Mapping[str, _Weights]  # by dimension
    dimensions: Mapping[str, Fraction]  # their weights

    @classmethod
    def of(cls, policy: Policy) -> Self:
        dimensions = {name: policy.dimensions[name] for name in DIMENSIONS}
        return cls(
            policy,
            {name: _Weights.of(each) for name, each in dimensions.items()},
            {name: Fraction(each.weight) for name, each in dimensions.items()},
        )

    def judge(self, metric: str, figures: Mapping[Who, Figure]) -> dict[Who, Judgement]:
        rule, volume = self.policy.rule(metric), self.policy.minimum_volume
        of_agent, of_vendor = volume.agent, volume.vendor
        if DIMENSION_OF[metric] == "knowledge":
            of_agent = of_vendor = volume.knowledge
        return {
            who: judge(figure, rule, of_vendor if who is VENDOR else of_agent)
            for who, figure in figures.items()
        }

    def score(self, judgements: Mapping[str, Judgement]) -> Scores:
        """From those of every metric, all of the vendor or of one agent."""
        dimensions = {name: weights.mean(judgements) for name, weights in self.metrics.items()}
        not_rated = tuple(
            name
            for name, weight in self.dimensions.items()
            if weight > 0 and dimensions[name] is None
        )
        total = None if not_rated else self._total(dimensions)
        return Scores(total, not_rated, dimensions)

    def _total(self, dimensions: Mapping[str, Fraction | None]) -> Fraction:
        """The weighted mean of the dimensions; one that is not rated here has no weight."""
        entering = {name: value for name, value in dimensions.items() if value is not None}
        if self.policy.balance and {"response", "resolution"} <= entering.keys():
            # Speed cannot buy back quality.
            entering["response"] = min(entering["response"], entering["resolution"])
        weighted = sum((self.dimensions[name] * each for name, each in entering.items()), _NOTHING)
        return weighted / sum(self.dimensions.values())
