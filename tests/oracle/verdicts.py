"""What a figure is worth under the policy, and how it is written down."""

from fractions import Fraction
from typing import Any

from oracle.clock import Policy
from oracle.counts import Tally
from oracle.intervals import Z, interval, percentile_interval, shown, written

Document = dict[str, Any]


def points(value: Fraction | str | None, goal: Policy) -> Fraction | None:
    if value is None:
        return None
    if isinstance(value, str):
        return Fraction(0)
    target, floor = Fraction(goal["target"]), Fraction(goal["floor"])
    share = (value - floor) / (target - floor)
    return 100 * min(Fraction(1), max(Fraction(0), share))


def contract(value: Fraction | str | None, goal: Policy) -> str:
    if value is None:
        return "not_measurable"
    if isinstance(value, str):
        return "missed"
    target, floor = Fraction(goal["target"]), Fraction(goal["floor"])
    met = value <= target if floor > target else value >= target
    return "met" if met else "missed"


def evidence(tally: Tally, goal: Policy, *, rated: bool) -> str:
    if not rated or tally.denominator == 0:
        return "too_few"
    target = Fraction(goal["target"])
    if tally.quantile is not None:
        low, high = percentile_interval(tally)
        above = isinstance(low, str) or low > target
        below = not isinstance(high, str) and high < target
        return "clear" if above or below else "within_noise"
    if not 0 <= target <= 1:
        return "clear"
    n, away = tally.denominator, tally.numerator - tally.denominator * target
    inside = away**2 <= Z**2 * n * target * (1 - target)
    return "within_noise" if inside else "clear"


def metric(
    tally: Tally,
    goal: Policy | None,
    *,
    rated: bool,
    adjusted: Fraction | None = None,
    peers: Document | None = None,
) -> Document:
    document: Document = {
        "kind": tally.kind,
        "value": shown(tally.value),
        "numerator": int(tally.numerator) if tally.kind == "rate" else None,
        "denominator": tally.denominator,
        "pending": tally.pending,
        "missing": tally.missing,
        "excluded": tally.excluded,
        "interval": interval(tally),
        "rated": rated,
        "target": None,
        "floor": None,
        "points": None,
        "contract": None,
        "evidence": None,
        "adjusted": shown(adjusted),
        "peers": peers,
    }
    if goal is not None:
        earned = points(tally.value, goal)
        document |= {
            "target": str(goal["target"]),
            "floor": str(goal["floor"]),
            "points": None if earned is None else written(earned, 2),
            "contract": contract(tally.value, goal),
            "evidence": evidence(tally, goal, rated=rated),
        }
    if tally.survey is not None:
        document["survey"] = tally.survey | {"response_rate": shown(tally.survey["response_rate"])}
    return document
