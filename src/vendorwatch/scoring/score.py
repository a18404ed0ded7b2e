"""Records, a policy and an instant in; a scorecard out."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import polars as pl

from vendorwatch.errors import Kind, VendorwatchError
from vendorwatch.periods import DAY, SECOND, Micros, Month, format_instant
from vendorwatch.scoring.clock import Calendars, channel_clocks
from vendorwatch.scoring.document import SCHEMA, Document, canonical_json, scores_document, share
from vendorwatch.scoring.facts import EXCLUSIONS, exclusion, with_facts
from vendorwatch.scoring.figures import (
    VENDOR,
    Figure,
    PercentileFigure,
    RateFigure,
    count_all,
)
from vendorwatch.scoring.metrics import KNOWLEDGE_METRICS, METRICS, PERCENTILES
from vendorwatch.scoring.points import score
from vendorwatch.scoring.policy import Policy
from vendorwatch.scoring.repeats import repeated

_CLOCK_SKEW: Micros = 300 * SECOND


class FutureAsOf(VendorwatchError):
    """Figures were asked as of an instant that lies more than five minutes ahead.

    Ask without one for the figures of now, or for an instant that has passed.
    """

    kind = Kind.REFUSED
    slug = "future-as-of"
    title = "The as-of instant lies in the future"


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """The policy that counts for the month, and the calendars of all versions, oldest first."""

    policy: Policy
    policy_id: str
    version: int
    sha256: str
    calendars: Calendars


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that a scorecard depends on. Frames: see scoring.frames; their row order is free."""

    engagement_id: str
    merchant: str
    vendor: str
    vendor_id: str
    zone: ZoneInfo
    month: Month
    as_of: Micros
    now: Micros
    policy: PolicyVersion
    received: int  # interactions in force that were opened by as_of, in any month
    uploads: Mapping[str, int]  # rows by outcome, over the uploads that touch the month
    interactions: pl.DataFrame  # INTERACTIONS: all that were opened in the month, or more
    contacts: pl.DataFrame  # CONTACTS: all of the merchant from the month's start on, or more
    knowledge: pl.DataFrame  # KNOWLEDGE: checks due in the month and by as_of
    answers: pl.DataFrame  # ANSWERS: what was asked in the 180 days before as_of
    reviews: pl.DataFrame  # REVIEWS: of interactions of the month, or more
    names: Mapping[str, str | None]
    aliases: Mapping[str, str]  # other ids of agents, and the agent_id that each stands for
    code_version: str


def final_instant(month: Month, zone: ZoneInfo, policy: Policy) -> Micros:
    """When the month is final: its end and the settling time, as elapsed time."""
    return month.bounds(zone)[1] + policy.settling_days * DAY


def resolve_as_of(
    asked: Micros | None, *, month: Month, zone: ZoneInfo, policy: Policy, now: Micros
) -> Micros:
    """The final instant once it has passed, else now, unless one is asked for."""
    if asked is None:
        return min(final_instant(month, zone, policy), now)
    if asked > now + _CLOCK_SKEW:
        raise FutureAsOf(f"{format_instant(asked)} has not come yet.")
    return asked


