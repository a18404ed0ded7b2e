"""From records to what every figure is counted from: the frames of one month."""

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from vendorwatch.periods import Micros
from vendorwatch.scoring.clock import Clocks
from vendorwatch.scoring.credit import CREDIT, NAMED, Credit
from vendorwatch.scoring.customers import CUSTOMER_CODES, customer, customer_codes
from vendorwatch.scoring.facts import exclusion, with_next_replies, with_states, with_times
from vendorwatch.scoring.frames import CONTACTS, distinct
from vendorwatch.scoring.inputs import Inputs
from vendorwatch.scoring.repeats import LOOKED_UP, Contacts, repeated
from vendorwatch.scoring.target_codes import target_code
from vendorwatch.scoring.words import CHANNELS

_STRATUM = (
    (pl.col("topic") + 1).fill_null(0) * len(CHANNELS)
    + pl.col("channel").to_physical().cast(pl.UInt32)
).alias("stratum")
_OF_MONTH = ("opened_at", "excluded", "in_base", *CREDIT.values())
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
    `excluded` (why, or null) and `in_base` (not given up).

    `timed` are of the ones that are not excluded: `row` (where each stands among the records), the
    columns of facts.with_states and with_times, and `stratum` (channel and topic, as a number below
    `strata`). `facts` are the same with `repeated`, which is looked for meanwhile: they wait for it.
    `told` are those of which events tell whether the customer asked again, and `next_replies` what
    they tell: see facts.with_next_replies. `reviews` are frames.REVIEWS with what stands in in_month
    of their interactions. Both have `row`, too. Whom a reply and a resolution are credited to,
    response_agent and resolution_agent, is an Enum of agents.
    """

    inputs: Inputs
    records: pl.DataFrame
    in_month: pl.DataFrame
    timed: pl.DataFrame
    told: pl.DataFrame
    repeats: Future[pl.Series]
    topics: pl.Series
    clocks: Clocks

    @cached_property
    def facts(self) -> pl.DataFrame:
        repeated = self.repeats.result().gather(self.timed["row"])
        return self.timed.with_columns(repeated=repeated)

    @cached_property
    def next_replies(self) -> pl.DataFrame:
        policy, as_of = self.inputs.policy.policy, self.inputs.as_of
        return with_next_replies(self.told, as_of=as_of, policy=policy, clocks=self.clocks)

    @cached_property
    def reviews(self) -> pl.DataFrame:
        return _reviews(self.inputs.reviews, self.records, self.in_month, self.inputs.as_of)

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
    records, later = of_month(inputs)
    topics = distinct(records, "topic")["topic"]
    clocks = Clocks(inputs.policy.calendars, inputs.zone, start, max(as_of, start))
    coded = (
        records.with_columns(_topic(topics), customer())
        .with_columns(customer_codes())
        .drop("customer")  # the widest of all
    )
    states = with_states(coded, as_of=as_of, policy=policy)
    beside = ThreadPoolExecutor(1)  # nothing takes longer: it is begun as early as can be
    repeats = beside.submit(
        repeated, _asked(inputs, states), _contacts_elsewhere(inputs, later, start, topics)
    )
    beside.shutdown(wait=False)
    credit = Credit.of(distinct(records, *NAMED).values(), inputs.aliases)
    states = states.with_columns(*credit.columns(), target_code(), _STRATUM).with_row_index("row")
    is_scored = states["excluded"].is_null()
    timed = with_times(
        states.select("row", *_OF_FACTS).filter(is_scored),
        as_of=as_of,
        policy=policy,
        clocks=clocks,
    )
    return Measured(
        inputs=inputs,
        records=records,
        in_month=states.select(*_OF_MONTH),
        timed=timed,
        told=states.select(*_OF_NEXT_REPLIES).filter(is_scored & states["has_events"]),
        repeats=repeats,
        topics=topics,
        clocks=clocks,
    )


def of_month(inputs: Inputs) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The interactions that were opened in the month and by the as-of instant, and the other ones."""
    start, end = inputs.month.bounds(inputs.zone)
    found = inputs.interactions
    opened = found["opened_at"]
    is_in_month = opened.is_between(start, end, closed="left") & (opened <= inputs.as_of)
    if is_in_month.all():  # as a rule: then nothing is copied
        return found, found.clear()
    return found.filter(is_in_month), found.filter(~is_in_month)


def _asked(inputs: Inputs, states: pl.DataFrame) -> Contacts:
    """Of all that may be repeats of one another, the resolved ones are asked about."""
    return Contacts(
        states.select(
            pl.when(pl.col("excluded").is_null()).then(CUSTOMER_CODES[0]),
            CUSTOMER_CODES[1],
            "opened_at",
            "topic",
            window_end=pl.when("resolved").then("window_end"),
        ),
        states.select(*LOOKED_UP, vendor_id=pl.lit(inputs.vendor_id)),
    )


def _topic(topics: pl.Series) -> pl.Expr:
    """As a number: those of the month, in their order, and one for all that are not among them."""
    known = pl.col("topic").cast(pl.Enum(topics), strict=False).to_physical().cast(pl.UInt32)
    other = pl.when(pl.col("topic").is_not_null()).then(pl.lit(len(topics), pl.UInt32))
    return pl.coalesce(known, other).alias("topic")


def _contacts_elsewhere(
    inputs: Inputs, own_later: pl.DataFrame, start: Micros, topics: pl.Series
) -> Contacts:
    """Of other vendors, and of this one outside of the month; nothing else of them is looked at."""
    own = own_later.with_columns(vendor_id=pl.lit(inputs.vendor_id)).select(*CONTACTS)
    found = (
        pl.concat([inputs.contacts, own])
        .filter(
            pl.col("opened_at").is_between(start, inputs.as_of)
            & pl.col("customer_ref").is_not_null()
            & exclusion(inputs.as_of, inputs.policy.policy).is_null()
        )
        .with_columns(_topic(topics), customer())
        .with_columns(customer_codes())
    )
    return Contacts(
        found.select(*CUSTOMER_CODES, "opened_at", "topic", window_end=pl.lit(None, pl.Int64)),
        found.select(*LOOKED_UP, "vendor_id"),
    )


def _reviews(
    reviews: pl.DataFrame, records: pl.DataFrame, in_month: pl.DataFrame, as_of: Micros
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
    return (
        pl.concat([found, in_month[found["row"]]], how="horizontal")
        .filter(pl.col("excluded").is_null() & pl.col("in_base"))
        .drop("excluded", "in_base")
    )
