"""From figures to points, dimensions and the score. Fractions; nothing is rounded here."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import lcm
from typing import Literal

from vendorwatch.scoring.figures import NOT_REACHED, Figure
from vendorwatch.scoring.policy import DIMENSIONS, Dimension, MetricRule, Policy

Contract = Literal["met", "missed", "not_measurable"]
Evidence = Literal["clear", "within_noise", "too_few"]
FULL_MARKS = 100


@dataclass(frozen=True, slots=True)
class Judgement:
    """A figure held against the policy. What the policy does not name is None."""

    rated: bool
    points: Fraction | None
    contract: Contract | None
    evidence: Evidence | None


@dataclass(frozen=True, slots=True)
class Scores:
    score: Fraction | None
    not_rated: tuple[str, ...]
    dimensions: Mapping[str, Fraction | None]
    judgements: Mapping[str, Judgement]


@dataclass(frozen=True, slots=True)
class _Scale:
    """A rule, with target and floor as whole numbers over one denominator."""

    target: int
    floor: int
    unit: int
    weight: Fraction

    def points(self, value: Fraction) -> Fraction:
        """100 x clamp((value - floor) / (target - floor), 0, 1)."""
        earned = value.numerator * self.unit - self.floor * value.denominator
        possible = (self.target - self.floor) * value.denominator
        if possible < 0:  # less is better
            earned, possible = -earned, -possible
        return Fraction(FULL_MARKS * min(max(earned, 0), possible), possible)

    def is_met(self, value: Fraction) -> bool:
        surplus = value.numerator * self.unit - self.target * value.denominator
        return surplus <= 0 if self.floor > self.target else surplus >= 0


@cache
def _scale(rule: MetricRule) -> _Scale:
    target, floor = Fraction(rule.target), Fraction(rule.floor)
    unit = lcm(target.denominator, floor.denominator)
    return _Scale(int(target * unit), int(floor * unit), unit, Fraction(rule.weight))


def judge(figure: Figure, rule: MetricRule | None, minimum: int) -> Judgement:
    value = figure.value
    rated = figure.volume >= minimum and value is not None
    if rule is None:
        return Judgement(rated, None, None, None)
    if value is None:
        return Judgement(rated, None, "not_measurable", "too_few")
    scale = _scale(rule)
    evidence: Evidence = "clear"
    if figure.volume < minimum:
        evidence = "too_few"
    elif figure.within_noise(Fraction(scale.target, scale.unit)):
        evidence = "within_noise"
    if value == NOT_REACHED:
        return Judgement(rated, Fraction(0), "missed", evidence)
    contract: Contract = "met" if scale.is_met(value) else "missed"
    return Judgement(rated, scale.points(value), contract, evidence)


def score(figures: Mapping[str, Figure], policy: Policy, minimum: int) -> Scores:
    """`minimum` is the minimum volume of the level, vendor or agent."""
    judgements = {
        metric: judge(figure, policy.rule(metric), _minimum(metric, policy, minimum))
        for metric, figure in figures.items()
    }
    dimensions = {name: _dimension(policy.dimensions[name], judgements) for name in DIMENSIONS}
    weights = {name: Fraction(policy.dimensions[name].weight) for name in DIMENSIONS}
    not_rated = tuple(n for n in DIMENSIONS if weights[n] > 0 and dimensions[n] is None)
    if not_rated:
        return Scores(None, not_rated, dimensions, judgements)
    entering = {n: value for n, value in dimensions.items() if value is not None}
    if policy.balance and {"response", "resolution"} <= entering.keys():
        # Speed cannot buy back quality.
        entering["response"] = min(entering["response"], entering["resolution"])
    total = sum(weights.values())
    weighted = sum((weights[n] * value for n, value in entering.items()), Fraction(0))
    return Scores(weighted / total, (), dimensions, judgements)


def _minimum(metric: str, policy: Policy, minimum: int) -> int:
    return policy.minimum_volume.knowledge if metric.startswith("knowledge_") else minimum


def _dimension(dimension: Dimension, judgements: Mapping[str, Judgement]) -> Fraction | None:
    """The weighted mean of the rated metrics, if they carry at least half of the weight."""
    nothing = Fraction(0)
    whole, carried, earned = nothing, nothing, nothing
    for metric, rule in dimension.metrics.items():
        weight, judgement = _scale(rule).weight, judgements[metric]
        whole += weight
        if judgement.rated and judgement.points is not None:
            carried += weight
            earned += weight * judgement.points
    if not carried or 2 * carried < whole:
        return None
    return earned / carried
