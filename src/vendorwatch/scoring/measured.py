"""From records to what every figure is counted from: the frames of one month."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import polars as pl

from vendorwatch.periods import Micros
from vendorwatch.scoring.clock import Clocks
from vendorwatch.scoring.credit import CREDIT, Credit
from vendorwatch.scoring.customers import CUSTOMER_CODES, with_customer_codes
from vendorwatch.scoring.facts import exclusion, with_next_replies, with_states, with_times
from vendorwatch.scoring.frames import CONTACTS, as_codes
from vendorwatch.scoring.inputs import Inputs
from vendorwatch.scoring.metrics import METRICS, RATES, Percentile
from vendorwatch.scoring.policy import CHANNELS
from vendorwatch.scoring.repeats import LOOKED_UP, Contacts, repeated
from vendorwatch.scoring.spans import Spans
from vendorwatch.scoring.target_codes import target_code

_OF_MONTH = ("opened_at", "excluded", *CREDIT.values())
_OF_FACTS = (
    "opened_at",
    "channel",
    "stratum",
    "target_code",
    *CREDIT.values(),
    "first_reply_known",
    "resolution_known",
    "replied",
    "given_up",
    "resolved",
    "in_base",
    "csat_answered",
    "csat_invited",
    "customer_known",
    "has_events",
    "no_topic",
    "reopened",
    "handed_over",
    "satisfied",
    "replied_at",
    "settled_at",
    "window_end",
    "window_complete",
)
_OF_NEXT_REPLIES = ("row", "opened_at", "response_agent", "stratum", "target_code", "next_replies")


@dataclass(frozen=True)
class Measured:
    """`records` are frames.INTERACTIONS of the month; `in_month`, row by row beside them, has
    `excluded` (why, or null).

    `facts` are of the ones that are not excluded: `row` (where each stands among the records), the
    columns of facts.with_states and with_times, `repeated` and `stratum` (channel and topic, as a
    number below `strata`). `next_replies` see facts.with_next_replies; `reviews` are frames.REVIEWS
    with what stands in in_month of their interactions; both have `row`, too. `spans`, by the rate
    over which percentiles are taken, are those of the facts in order. Whom a reply and a resolution
    are credited to, response_agent and resolution_agent, is an Enum of agents.
    """

    inputs: Inputs
    records: pl.DataFrame
    in_month: pl.DataFrame
    facts: pl.DataFrame
    next_replies: pl.DataFrame
    reviews: pl.DataFrame
    spans: Mapping[str, Spans]
    topics: pl.Series
    clocks: Clocks

    @property
    def strata(self) -> int:
        return (len(self.topics) + 1) * len(CHANNELS)

    @property
    def counts_next_replies(self) -> bool:
        """Without a target for them nothing is said about them, not even that it is missing."""
        return "next_reply" in self.inputs.policy.policy.targets


def measure(inputs: Inputs) -> Measured:
    policy, as_of = inputs.policy.policy, inputs.as_of
    start, _ = inputs.month.bounds(inputs.zone)
    records = inputs.interactions.filter(is_in_month(inputs))
    topics = records["topic"].drop_nulls().unique().sort()
    clocks = Clocks(inputs.policy.calendars, inputs.zone, start, max(as_of, start))
    credit = Credit.of(records, inputs.aliases)
    states = with_states(
        with_customer_codes(as_codes(records)).with_columns(
            *credit.columns(), target_code(), stratum=_stratum(topics)
        ),
        as_of=as_of,
        policy=policy,
    ).with_row_index("row")
    is_scored = states["excluded"].is_null()
    facts = with_times(
        states.select("row", *_OF_FACTS).filter(is_scored),
        as_of=as_of,
        policy=policy,
        clocks=clocks,
    )
    asked = _asked(inputs, states)
    others = _contacts_elsewhere(inputs, inputs.interactions.filter(~is_in_month(inputs)), start)
    with ThreadPoolExecutor(1) as beside:  # either takes a core
        followed = beside.submit(repeated, asked, others)
        next_replies = with_next_replies(
            states.select(*_OF_NEXT_REPLIES).filter(is_scored & states["has_events"]),
            as_of=as_of,
            policy=policy,
            clocks=clocks,
        )
        reviews = _reviews(inputs.reviews, records, states, as_of)
        spans = _spans(facts)
    return Measured(
        inputs=inputs,
        records=records,
        in_month=states.select(*_OF_MONTH),
        facts=facts.with_columns(repeated=followed.result().filter(is_scored)),
        next_replies=next_replies,
        reviews=reviews,
        spans=spans,
        topics=topics,
        clocks=clocks,
    )


def is_in_month(inputs: Inputs) -> pl.Expr:
    """Whether an interaction was opened in the month, and by the as-of instant."""
    start, end = inputs.month.bounds(inputs.zone)
    opened = pl.col("opened_at")
    return opened.is_between(start, end, closed="left") & (opened <= inputs.as_of)


def _spans(facts: pl.DataFrame) -> dict[str, Spans]:
    needed = {
        metric.of: (RATES[metric.of].part, metric.span, CREDIT[metric.dimension])
        for metric in METRICS
        if isinstance(metric, Percentile)
    }
    return {rate: Spans.of(facts, *each) for rate, each in needed.items()}


def _asked(inputs: Inputs, states: pl.DataFrame) -> Contacts:
    """Of all that may be repeats of one another, the resolved ones are asked about."""
    return Contacts(
        states.select(
            pl.when(pl.col("excluded").is_null()).then(CUSTOMER_CODES[0]),
            CUSTOMER_CODES[1],
            "opened_at",
            window_end=pl.when("resolved").then("window_end"),
        ),
        states.select(*LOOKED_UP, vendor_id=pl.lit(inputs.vendor_id)),
    )


def _stratum(topics: pl.Series) -> pl.Expr:
    channel = pl.col("channel").to_physical().cast(pl.UInt32)
    topic = pl.col("topic").cast(pl.Enum(topics)).to_physical().cast(pl.UInt32) + 1
    return topic.fill_null(0) * len(CHANNELS) + channel


def _contacts_elsewhere(inputs: Inputs, own_later: pl.DataFrame, start: Micros) -> Contacts:
    """Of other vendors, and of this one outside of the month; nothing else of them is looked at."""
    own = own_later.with_columns(vendor_id=pl.lit(inputs.vendor_id)).select(*CONTACTS)
    found = with_customer_codes(
        as_codes(pl.concat([inputs.contacts, own])).filter(
            pl.col("opened_at").is_between(start, inputs.as_of)
            & pl.col("customer_ref").is_not_null()
            & exclusion(inputs.as_of, inputs.policy.policy).is_null()
        )
    )
    return Contacts(
        found.select(*CUSTOMER_CODES, "opened_at", window_end=pl.lit(None, pl.Int64)),
        found.select(*LOOKED_UP, "vendor_id"),
    )


def _reviews(
    reviews: pl.DataFrame, records: pl.DataFrame, states: pl.DataFrame, as_of: Micros
) -> pl.DataFrame:
    """Reviews of resolved and unresolved ones alike, but of none that the customer gave up."""
    # By one text and then the other: two at once would have to be packed for every interaction.
    found = (
        reviews.lazy()
        .filter(pl.col("reviewed_at") <= as_of)
        .join(
            records.lazy().select("source_account", "interaction_id").with_row_index("row"),
            on="interaction_id",
            suffix="_reviewed",
        )
        .filter(pl.col("source_account") == pl.col("source_account_reviewed"))
        .drop("source_account_reviewed")
        .collect()
    )
    of_them = states.select(*_OF_MONTH, "in_base")[found["row"]]
    return (
        pl.concat([found, of_them], how="horizontal")
        .filter(pl.col("excluded").is_null() & pl.col("in_base"))
        .drop("excluded", "in_base")
    )
