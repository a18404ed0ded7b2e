"""What scoring reads: the columns of its frames, and the part an interaction plays in a figure."""

from collections.abc import Mapping
from enum import IntEnum

import polars as pl

from vendorwatch.scoring.words import CHANNELS, DIRECTIONS, PRIORITIES, RESOLVERS, STATUSES

Schema = Mapping[str, pl.DataType | type[pl.DataType]]

INTERACTIONS: Schema = {
    "source_account": pl.String,
    "interaction_id": pl.String,
    "content_sha256": pl.Binary,
    "channel": pl.Enum(CHANNELS),
    "direction": pl.Enum(DIRECTIONS),
    "status": pl.Enum(STATUSES),
    "priority": pl.Enum(PRIORITIES),
    "opened_at": pl.Int64,
    "first_reply_at": pl.Int64,
    "resolved_at": pl.Int64,
    "abandoned_at": pl.Int64,
    "first_reply_known": pl.Boolean,
    "resolution_known": pl.Boolean,
    "agent_id": pl.String,
    "first_reply_agent_id": pl.String,
    "resolved_by_agent_id": pl.String,
    "resolved_by": pl.Enum(RESOLVERS),
    "customer_ref": pl.Binary,
    "order_ref": pl.Binary,
    "topic": pl.String,
    "reopens": pl.Int64,
    "handovers": pl.Int64,
    "csat_invited_at": pl.Int64,
    "csat_at": pl.Int64,
    "csat": pl.Int64,
    "next_replies": pl.String,
}
"""One engagement's interactions in force. Instants are integer microseconds UTC. What has few values
is an Enum: it takes a byte, and compares like a number.

`next_replies` is JSON, `[[asked_at, answered_at or null], ...]`: each run of customer messages
after the first reply; null where the log has no events.
"""

CONTACTS: Schema = {
    "vendor_id": pl.String,
    "source_account": pl.String,
    "interaction_id": pl.String,
    "channel": pl.Enum(CHANNELS),
    "direction": pl.Enum(DIRECTIONS),
    "status": pl.Enum(STATUSES),
    "opened_at": pl.Int64,
    "first_reply_at": pl.Int64,
    "abandoned_at": pl.Int64,
    "customer_ref": pl.Binary,
    "order_ref": pl.Binary,
    "topic": pl.String,
}
"""Interactions in force of all engagements of the merchant: among them a repeat is looked for.

Which of them a computation is given: scoring.inputs.
"""

KNOWLEDGE = {
    "agent_id": pl.String,
    "check_id": pl.String,
    "questions": pl.Int64,
    "possible": pl.Int64,
    "earned": pl.Int64,
    "passed": pl.Boolean,
    "excused": pl.Boolean,
}
"""Checks due in the month, one row for each agent who was assigned one."""

ANSWERS = {
    "agent_id": pl.String,
    "topic": pl.String,
    "right": pl.Boolean,
}
"""Questions of the counted attempts that were submitted in the 180 days before the as-of instant,
one row for each agent and question."""

REVIEWS = {
    "source_account": pl.String,
    "interaction_id": pl.String,
    "review_id": pl.String,
    "reviewed_at": pl.Int64,
    "share": pl.String,
}
"""The merchant's random and stratified reviews; `share` is an exact fraction, `17/20`."""


def distinct(frame: pl.DataFrame, *columns: str) -> dict[str, pl.Series]:
    """The values of each column, ascending, without null."""
    found = frame.select(pl.col(columns).drop_nulls().unique().sort().implode())
    return {column: found[column].explode(empty_as_null=False) for column in columns}


class Part(IntEnum):
    """What an interaction does in one metric; null: it has nothing to do with it."""

    NUMERATOR = 0  # counts in numerator and denominator
    DENOMINATOR = 1  # counts in the denominator alone
    PENDING = 2  # not due yet, or its window is still open: in neither
    MISSING = 3  # the log does not say: in neither


VALUED = (Part.NUMERATOR, Part.DENOMINATOR)
"""The parts that a value is made of."""


def part(value: Part) -> pl.Expr:
    return pl.lit(int(value), dtype=pl.Int8)
