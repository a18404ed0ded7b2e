"""From records to what every figure is counted from: the frames of one month."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import polars as pl

from vendorwatch.periods import Micros
from vendorwatch.scoring.clock import Clocks
from vendorwatch.scoring.credit import CREDIT, Credit
from vendorwatch.scoring.customers import CUSTOMER_CODES, customer_codes
from vendorwatch.scoring.facts import exclusion, with_facts, with_next_replies
from vendorwatch.scoring.frames import CONTACTS, as_codes
from vendorwatch.scoring.inputs import Inputs
from vendorwatch.scoring.policy import CHANNELS
from vendorwatch.scoring.repeats import repeated

_OF_MONTH = (
    "source_account",
    "interaction_id",
    "content_sha256",
    "opened_at",
    "excluded",
    *CREDIT.values(),
)
_OF_FACTS = (
    "source_account",
    "interaction_id",
    "channel",
    "priority",
    "status",
    "opened_at",
    "first_reply_at",
    "resolved_at",
    "abandoned_at",
    "first_reply_known",
    "resolution_known",
    "resolved_by",
    *CUSTOMER_CODES,
    "order_ref",
    "topic",
    "reopens",
    "handovers",
    "csat_invited_at",
    "csat_at",
    "csat",
    "next_replies",
    *CREDIT.values(),
)
_OF_NEXT_REPLIES = (
    "source_account",
    "interaction_id",
    "opened_at",
    "response_agent",
    "stratum",
    "target_code",
    "next_replies",
)


@dataclass(frozen=True)
class Measured:
    """`in_month` holds all interactions of the month, with `excluded` (why, or null).

    `facts` are the ones that are not excluded, with the columns of facts.with_facts, `repeated` and
    `stratum` (channel and topic, as a number below `strata`); `next_replies` see
    facts.with_next_replies; `reviews` are frames.REVIEWS beside the facts of their interactions.
    Whom a reply and a resolution are credited to,
    response_agent and resolution_agent, is an Enum of agents.
    """

    inputs: Inputs
    in_month: pl.DataFrame
    facts: pl.DataFrame
    next_replies: pl.DataFrame
    reviews: pl.DataFrame
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
    start, end = inputs.month.bounds(inputs.zone)
    opened = pl.col("opened_at")
    is_in_month = opened.is_between(start, end, closed="left") & (opened <= as_of)
    records = inputs.interactions.filter(is_in_month)
    topics = records["topic"].drop_nulls().unique().sort()
    clocks = Clocks(inputs.policy.calendars, inputs.zone, start, max(as_of, start))
    credit = Credit.of(records, inputs.aliases)
    in_month = as_codes(records).with_columns(
        *credit.columns(), *customer_codes(), excluded=exclusion(as_of, policy)
    )
    scored = in_month.filter(pl.col("excluded").is_null())
    facts = with_facts(
        scored.select(*_OF_FACTS, stratum=_stratum(topics)),
        as_of=as_of,
        policy=policy,
        clocks=clocks,
    )
    contacts = _contacts_elsewhere(inputs, inputs.interactions.filter(~is_in_month), start)
    with ThreadPoolExecutor(1) as beside:  # what is sorted there, and parsed here, takes a core
        followed = beside.submit(repeated, _asked(inputs, facts), contacts)
        next_replies = with_next_replies(
            facts.select(*_OF_NEXT_REPLIES), as_of=as_of, policy=policy, clocks=clocks
        )
        reviews = _reviews(inputs.reviews, facts, as_of)
    return Measured(
        inputs=inputs,
        in_month=in_month.select(*_OF_MONTH),
        facts=facts.with_columns(repeated=followed.result()),
        next_replies=next_replies,
        reviews=reviews,
        topics=topics,
        clocks=clocks,
    )


def _asked(inputs: Inputs, facts: pl.DataFrame) -> pl.DataFrame:
    """Of all that may be repeats of one another, the resolved ones are asked about."""
    return facts.select(
        "source_account",
        "interaction_id",
        "opened_at",
        *CUSTOMER_CODES,
        "topic",
        "order_ref",
        vendor_id=pl.lit(inputs.vendor_id),
        window_end=pl.when("resolved").then("window_end"),
    )


def _stratum(topics: pl.Series) -> pl.Expr:
    channel = pl.col("channel").to_physical().cast(pl.UInt32)
    topic = pl.col("topic").cast(pl.Enum(topics)).to_physical().cast(pl.UInt32) + 1
    return topic.fill_null(0) * len(CHANNELS) + channel


def _contacts_elsewhere(inputs: Inputs, own_later: pl.DataFrame, start: Micros) -> pl.DataFrame:
    """Of other vendors, and of this one outside of the month; nothing else of them is looked at."""
    own = own_later.with_columns(vendor_id=pl.lit(inputs.vendor_id)).select(*CONTACTS)
    return (
        as_codes(pl.concat([inputs.contacts, own]))
        .filter(
            pl.col("opened_at").is_between(start, inputs.as_of)
            & pl.col("customer_ref").is_not_null()
            & exclusion(inputs.as_of, inputs.policy.policy).is_null()
        )
        .with_columns(customer_codes())
    )


def _reviews(reviews: pl.DataFrame, facts: pl.DataFrame, as_of: Micros) -> pl.DataFrame:
    """Reviews of resolved and unresolved ones alike, but of none that the customer gave up."""
    reviewed = (
        facts.lazy()
        .filter("in_base")
        .select("source_account", "interaction_id", "opened_at", "resolution_agent")
    )
    # By one text and then the other: two at once would have to be packed for every interaction.
    return (
        reviews.lazy()
        .filter(pl.col("reviewed_at") <= as_of)
        .join(reviewed, on="interaction_id", suffix="_reviewed")
        .filter(pl.col("source_account") == pl.col("source_account_reviewed"))
        .drop("source_account_reviewed")
        .collect()
    )
