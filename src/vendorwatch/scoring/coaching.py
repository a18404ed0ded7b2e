"""What an agent's own page tells besides figures: reply times, topics, and what to read.

Counted from the same facts as the figures, of all agents at once.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

import polars as pl

from vendorwatch.periods import SECOND
from vendorwatch.scoring.credit import CREDIT
from vendorwatch.scoring.document import Document
from vendorwatch.scoring.frames import Part
from vendorwatch.scoring.inputs import Inputs
from vendorwatch.scoring.measured import Measured, measure
from vendorwatch.scoring.reading_list import reading_lists
from vendorwatch.scoring.targets import explained
from vendorwatch.scoring.yardstick import Span

BUCKETS_PER_DECADE = 12
"""Bucket 0 holds spans below a second, bucket b those of 10^((b-1)/12) seconds and more, up to the
beginning of the next one."""

_DECADES = 7  # ten million seconds: nearly four months
_EDGES = pl.Series(
    [
        int((Decimal(10) ** (Decimal(step) / BUCKETS_PER_DECADE) * SECOND).to_integral_value())
        for step in range(_DECADES * BUCKETS_PER_DECADE)
    ],
    dtype=pl.Int64,
)


def coaching(inputs: Inputs, agents: Collection[str]) -> dict[str, Document]:
    """`replies`, `topics` and `to_read` of each of these agents: see docs/reference."""
    measured = measure(inputs)
    first_reply = Span(
        "first_reply", inputs.policy.policy.targets["first_reply"], "opened_at", "replied_at"
    )
    timed = explained(measured.facts, first_reply, measured.clocks, inputs.as_of)
    replies = _replies(timed)
    topics = _topics(measured, inputs)
    to_read = reading_lists(measured, timed, agents)
    return {
        agent: {
            "replies": replies.get(agent, []),
            "topics": topics.get(agent, []),
            "to_read": to_read[agent],
        }
        for agent in agents
    }


def _replies(timed: pl.DataFrame) -> dict[str, list[Document]]:
    """By agent, channel by channel: how long first replies took, and how many there are not."""
    who, on_time = CREDIT["response"], pl.col("response_part") == int(Part.NUMERATOR)
    late = pl.col("response_part") == int(Part.DENOMINATOR)
    reached = pl.col("response_span").is_not_null()
    known = timed.filter(
        pl.col(who).is_not_null() & (pl.col("response_part") != int(Part.MISSING))
    ).with_columns(pl.col(who, "channel").cast(pl.String))
    found: dict[str, list[Document]] = defaultdict(list)
    buckets = _buckets(known.filter(reached & (on_time | late)), who, on_time)
    by_channel = (
        known.group_by(who, "channel")
        .agg(
            n=(on_time | late).sum(),
            on_time=on_time.sum(),
            given_up=pl.col("given_up").sum(),
            unanswered=(late & ~reached & ~pl.col("given_up")).sum(),
            pending=(pl.col("response_part") == int(Part.PENDING)).sum(),
            least=pl.col("target").min(),
            most=pl.col("target").max(),
        )
        .sort(who, "channel")
    )
    for row in by_channel.iter_rows(named=True):
        agent, least, most = row.pop(who), row.pop("least"), row.pop("most")
        targets = None if least is None else [least // SECOND, most // SECOND]
        times = buckets.get((agent, row["channel"]), [])
        found[agent].append({**row, "targets": targets, "times": times})
    return found


def _buckets(
    replied: pl.DataFrame, who: str, on_time: pl.Expr
) -> Mapping[tuple[str, str], list[list[int]]]:
    """`[bucket, on time, late]` of each bucket with a reply."""
    found: dict[tuple[str, str], list[list[int]]] = defaultdict(list)
    counted = (
        replied.with_columns(bucket=_EDGES.search_sorted(replied["response_span"], side="right"))
        .group_by(who, "channel", "bucket")
        .agg(on_time=on_time.sum(), n=pl.len())
        .sort(who, "channel", "bucket")
    )
    for agent, channel, bucket, met, n in counted.iter_rows():
        found[agent, channel].append([bucket, met, n - met])
    return found


def _topics(measured: Measured, inputs: Inputs) -> dict[str, list[Document]]:
    """By agent and topic: contacts of the month that count, and questions asked lately."""
    facts = measured.facts.with_columns(topic=measured.records["topic"][measured.facts["row"]])
    replied, resolved = CREDIT.values()
    worked_on = (
        pl.concat(
            [
                facts.select("row", "topic", agent=pl.col(replied).cast(pl.String)),
                facts.filter("in_base").select(
                    "row", "topic", agent=pl.col(resolved).cast(pl.String)
                ),
            ]
        )
        .drop_nulls()
        .unique()
        .group_by("agent", "topic")
        .len()
    )
    answers = (
        inputs.answers.with_columns(pl.col("agent_id").replace(inputs.aliases))
        .group_by("agent_id", "topic")
        .agg(asked=pl.len(), right=pl.col("right").sum())
    )
    told: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for agent, topic, contacts in worked_on.iter_rows():
        told[agent][topic] = {"topic": topic, "contacts": contacts, "asked": 0, "right": 0}
    for agent, topic, asked, right in answers.iter_rows():
        there = told[agent].setdefault(topic, {"topic": topic, "contacts": 0})
        there |= {"asked": asked, "right": right}
    return {agent: [each[topic] for topic in sorted(each)] for agent, each in told.items()}
