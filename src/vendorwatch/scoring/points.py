"""From figures to points, dimensions and the score. Fractions; nothing is rounded here."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
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


def judge(figure: Figure, rule: MetricRule | None, minimum: int) -> Judgement:
    rated = figure.volume >= minimum and figure.value is not None
    if rule is None:
        return Judgement(rated, None, None, None)
    target, floor = Fraction(rule.target), Fraction(rule.floor)
    if figure.value is None:
        return Judgement(rated, None, "not_measurable", "too_few")
    less_is_better = floor > target
    evidence: Evidence = "clear"
    if figure.volume < minimum:
        evidence = "too_few"
    elif figure.within_noise(target):
        evidence = "within_noise"
    if figure.value == NOT_REACHED:
        return Judgement(rated, Fraction(0), "missed", evidence)
    met = figure.value <= target if less_is_better else figure.value >= target
    share = (figure.value - floor) / (target - floor)
    points = FULL_MARKS * max(Fraction(0), min(Fraction(1), share))
    return Judgement(rated, points, "met" if met else "missed", evidence)


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
    whole = sum((Fraction(rule.weight) for rule in dimension.metrics.values()), Fraction(0))
    carried, earned = Fraction(0), Fraction(0)
    for metric, rule in dimension.metrics.items():
        judgement = judgements[metric]
        if judgement.rated and judgement.points is not None:
            carried += Fraction(rule.weight)
            earned += Fraction(rule.weight) * judgement.points
    if not carried or 2 * carried < whole:
        return None
    return earned / carried
