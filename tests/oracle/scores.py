"""The scorecard computed the slow way, in exact fractions, to be compared with the product's.

It shares no code with the product. Figures are rounded once, half to even, when they are written.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from oracle import answers, counts, peers
from oracle.cases import Case, Record, View, credited
from oracle.clock import DAY, SECOND, Policy, Versions, month_bounds, utc
from oracle.counts import Tally
from oracle.intervals import written
from oracle.verdicts import metric, points

Document = dict[str, Any]
Answers = list[tuple[str, str, bool]]

EXCLUSIONS = ("outbound", "spam", "merged", "withdrawn", "short_abandoned")
MEDIAN, NINETIETH = Fraction(1, 2), Fraction(9, 10)
RESPONSE: dict[str, Callable[[list[Case]], Tally]] = {
    "first_reply_on_time": counts.first_reply_on_time,
    "first_reply_p50": lambda cases: counts.first_reply_percentile(cases, MEDIAN),
    "first_reply_p90": lambda cases: counts.first_reply_percentile(cases, NINETIETH),
    "next_reply_on_time": counts.next_reply_on_time,
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
    "knowledge_score": answers.knowledge_score,
    "knowledge_pass_rate": answers.knowledge_pass_rate,
}


@dataclass(frozen=True)
class Level:
    """The vendor or one agent: what is counted for it, and from which volume on it is rated.

    `replying` and `resolving` are the interactions of the month whose credit is its own, left out
    ones too; `response` and `resolution` are those among them that the metrics look at.
    """

    policy: Policy
    name: str
    replying: list[Record]
    resolving: list[Record]
    response: list[Case]
    resolution: list[Case]
    knowledge: list[Record]
    reviews: list[Record]
    agents: list[str]
    answers: Answers
    everyone: list[Case] = field(repr=False)

    @cached_property
    def tallies(self) -> dict[str, Tally]:
        found = {}
        for name, count in RESPONSE.items():
            found[name] = Tally()
            # Nothing is measured that the policy has no target for.
            if name != "next_reply_on_time" or "next_reply" in self.policy["targets"]:
                found[name] = count(self.response)
                found[name].excluded = len(self.replying) - len(found[name].seen)
        solved = {name: count(self.resolution) for name, count in RESOLUTION.items()}
        solved["quality"] = counts.quality(self.resolution, self.reviews)
        for tally in solved.values():
            tally.excluded = len(self.resolving) - len(tally.seen)
        known = {name: count(self.knowledge) for name, count in KNOWLEDGE.items()}
        known["knowledge_coverage"] = answers.knowledge_coverage(
            self.agents, self.everyone, self.answers
        )
        return found | solved | known

    def rated(self, tally: Tally) -> bool:
        defaults = {"vendor": 30, "agent": 10, "knowledge": 5}
        minimum = defaults | self.policy.get("minimum_volume", {})
        if tally.denominator == 0:
            return False
        if tally.questions is not None:
            return bool(tally.questions >= minimum["knowledge"])
        return bool(tally.denominator >= minimum[self.name])


@dataclass(frozen=True)
class Company:
    """All levels of one month."""

    vendor: Level
    agents: list[Level]

    def shown(self, level: Level, name: str, goal: Policy | None) -> Document:
        tally, others = level.tallies[name], [agent.tallies[name] for agent in self.agents]
        rated = level.rated(tally)
        if tally.kind != "rate" or name.startswith("knowledge_"):
            return metric(tally, goal, rated=rated)
        if level is self.vendor:
            return metric(tally, goal, rated=rated, peers=peers.of_vendor(others))
        pool = self.vendor.tallies[name]
        beside = peers.of_agent(tally, pool, others)
        mixed = peers.adjusted(tally, pool)
        return metric(tally, goal, rated=rated, adjusted=mixed, peers=beside)


def dimension_score(goals: Policy, level: Level) -> Fraction | None:
    """The weighted mean of the rated metrics, if they carry at least half of the weight."""
    tallies = level.tallies
    whole = carried = total = Fraction(0)
    for name, goal in goals.items():
        weight = Fraction(goal["weight"])
        whole += weight
        earned = points(tallies[name].value, goal)
        if weight > 0 and earned is not None and level.rated(tallies[name]):
            carried += weight
            total += weight * earned
    return total / carried if carried > 0 and 2 * carried >= whole else None


def scores(company: Company, level: Level) -> Document:
    goals: dict[str, Policy] = {}
    own: dict[str, Fraction | None] = {}
    weights: dict[str, Any] = {}
    for name in ("response", "resolution", "knowledge"):
        dimension = level.policy["dimensions"].get(name, {"weight": 0})
        weights[name] = dimension["weight"]
        own[name] = dimension_score(dimension.get("metrics", {}), level)
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
        "metrics": {name: company.shown(level, name, goals.get(name)) for name in level.tallies},
    }


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


@dataclass(frozen=True)
class Month:
    """What of the records belongs to one month, as it stood at the as-of instant."""

    in_month: list[Record]
    cases: list[Case]
    knowledge: list[Record]
    reviews: list[Record]
    answers: Answers

    @property
    def agents(self) -> list[str]:
        found = {case.response_agent for case in self.cases}
        found |= {case.resolution_agent for case in self.cases}
        found |= {one["agent_id"] for one in self.knowledge if not answers.Due(one).out}
        return sorted(agent for agent in found if agent is not None)

    def vendor(self, policy: Policy) -> Level:
        base = [case for case in self.cases if not case.given_up]
        return Level(
            policy,
            "vendor",
            self.in_month,
            self.in_month,
            self.cases,
            base,
            self.knowledge,
            self.reviews,
            self.agents,
            self.answers,
            self.cases,
        )

    def agent(self, policy: Policy, agent: str) -> Level:
        return Level(
            policy,
            "agent",
            [one for one in self.in_month if credited(one, "first_reply_agent_id") == agent],
            [one for one in self.in_month if credited(one, "resolved_by_agent_id") == agent],
            [case for case in self.cases if case.response_agent == agent],
            [case for case in self.cases if case.resolution_agent == agent],
            [one for one in self.knowledge if one["agent_id"] == agent],
            self.reviews,
            [agent],
            [answer for answer in self.answers if answer[0] == agent],
            self.cases,
        )

    def volume(self, agent: str) -> int:
        credited_to = [(case.response_agent, case.resolution_agent) for case in self.cases]
        return sum(1 for both in credited_to if agent in both)


def scorecard(
    *,
    records: list[Record],
    pool: list[Record],
    knowledge: list[Record],
    reviews: list[Record],
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
    due = [one for one in knowledge if start <= one["due_at"] < end and one["due_at"] <= as_of]
    whole = Month(in_month, cases, due, reviews, answers.remembered(knowledge, as_of))
    company = Company(whole.vendor(policy), [whole.agent(policy, name) for name in whole.agents])
    return {
        "month": month,
        "time_zone": zone,
        "as_of": rfc3339(as_of),
        "status": "final" if as_of == final and now >= final else "provisional",
        "volume": volume(len(received), kept_out, cases),
        "vendor_scores": scores(company, company.vendor),
        "agents": [
            {"agent_id": name, "name": names.get(name), "volume": whole.volume(name)}
            | scores(company, level)
            for name, level in zip(whole.agents, company.agents, strict=True)
        ],
    }
