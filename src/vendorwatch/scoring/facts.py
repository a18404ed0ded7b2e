"""What had happened to each interaction by the as-of instant, and how long it took.

The one place that looks at raw instants; every metric is counted from what stands here.
"""

import polars as pl

from vendorwatch.periods import DAY, SECOND, Micros
from vendorwatch.scoring.clock import Clocks
from vendorwatch.scoring.frames import Part, part
from vendorwatch.scoring.policy import Policy
from vendorwatch.scoring.targets import timed
from vendorwatch.scoring.yardstick import Span

EXCLUSIONS = ("outbound", "spam", "merged", "withdrawn", "short_abandoned")
"""Why an interaction enters no metric; the first that applies is the one that is counted."""


_SATISFIED = 4  # of 5


def exclusion(as_of: Micros, policy: Policy) -> pl.Expr:
    """One of EXCLUSIONS as an Enum, or null. Needs columns of frames.CONTACTS only."""
    short = (
        pl.col("channel").is_in(["phone", "chat"])
        & _given_up(as_of)
        & (pl.col("abandoned_at") <= as_of)
        & (pl.col("abandoned_at") - pl.col("opened_at") <= policy.short_abandon_seconds * SECOND)
    ).fill_null(value=False)
    kind = pl.Enum(EXCLUSIONS)
    because: pl.Expr = pl.when(short).then(pl.lit("short_abandoned", kind))
    for status in ("withdrawn", "merged", "spam"):
        because = pl.when(pl.col("status") == status).then(pl.lit(status, kind)).otherwise(because)
    is_outbound = pl.col("direction") == "outbound"
    return pl.when(is_outbound).then(pl.lit("outbound", kind)).otherwise(because)


def with_states(records: pl.DataFrame, *, as_of: Micros, policy: Policy) -> pl.DataFrame:
    """Adds to interactions how each stood at the as-of instant:

    excluded; replied, given_up, resolved, in_base (not given up), csat_answered, csat_invited,
    customer_known, has_events, no_topic (Boolean); reopened, handed_over, satisfied (Boolean, null:
    not known); replied_at and settled_at (null: not by then); window_end (instant), window_complete.
    """
    invited = _by(as_of, "csat_invited_at")
    return (
        records.with_columns(
            excluded=exclusion(as_of, policy),
            replied=_by(as_of, "first_reply_at"),
            given_up=_given_up(as_of),
            resolved=_resolved(as_of),
            csat_answered=pl.col("csat").is_not_null()
            & (pl.col("csat_at").fill_null(as_of) <= as_of),
            customer_known=pl.col("customer_ref").is_not_null(),
            has_events=pl.col("next_replies").is_not_null(),
            no_topic=pl.col("topic").is_null(),
            reopened=pl.col("reopens") > 0,
            handed_over=pl.col("handovers") > 0,
            satisfied=pl.col("csat") >= _SATISFIED,
        )
        .with_columns(
            in_base=~pl.col("given_up"),
            csat_invited=invited | pl.col("csat_answered"),
            replied_at=pl.when("replied").then("first_reply_at"),
            settled_at=pl.when("resolved").then("resolved_at"),
        )
        .with_columns(
            window_end=pl.coalesce("settled_at", "opened_at") + policy.repeat_window_days * DAY
        )
        .with_columns(window_complete=pl.col("window_end") <= as_of)
    )


def with_times(
    scored: pl.DataFrame, *, as_of: Micros, policy: Policy, clocks: Clocks
) -> pl.DataFrame:
    """Adds to interactions that are not excluded, with target_code: response_span, resolution_span
    (microseconds on the clock that the target names; null where the end has not been reached);
    response_part and resolution_part (Part).
    """
    spans = [
        Span("response", policy.targets["first_reply"], "opened_at", "replied_at"),
        Span("resolution", policy.targets["resolution"], "opened_at", "settled_at"),
    ]
    return timed(scored, spans, clocks, as_of).with_columns(
        response_part=pl.when(~pl.col("first_reply_known"))
        .then(part(Part.MISSING))
        .when("given_up")
        .then(part(Part.DENOMINATOR))
        .otherwise("response_part"),
        resolution_part=pl.when(~pl.col("resolution_known"))
        .then(part(Part.MISSING))
        .otherwise("resolution_part"),
    )


def with_next_replies(
    told: pl.DataFrame, *, as_of: Micros, policy: Policy, clocks: Clocks
) -> pl.DataFrame:
    """One row for each time that a customer asked again by the as-of instant, beside what else is
    told of the interaction; the column next_replies is not null.

    Adds asked_at, answered_at (null: not by then), next_reply_span, next_reply_part and is_first
    (once for each interaction). Empty if the policy has no target for next replies.
    """
    targets = policy.targets.get("next_reply")
    asked = (
        _runs(told if targets else told.clear())
        .filter(pl.col("asked_at") <= as_of)
        .with_columns(answered_at=pl.when(_by(as_of, "answered_at")).then("answered_at"))
    )
    if targets is None:
        nothing = {"next_reply_span": pl.Int64, "next_reply_part": pl.Int8}
        return asked.with_columns(pl.lit(None, kind).alias(name) for name, kind in nothing.items())
    spans = [Span("next_reply", targets, "asked_at", "answered_at")]
    return timed(asked, spans, clocks, as_of)


def _runs(told: pl.DataFrame) -> pl.DataFrame:
    """A row for each pair of `[[asked_at,answered_at],...]`.

    It is our own canonical JSON, so it can be cut at its commas: in half the time of parsing it.
    """
    pair = pl.col("run").str.split_exact(",", 1)
    answered_at = pair.struct.field("field_1")
    inside = pl.col("next_replies").str.strip_prefix("[[").str.strip_suffix("]]")
    return (
        told.filter(pl.col("next_replies") != "[]")
        .with_columns(run=inside.str.split("],["))
        .drop("next_replies")
        .with_row_index("interaction")
        .explode("run", empty_as_null=False)
        .with_columns(
            is_first=pl.col("interaction").ne_missing(pl.col("interaction").shift(1)),
            asked_at=pair.struct.field("field_0").cast(pl.Int64),
            answered_at=pl.when(answered_at != "null").then(answered_at).cast(pl.Int64),
        )
        .drop("run", "interaction")
    )


def _by(as_of: Micros, column: str) -> pl.Expr:
    """Whether it happened by the as-of instant: what happened later has not happened."""
    return (pl.col(column) <= as_of).fill_null(value=False)


def _given_up(as_of: Micros) -> pl.Expr:
    left = pl.col("abandoned_at").fill_null(as_of) <= as_of
    return (pl.col("status") == "abandoned") & ~_by(as_of, "first_reply_at") & left


def _resolved(as_of: Micros) -> pl.Expr:
    return (
        _by(as_of, "resolved_at")
        & pl.col("status").is_in(["resolved", "closed"])
        & (pl.col("resolved_by") != "automation")
    )