def score_month(inputs: Inputs) -> Document:
    """The document of metrics.md, not issued (revision 0). Exact and reproducible."""
    policy = inputs.policy.policy
    start, end = inputs.month.bounds(inputs.zone)
    in_month = inputs.interactions.filter(
        pl.col("opened_at").is_between(start, end, closed="left")
        & (pl.col("opened_at") <= inputs.as_of)
    ).with_columns(
        pl.col("agent_id", "first_reply_agent_id", "resolved_by_agent_id").replace(inputs.aliases),
        excluded=exclusion(inputs.as_of, policy),
    )
    knowledge = inputs.knowledge.filter(~pl.col("excused")).with_columns(
        pl.col("agent_id").replace(inputs.aliases)
    )
    scored = in_month.filter(pl.col("excluded").is_null()).drop("excluded")
    contacts = _relevant_contacts(inputs, scored, start)
    facts = _facts(inputs, scored, contacts, start)
    figures = count_all(facts)
    _add_knowledge(figures, knowledge)
    credited = pl.concat([facts["response_agent"], _resolution_credit(facts)])
    volumes, surveys = _volumes(facts), _surveys(facts)
    agents = sorted(set(credited.drop_nulls()) | set(knowledge["agent_id"]))
    return {
        "schema": SCHEMA,
        "engagement_id": inputs.engagement_id,
        "merchant": inputs.merchant,
        "vendor": inputs.vendor,
        "month": str(inputs.month),
        "time_zone": inputs.zone.key,
        "as_of": format_instant(inputs.as_of),
        "status": _status(inputs),
        "revision": 0,
        "policy": {
            "id": inputs.policy.policy_id,
            "version": inputs.policy.version,
            "sha256": inputs.policy.sha256,
            "balance": policy.balance,
        },
        "records_sha256": _fingerprint(in_month, contacts, knowledge, agents, inputs),
        "code_version": inputs.code_version,
        "uploads": dict(inputs.uploads),
        "volume": _volume(inputs.received, in_month, facts),
        "vendor_scores": _scores(
            figures.get(VENDOR, {}), surveys[VENDOR], policy, policy.minimum_volume.vendor
        ),
        "agents": [
            {
                "agent_id": agent,
                "name": inputs.names.get(agent),
                "volume": volumes.get(agent, 0),
                **_scores(
                    figures.get(agent, {}),
                    surveys.get(agent, _survey(0, 0)),
                    policy,
                    policy.minimum_volume.agent,
                ),
            }
            for agent in agents
        ],
    }


def _status(inputs: Inputs) -> str:
    final = final_instant(inputs.month, inputs.zone, inputs.policy.policy)
    return "final" if inputs.as_of == final <= inputs.now else "provisional"


def _facts(
    inputs: Inputs, scored: pl.DataFrame, contacts: pl.DataFrame, start: Micros
) -> pl.DataFrame:
    clocks = channel_clocks(
        inputs.policy.calendars, inputs.zone, start=start, end=max(inputs.as_of, start)
    )
    facts = with_facts(scored, as_of=inputs.as_of, policy=inputs.policy.policy, clocks=clocks)
    followed = repeated(
        facts.select(
            "source_account", "interaction_id", "customer_ref", "topic", "order_ref", "window_end"
        ),
        contacts,
        inputs.vendor_id,
    )
    return facts.with_columns(repeated=followed & facts["resolved"])


def _relevant_contacts(inputs: Inputs, scored: pl.DataFrame, start: Micros) -> pl.DataFrame:
    """Contacts of the same customers. Nothing else of another vendor is ever looked at."""
    customers = scored["customer_ref"].drop_nulls().unique()
    return inputs.contacts.filter(
        pl.col("customer_ref").is_in(customers.implode())
        & pl.col("opened_at").is_between(start, inputs.as_of)
        & exclusion(inputs.as_of, inputs.policy.policy).is_null()
    )


def _resolution_credit(facts: pl.DataFrame) -> pl.Series:
    return facts.select(pl.when("in_base").then("resolution_agent")).to_series()


def _volumes(facts: pl.DataFrame) -> dict[str, int]:
    """How many interactions credit each agent, be it for the reply, the resolution or both."""
    reply, resolution = facts["response_agent"], _resolution_credit(facts)
    another = resolution.filter(resolution.ne_missing(reply))
    every = pl.concat([reply, another.alias(reply.name)]).drop_nulls()
    return dict(every.value_counts().iter_rows())


def _volume(received: int, in_month: pl.DataFrame, facts: pl.DataFrame) -> Document:
    counts = dict(in_month["excluded"].drop_nulls().value_counts().iter_rows())
    nobody = facts["response_agent"].is_null() & _resolution_credit(facts).is_null()
    return {
        "received": received,
        "in_month": in_month.height,
        "scored": facts.height,
        "excluded": {reason: counts.get(reason, 0) for reason in EXCLUSIONS},
        "unassigned": int(nobody.sum()),
    }


