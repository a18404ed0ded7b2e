"""Which interactions are behind a figure, and why each of them counts as it does."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from vendorwatch.periods import Micros
from vendorwatch.scoring.credit import CREDIT
from vendorwatch.scoring.frames import Part
from vendorwatch.scoring.inputs import Inputs
from vendorwatch.scoring.measured import Measured, measure
from vendorwatch.scoring.metrics import (
    DIMENSION_OF,
    METRICS,
    NEXT_REPLY,
    QUALITY,
    RATES,
    next_reply_unknown,
    rate_of,
)
from vendorwatch.scoring.policy import TargetKind
from vendorwatch.scoring.reasons import not_looked_at, reason
from vendorwatch.scoring.targets import explained
from vendorwatch.scoring.yardstick import Span

PartName = Literal["numerator", "denominator", "pending", "missing", "excluded"]
EXPLAINED = (*(metric.id for metric in METRICS), QUALITY)
"""The metrics that interactions are behind."""

_PARTS: Mapping[str, tuple[Part, ...]] = {
    "numerator": (Part.NUMERATOR,),
    "denominator": (Part.NUMERATOR, Part.DENOMINATOR),
    "pending": (Part.PENDING,),
    "missing": (Part.MISSING,),
}
_NAMES = ("source_account", "interaction_id")
_CLOCK = {
    "clock": pl.String(),
    "start": pl.Int64(),
    "end": pl.Int64(),
    "lasted": pl.Int64(),
    "target": pl.Int64(),
    "due": pl.Int64(),
}
_COLUMNS = {
    "source_account": pl.String(),
    "interaction_id": pl.String(),
    "opened_at": pl.Int64(),
    "agent_id": pl.String(),
    "part": pl.String(),
    "reason": pl.String(),
    **_CLOCK,
    "share": pl.String(),
    "review_id": pl.String(),
}


@dataclass(frozen=True, slots=True)
class ClockSpan:
    """`span` runs to the end, or to the as-of instant where there is none; either `target`, in
    microseconds, or the instant `due` says how long it may be.
    """

    clock: Literal["business", "calendar"]
    start: Micros
    end: Micros | None
    span: Micros
    target: Micros | None
    due: Micros | None


@dataclass(frozen=True, slots=True)
class Explained:
    """One interaction, or one next reply, in one figure."""

    source_account: str
    interaction_id: str
    opened_at: Micros
    agent_id: str | None
    part: PartName
    reason: str
    clock: ClockSpan | None
    share: str | None  # of a quality review, an exact fraction
    review_id: str | None


def explain(
    inputs: Inputs,
    metric: str,
    part: PartName,
    agent: str | None,
    *,
    start: int = 0,
    limit: int | None = None,
) -> list[Explained]:
    """What is behind the vendor's figure, or the agent's, by opened_at, account and id.

    `metric` is one of EXPLAINED. `denominator` holds the numerator, too. A percentile and a mean
    have no numerator. `start` leaves out so many, `limit` is how many there are at most.
    """
    if part == "numerator" and metric not in RATES:
        return []
    rows = _rows(measure(inputs), metric, part)
    if agent is not None:
        rows = rows.filter(pl.col("agent_id") == agent)
    asked = rows.sort(_ORDER).slice(start, limit)
    return [_explained(row) for row in asked.iter_rows(named=True)]


_ORDER = ["opened_at", "source_account", "interaction_id", "start", "end", "review_id"]


def _rows(measured: Measured, metric: str, part: PartName) -> pl.DataFrame:
    if part == "excluded":
        return _excluded(measured, metric)
    if metric == QUALITY:
        reviews = _reviews(measured)
        return reviews if part == "denominator" else reviews.clear()
    if metric == NEXT_REPLY.id and part != "missing":
        played = measured.next_replies.with_columns(played=NEXT_REPLY.part)
    else:
        played = measured.facts.with_columns(
            played=_part(measured, metric), answered_at=pl.lit(None, pl.Int64)
        )
    wanted = [int(each) for each in _PARTS[part]]
    chosen = played.filter(pl.col("played").is_in(wanted))
    names = {int(each): each.name.lower() for each in Part}
    if metric not in RATES:  # a percentile: all of them are what it is taken over
        names[int(Part.NUMERATOR)] = "denominator"
    return _shown(
        _with_clock(chosen, measured, metric, part).with_columns(
            part=pl.col("played").replace_strict(names, return_dtype=pl.String),
            reason=reason(metric),
        ),
        measured,
        metric,
    )


def _part(measured: Measured, metric: str) -> pl.Expr:
    if metric == NEXT_REPLY.id:
        told = measured.counts_next_replies
        return next_reply_unknown() if told else pl.lit(None, pl.Int8)
    return rate_of(metric).part


def _excluded(measured: Measured, metric: str) -> pl.DataFrame:
    """What is left out of everything, and what this metric does not look at."""
    in_month = measured.in_month.with_row_index("row")
    if metric == NEXT_REPLY.id and not measured.counts_next_replies:
        return _shown(in_month.clear(), measured, metric)
    everywhere = in_month.filter(pl.col("excluded").is_not_null()).with_columns(
        reason=pl.col("excluded").cast(pl.String)
    )
    looked_at = {NEXT_REPLY.id: measured.next_replies, QUALITY: measured.reviews}.get(metric)
    unconcerned = measured.facts
    if looked_at is not None:
        unconcerned = unconcerned.join(looked_at, on="row", how="anti")
    if metric != QUALITY:
        unconcerned = unconcerned.filter(_part(measured, metric).is_null())
    here = unconcerned.with_columns(reason=not_looked_at(metric))
    return pl.concat([_shown(each, measured, metric) for each in (everywhere, here)])


def _reviews(measured: Measured) -> pl.DataFrame:
    return _shown(
        measured.reviews.with_columns(part=pl.lit("denominator"), reason=pl.lit("reviewed")),
        measured,
        QUALITY,
    )


def _with_clock(
    chosen: pl.DataFrame, measured: Measured, metric: str, part: PartName
) -> pl.DataFrame:
    targets = measured.inputs.policy.policy.targets
    spans: dict[str, tuple[TargetKind, str, str]] = {
        "first_reply_on_time": ("first_reply", "opened_at", "replied_at"),
        "resolution_on_time": ("resolution", "opened_at", "settled_at"),
        NEXT_REPLY.id: ("next_reply", "asked_at", "answered_at"),
    }
    timed = spans.get(rate_of(metric).id)
    if timed is None or timed[0] not in targets or part == "missing":
        return chosen
    kind, start, end = timed
    span = Span(kind, targets[kind], start, end)
    return explained(chosen, span, measured.clocks, measured.inputs.as_of).with_columns(
        start=start, end=end
    )


def _shown(rows: pl.DataFrame, measured: Measured, metric: str) -> pl.DataFrame:
    """The columns that an Explained is made of; null where there is nothing to tell."""
    given = rows.with_columns(
        *measured.records.select(_NAMES)[rows["row"]],
        pl.col(CREDIT[DIMENSION_OF[metric]]).cast(pl.String).alias("agent_id"),
    )
    return given.select(
        pl.col(name).cast(kind) if name in given.columns else pl.lit(None, kind).alias(name)
        for name, kind in _COLUMNS.items()
    ).with_columns(pl.col("part").fill_null("excluded"))


def _explained(row: Mapping[str, Any]) -> Explained:
    values = dict(row)
    clock, start, end, lasted, target, due = (values.pop(name) for name in _CLOCK)
    span = ClockSpan(clock, start, end, lasted, target, due) if clock else None
    return Explained(**values, clock=span)
