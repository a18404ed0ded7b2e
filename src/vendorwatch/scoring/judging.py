"""One figure held against the policy: points, contract and evidence. Nothing is rounded here."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import lcm
from typing import Literal

from vendorwatch.scoring.figures import Figure
from vendorwatch.scoring.policy import MetricRule

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
class _Scale:
    """A rule, with target and floor as whole numbers over one denominator."""

    target: int
    floor: int
    unit: int
    target_share: Fraction

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
    return _Scale(int(target * unit), int(floor * unit), unit, target)


def judge(figure: Figure, rule: MetricRule | None, minimum: int) -> Judgement:
    value = figure.value
    is_enough = figure.volume >= minimum
    rated = is_enough and value is not None
    if rule is None:
        return Judgement(rated, None, None, None)
    if value is None:
        return Judgement(rated, None, "not_measurable", "too_few")
    scale = _scale(rule)
    evidence: Evidence = "clear"
    if not is_enough:
        evidence = "too_few"
    elif figure.within_noise(scale.target_share):
        evidence = "within_noise"
    if isinstance(value, str):  # not reached
        return Judgement(rated, Fraction(0), "missed", evidence)
    contract: Contract = "met" if scale.is_met(value) else "missed"
    return Judgement(rated, scale.points(value), contract, evidence)
