"""Interactions that enter no metric: a log can call any of them so."""

from fractions import Fraction

import msgspec
import polars as pl

from vendorwatch.integrity.log import Log
from vendorwatch.integrity.measure import is_material

REASONS = ("outbound", "spam", "merged", "withdrawn", "short_abandoned")
"""The scorecard's, in its order."""

MOST_AGENTS = 50
MANY = Fraction(1, 10)


class AgentsLeftOut(msgspec.Struct, frozen=True, kw_only=True):
    agent_id: str
    left_out: int
    of: int


class LeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """`of` are all of the month. `agents` are those who are accountable for the most of them."""

    flagged: bool
    interactions: int
    of: int
    reasons: dict[str, int]
    agents: list[AgentsLeftOut]


def left_out(log: Log) -> LeftOut:
    told = log.interactions.select("agent_id", reason=pl.col("excluded").cast(pl.String))
    counts = dict(told["reason"].drop_nulls().value_counts().iter_rows())
    agents = (
        told.drop_nulls("agent_id")
        .group_by("agent_id")
        .agg(left_out=pl.col("reason").count(), of=pl.len())
        .filter(pl.col("left_out") > 0)
        .sort("left_out", "agent_id", descending=[True, False])
        .head(MOST_AGENTS)
    )
    total = sum(counts.values())
    return LeftOut(
        flagged=is_material(total, told.height, MANY),
        interactions=total,
        of=told.height,
        reasons={reason: counts.get(reason, 0) for reason in REASONS},
        agents=msgspec.convert(agents.to_dicts(), list[AgentsLeftOut]),
    )
