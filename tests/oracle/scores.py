"""The scorecard computed the slow way, in exact fractions, to be compared with the product's.

It shares no code with the product. Figures are rounded once, half to even, when they are written.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction
from functools import cache
from math import comb
from typing import Any
from zoneinfo import ZoneInfo

from oracle import counts
from oracle.cases import Case, Record, View
from oracle.clock import DAY, SECOND, Policy, Versions, month_bounds, utc
from oracle.counts import Tally

Document = dict[str, Any]

Z = Decimal("1.959963984540054")
EXCLUSIONS = ("outbound", "spam", "merged", "withdrawn", "short_abandoned")
MEDIAN, NINETIETH = Fraction(1, 2), Fraction(9, 10)
RESPONSE: dict[str, Callable[[list[Case]], Tally]] = {
    "first_reply_on_time": counts.first_reply_on_time,
    "first_reply_p50": lambda cases: counts.first_reply_percentile(cases, MEDIAN),
    "first_reply_p90": lambda cases: counts.first_reply_percentile(cases, NINETIETH),
    "abandon_rate": counts.abandon_rate,
}
RESOLUTION: dict[str, Callable[[list[Case]], Tally]] = {
    "resolution_rate": counts.resolution_rate,
    "resolution_on_time": counts.resolution_on_time,
    "resolution_p50": lambda cases: counts.resolution_percentile(cases, MEDIAN),
    "resolution_p90": lambda cases: counts.resolution_percentile(cases, NINETIETH),
    "first_contact_resolution": counts.first_contact_resolution,
    "repeat_contact_rate": counts.repeat_contact_rate,
    "reopen_rate": counts.reopen_rate,
    "handover_rate": counts.handover_rate,
    "csat": counts.csat,
}
KNOWLEDGE: dict[str, Callable[[list[Record]], Tally]] = {
    "knowledge_score": counts.knowledge_score,
    "knowledge_pass_rate": counts.knowledge_pass_rate,
}


def written(value: Fraction, places: int) -> str:
    scaled = round(value * 10**places)
    whole, part = divmod(abs(scaled), 10**places)
    return f"{'-' if scaled < 0 else ''}{whole}.{part:0{places}d}"


def wilson(hits: int, trials: int) -> tuple[str, str]:
    with localcontext() as context:
        context.prec = 60
        k, n, square = Decimal(hits), Decimal(trials), Z * Z
        centre = k + square / 2
        half = Z * (k * (n - k) / n + square / 4).sqrt()
        # The last of sixty digits may stand beyond an end that is exactly 0 or 1.
        lower = max(Decimal(0), (centre - half) / (n + square))
        upper = min(Decimal(1), (centre + half) / (n + square))
        step = Decimal("0.000001")
        return (
            str(lower.quantize(step, rounding=ROUND_HALF_EVEN)),
            str(upper.quantize(step, rounding=ROUND_HALF_EVEN)),
        )


def at_most(rank: int, n: int, quantile: Fraction) -> Fraction:
    """P(Bin(n, quantile) <= rank)."""
    p, q = quantile.numerator, quantile.denominator
    return Fraction(sum(comb(n, i) * p**i * (q - p) ** (n - i) for i in range(rank + 1)), q**n)


@cache
def order_statistics(n: int, quantile: Fraction) -> tuple[int, int]:
    """The ranks (lower, upper) of the 95 % interval; lower 0 and upper n + 1 where there is none."""
    lower = 0
    while at_most(lower, n, quantile) <= Fraction(25, 1000):
        lower += 1
    upper = lower
    while upper == 0 or at_most(upper - 1, n, quantile) < Fraction(975, 1000):
        upper += 1
    return lower, upper


def percentile_interval(tally: Tally) -> tuple[Fraction | str, Fraction | str]:
    assert tally.quantile is not None
    lower, upper = order_statistics(tally.denominator, tally.quantile)
    return (tally.ranked(lower) if lower else Fraction(0)), tally.ranked(upper)


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
    inside = away**2 <= Fraction(Z) ** 2 * n * target * (1 - target)
    return "within_noise" if inside else "clear"


def shown(value: Fraction | str | None) -> str | None:
    return written(value, 6) if isinstance(value, Fraction) else value


def interval(tally: Tally) -> list[str | None] | None:
    if tally.denominator == 0:
        return None
    if tally.quantile is None:
        return list(wilson(tally.numerator, tally.denominator))
    return [shown(end) for end in percentile_interval(tally)]


@dataclass(frozen=True)
class Level:
    """The vendor or one agent: what is counted for it, and from which volume on it is rated."""

    policy: Policy
    name: str
    response: list[Case]
    resolution: list[Case]
    knowledge: list[Record]

    def tallies(self) -> dict[str, Tally]:
        found = {name: count(self.response) for name, count in RESPONSE.items()}
        found |= {name: count(self.resolution) for name, count in RESOLUTION.items()}
        return found | {name: count(self.knowledge) for name, count in KNOWLEDGE.items()}

    def rated(self, tally: Tally) -> bool:
        defaults = {"vendor": 30, "agent": 10, "knowledge": 5}
        minimum = defaults | self.policy.get("minimum_volume", {})
        if tally.questions is not None:
            return bool(tally.questions >= minimum["knowledge"])
        return bool(tally.denominator >= minimum[self.name])


def metric(tally: Tally, goal: Policy | None, *, rated: bool) -> Document:
    document: Document = {
        "kind": "rate" if tally.quantile is None else "percentile",
        "value": shown(tally.value),
        "numerator": tally.numerator if tally.quantile is None else None,
        "denominator": tally.denominator,
        "pending": tally.pending,
        "missing": tally.missing,
        "interval": interval(tally),
        "rated": rated,
        "target": None,
        "floor": None,
        "points": None,
        "contract": None,
        "evidence": None,
        "adjusted": None,
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


def dimension_score(goals: Policy, level: Level, tallies: dict[str, Tally]) -> Fraction | None:
    """The weighted mean of the rated metrics, if they carry at least half of the weight."""
    whole = carried = total = Fraction(0)
    for name, goal in goals.items():
        weight = Fraction(goal["weight"])
        whole += weight
        earned = points(tallies[name].value, goal)
        if weight > 0 and earned is not None and level.rated(tallies[name]):
            carried += weight
            total += weight * earned
    return total / carried if carried > 0 and 2 * carried >= whole else None


def scores(level: Level) -> Document:
    tallies = level.tallies()
    goals: dict[str, Policy] = {}
    own: dict[str, Fraction | None] = {}
    weights: dict[str, Any] = {}
    for name in ("response", "resolution", "knowledge"):
        dimension = level.policy["dimensions"].get(name, {"weight": 0})
        weights[name] = dimension["weight"]
        own[name] = dimension_score(dimension.get("metrics", {}), level, tallies)
        goals |= dimension.get("metrics", {})
    entering = dict(own)
    reply, solution = own["response"], own["resolution"]
    if level.policy.get("balance", True) and reply is not None and solution is not None:
        entering["response"] = min(reply, solution)
    not_rated = [name for name in own if weights[name] > 0 and own[name] is None]
    total = whole = Fraction(0)
    for name, score in entering.items():
        if weights[name] > 0 and score is not None:
            total += Fraction(weights[name]) * score
            whole += Fraction(weights[name])
    return {
        "score": None if not_rated else written(total / whole, 2),
        "not_rated": not_rated,
        "dimensions": {
            name: {
                "score": None if score is None else written(score, 2),
                "weight": str(weights[name]),
            }
            for name, score in own.items()
        },
        "metrics": {
            name: metric(tally, goals.get(name), rated=level.rated(tally))
            for name, tally in tallies.items()
        },
    }


def agent_rows(
    cases: list[Case], assignments: list[Record], policy: Policy, names: dict[str, str]
) -> list[Document]:
    agents = {case.response_agent for case in cases}
    agents |= {case.resolution_agent for case in cases}
    agents |= {assignment["agent_id"] for assignment in assignments}
    rows = []
    for agent in sorted(agent for agent in agents if agent is not None):
        response = [case for case in cases if case.response_agent == agent]
        resolution = [case for case in cases if case.resolution_agent == agent]
        either = [c for c in cases if agent in (c.response_agent, c.resolution_agent)]
        asked = [one for one in assignments if one["agent_id"] == agent]
        rows.append(
            {"agent_id": agent, "name": names.get(agent), "volume": len(either)}
            | scores(Level(policy, "agent", response, resolution, asked))
        )
    return rows


def final_instant(month: str, zone: ZoneInfo, policy: Policy) -> int:
    return month_bounds(month, zone)[1] + int(policy.get("settling_days", 7)) * DAY


def rfc3339(instant: int) -> str:
    moment = utc(instant).replace(tzinfo=None)
    return moment.isoformat(timespec="microseconds" if moment.microsecond else "seconds") + "Z"


def volume(received: int, kept_out: list[str | None], cases: list[Case]) -> Document:
    excluded = {reason: kept_out.count(reason) for reason in EXCLUSIONS}
    nobody = [c for c in cases if c.response_agent is None and c.resolution_agent is None]
    return {
        "received": received,
        "in_month": len(cases) + sum(excluded.values()),
        "scored": len(cases),
        "excluded": excluded,
        "unassigned": len(nobody),
    }


def scorecard(
    *,
    records: list[Record],
    pool: list[Record],
    knowledge: list[Record],
    policy: Policy,
    policies: Versions,
    month: str,
    zone: str,
    as_of: int | None,
    now: int,
    names: dict[str, str],
) -> Document:
    """The document of one engagement's month, without its identities and hashes.

    ValueError when as_of lies more than five minutes after now.
    """
    place = ZoneInfo(zone)
    final = final_instant(month, place, policy)
    if as_of is None:
        as_of = min(final, now)
    if as_of > now + 300 * SECOND:
        raise ValueError("as_of lies in the future")
    view = View(as_of, policy, policies, place, [*records, *pool])
    start, end = month_bounds(month, place)
    received = [record for record in records if record["opened_at"] <= as_of]
    in_month = [record for record in received if start <= record["opened_at"] < end]
    kept_out = [view.exclusion(record) for record in in_month]
    cases = [Case(record, view) for record in in_month if view.exclusion(record) is None]
    assignments = [
        one
        for one in knowledge
        if start <= one["due_at"] < end and one["due_at"] <= as_of and not one["excused"]
    ]
    base = [case for case in cases if not case.given_up]
    return {
        "month": month,
        "time_zone": zone,
        "as_of": rfc3339(as_of),
        "status": "final" if as_of == final and now >= final else "provisional",
        "volume": volume(len(received), kept_out, cases),
        "vendor_scores": scores(Level(policy, "vendor", cases, base, assignments)),
        "agents": agent_rows(cases, assignments, policy, names),
    }