def _add_knowledge(figures: dict[str | None, dict[str, Figure]], knowledge: pl.DataFrame) -> None:
    sums = pl.col("earned", "possible", "questions", "passed").sum()
    everybody = knowledge.select(sums, checks=pl.len(), agent_id=pl.lit(VENDOR, dtype=pl.String))
    agents = knowledge.group_by("agent_id").agg(sums, checks=pl.len())
    for due in (*everybody.iter_rows(named=True), *agents.iter_rows(named=True)):
        figures.setdefault(due["agent_id"], {}).update(
            knowledge_score=RateFigure(due["earned"], due["possible"], volume=due["questions"]),
            knowledge_pass_rate=RateFigure(due["passed"], due["checks"], volume=due["questions"]),
        )


def _scores(figures: dict[str, Figure], survey: Document, policy: Policy, minimum: int) -> Document:
    ids = (*(metric.id for metric in METRICS), *KNOWLEDGE_METRICS)
    complete = {metric: figures.get(metric) or _nothing(metric) for metric in ids}
    document = scores_document(score(complete, policy, minimum), complete, policy)
    metrics = document["metrics"]
    assert isinstance(metrics, dict)  # noqa: S101  for the type checker: made just above
    metrics["csat"]["survey"] = survey
    return document


def _nothing(metric: str) -> Figure:
    if metric in PERCENTILES:
        return PercentileFigure(None, 0, 0, 0, None)
    return RateFigure(0, 0)


def _surveys(facts: pl.DataFrame) -> dict[str | None, Document]:
    """Beside satisfaction always stands how many were asked."""
    base = facts.filter("in_base").select("resolution_agent", "csat_invited", "csat_answered")
    sums = pl.col("csat_invited", "csat_answered").sum()
    by_agent = base.drop_nulls("resolution_agent").group_by("resolution_agent").agg(sums)
    return {
        VENDOR: _survey(*base.select(sums).row(0)),
        **{agent: _survey(*asked) for agent, *asked in by_agent.iter_rows()},
    }


def _survey(invited: int, answered: int) -> Document:
    return {"invited": invited, "answered": answered, "response_rate": share(answered, invited)}


def _fingerprint(
    in_month: pl.DataFrame,
    contacts: pl.DataFrame,
    knowledge: pl.DataFrame,
    agents: list[str],
    inputs: Inputs,
) -> str:
    """SHA-256 over the records that were read, in a canonical order and form.

    First the month's interactions by account and id, as the hashes of their contents; then, each
    as a line of JSON: the customers' other contacts, as far as they are looked at; the knowledge
    results; the agents' names; and the aliases of these agents, which decide who is credited.
    """
    digest = hashlib.sha256(b"vendorwatch/records/1\n")
    ordered = in_month.sort("source_account", "interaction_id")
    digest.update(b"".join(ordered["content_sha256"].to_list()))
    others = contacts.join(
        in_month.with_columns(vendor_id=pl.lit(inputs.vendor_id)),
        on=["vendor_id", "source_account", "interaction_id"],
        how="anti",
    ).select(
        "vendor_id",
        "source_account",
        "interaction_id",
        "opened_at",
        pl.col("customer_ref").bin.encode("hex"),
        pl.col("order_ref").bin.encode("hex"),
        "topic",
    )
    for rows in (
        others.sort("vendor_id", "source_account", "interaction_id").rows(),
        knowledge.sort(knowledge.columns).rows(),
        [(agent, inputs.names.get(agent)) for agent in agents],
        sorted((alias, agent) for alias, agent in inputs.aliases.items() if agent in set(agents)),
    ):
        digest.update(canonical_json(rows).encode() + b"\n")
    return digest.hexdigest()
