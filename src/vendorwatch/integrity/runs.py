"""Many short interactions of one customer on end: perhaps one long one, cut in pieces."""

import msgspec
import polars as pl

from vendorwatch.integrity.log import Log
from vendorwatch.integrity.measure import is_material
from vendorwatch.periods import SECOND, Micros

WITHIN: Micros = 3_600 * SECOND
LEAST = 3
MOST_RUNS = MOST_IDS = 20
_ORDER = ("opened_at", "source_account", "interaction_id")


class InteractionKey(msgspec.Struct, frozen=True, kw_only=True):
    source_account: str
    interaction_id: str


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """Of one customer. `agent_ids` and `begins_with` are in the order of time; of a long run they are
    the first ones.
    """

    first_opened_at: Micros
    last_opened_at: Micros
    interactions: int
    agent_ids: list[str]
    begins_with: list[InteractionKey]


class Runs(msgspec.Struct, frozen=True, kw_only=True):
    """`interactions` are in a run, `of` all those of a known customer that enter a metric;
    `longest` are the longest runs.
    """

    flagged: bool
    runs: int
    interactions: int
    of: int
    longest: list[Run]


def runs(log: Log) -> Runs:
    """A run: LEAST interactions of a customer or more, each opened WITHIN the one before."""
    contacts = (
        log.interactions.filter(pl.col("excluded").is_null() & pl.col("customer_ref").is_not_null())
        .select("customer_ref", *_ORDER, "agent_id")
        .sort("customer_ref", *_ORDER)
    )
    of_another = pl.col("customer_ref") != pl.col("customer_ref").shift(1)
    later = pl.col("opened_at") - pl.col("opened_at").shift(1) > WITHIN
    begins = (of_another | later).fill_null(value=True)
    numbered = contacts.with_columns(run=begins.cum_sum())
    in_runs = numbered.filter(pl.len().over("run") >= LEAST)
    found = (
        in_runs.group_by("run")
        .agg(
            first_opened_at=pl.col("opened_at").min(),
            last_opened_at=pl.col("opened_at").max(),
            interactions=pl.len(),
            agent_ids=pl.col("agent_id").drop_nulls().unique(maintain_order=True).head(MOST_IDS),
            begins_with=pl.struct("source_account", "interaction_id").head(MOST_IDS),
        )
        .sort("interactions", "first_opened_at", "run", descending=[True, False, False])
        .drop("run")
    )
    return Runs(
        flagged=is_material(in_runs.height, contacts.height),
        runs=found.height,
        interactions=in_runs.height,
        of=contacts.height,
        longest=msgspec.convert(found.head(MOST_RUNS).to_dicts(), list[Run]),
    )
