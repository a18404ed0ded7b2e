"""Which three interactions an agent is shown to read: chosen by a rule, and by nobody.

The first two of these that there are, then one that went well, then what is left of these, then the
latest; within each the worst first, or the latest where none is worse than another:

late_reply (furthest past its target), not_satisfied (the lowest answer), came_back (reopened,
handed over or contacted again), weak_review (below half), late_resolution.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import polars as pl

from vendorwatch.periods import SECOND, format_instant
from vendorwatch.scoring.credit import CREDIT
from vendorwatch.scoring.document import SECOND_DIGITS, Document, decimal_text
from vendorwatch.scoring.frames import Part
from vendorwatch.scoring.measured import Measured
from vendorwatch.scoring.metrics import first_contact_resolution
from vendorwatch.scoring.targets import explained
from vendorwatch.scoring.yardstick import Span

MOST = 3
_WENT_WRONG_FIRST = 2
_WENT_WELL = ("solved_well",)
_WENT_WRONG = ("late_reply", "not_satisfied", "came_back", "weak_review", "late_resolution")
_AS_IT_IS = ("latest",)
REASONS = (*_WENT_WRONG, *_WENT_WELL, *_AS_IT_IS)

_WEAK = Fraction(1, 2)
_missed = int(Part.DENOMINATOR)


@dataclass(frozen=True, slots=True)
class _Found:
    """`beside` says how bad it is, in the words of the reason."""

    row: int
    reason: str
    beside: Mapping[str, Any]


def reading_lists(
    measured: Measured, timed: pl.DataFrame, agents: Collection[str]
) -> dict[str, list[Document]]:
    """Of each of these agents at most MOST. `timed` are the facts with targets.explained of their
    first replies.
    """
    candidates = _candidates(measured, timed)
    chosen = {agent: _chosen(candidates.get(agent, {})) for agent in agents}
    rows = sorted({each.row for found in chosen.values() for each in found})
    named = measured.records.select(
        "source_account", "interaction_id", "opened_at", "channel", "topic"
    )[rows]
    about = dict(zip(rows, named.iter_rows(named=True), strict=True))
    return {
        agent: [_told(each, about[each.row]) for each in found] for agent, found in chosen.items()
    }


def _chosen(candidates: Mapping[str, Sequence[_Found]]) -> list[_Found]:
    """None twice: whoever is there for one reason gives way in the next to the one behind it."""
    chosen: list[_Found] = []

    def take(reasons: Sequence[str], at_most: int) -> None:
        for reason in reasons:
            taken = {each.row for each in chosen}
            found = next(
                (each for each in candidates.get(reason, ()) if each.row not in taken), None
            )
            if found is not None and len(chosen) < at_most:
                chosen.append(found)

    take(_WENT_WRONG, _WENT_WRONG_FIRST)
    take(_WENT_WELL, MOST)
    take([each for each in _WENT_WRONG if each not in {one.reason for one in chosen}], MOST)
    take(_AS_IT_IS * MOST, MOST)
    return chosen


def _told(found: _Found, about: Mapping[str, Any]) -> Document:
    return {
        "reason": found.reason,
        **about,
        "opened_at": format_instant(about["opened_at"]),
        "beside": dict(found.beside),
    }


def _candidates(measured: Measured, timed: pl.DataFrame) -> dict[str, dict[str, list[_Found]]]:
    """By agent and reason, the first of each list: so many that one is left whatever is taken."""
    found: dict[str, dict[str, list[_Found]]] = defaultdict(dict)
    place = _places(measured.records)
    for reason, frame in _frames(measured, timed):
        credited = frame.filter(pl.col("agent").is_not_null())
        best = (
            credited.with_columns(place=place[credited["row"]])
            .sort("agent", "rank", "place")
            .group_by("agent", maintain_order=True)
        )
        for each in best.head(MOST).iter_rows(named=True):
            mine = found[each["agent"]].setdefault(reason, [])
            mine.append(_Found(each["row"], reason, _beside(reason, each)))
    return found


def _places(records: pl.DataFrame) -> pl.Series:
    """Where each record stands, the latest first: the order in which they were read is by chance."""
    ordered = (
        records.select("opened_at", "source_account", "interaction_id")
        .with_row_index("row")
        .sort(pl.col("opened_at").neg(), "source_account", "interaction_id")
    )
    return ordered.select("row").with_row_index("place").sort("row")["place"]


def _frames(measured: Measured, timed: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """For each reason agent, rank (the least first), row, opened_at and what is told beside."""
    answered = timed.filter(pl.col("response_part") == _missed, ~pl.col("given_up"))
    yield "late_reply", _late(answered, CREDIT["response"], "replied_at", measured)
    resolved = _of_resolution(measured)
    csat = resolved.with_columns(csat=measured.records["csat"][resolved["row"]])
    unhappy = csat.filter("csat_answered", ~pl.col("satisfied"))
    yield "not_satisfied", unhappy.with_columns(rank="csat")
    again = (pl.col("reopened"), pl.col("handed_over"), pl.col("repeated"))
    back = resolved.filter(
        "resolved", pl.any_horizontal(*(each.fill_null(value=False) for each in again))
    )
    yield "came_back", back.with_columns(rank=pl.lit(0))
    yield "weak_review", _weak(measured)
    span = Span(
        "resolution", measured.inputs.policy.policy.targets["resolution"], "opened_at", "settled_at"
    )
    late = resolved.filter(pl.col("resolution_part") == _missed)
    late = explained(late, span, measured.clocks, measured.inputs.as_of)
    yield "late_resolution", _late(late, CREDIT["resolution"], "settled_at", measured)
    solved = csat.filter(
        first_contact_resolution() == int(Part.NUMERATOR),
        pl.col("response_part") != _missed,
        pl.col("satisfied").fill_null(value=True) | ~pl.col("csat_answered"),
    )
    answer = pl.when("csat_answered").then("csat")
    yield "solved_well", solved.with_columns(csat=answer, rank=answer.fill_null(0).neg())
    first = measured.facts.select(
        "row", "opened_at", rank=pl.lit(0), agent=pl.col(CREDIT["response"]).cast(pl.String)
    )
    yield (
        "latest",
        pl.concat([first, resolved.select(first.columns)], how="vertical_relaxed").unique(),
    )


def _of_resolution(measured: Measured) -> pl.DataFrame:
    return measured.facts.filter("in_base").with_columns(
        agent=pl.col(CREDIT["resolution"]).cast(pl.String), rank=pl.lit(0)
    )


def _late(rows: pl.DataFrame, who: str, end: str, measured: Measured) -> pl.DataFrame:
    """By how far past the target they came, or are by the as-of instant."""
    over_due = pl.col(end).fill_null(measured.inputs.as_of) - pl.col("due")
    return rows.with_columns(
        agent=pl.col(who).cast(pl.String),
        rank=pl.coalesce(pl.col("lasted") - pl.col("target"), over_due).neg(),
        reached=pl.col(end).is_not_null(),
    )


def _weak(measured: Measured) -> pl.DataFrame:
    shares = [Fraction(share) for share in measured.reviews["share"]]
    ordered = {share: place for place, share in enumerate(sorted(set(shares)))}
    return (
        measured.reviews.with_columns(
            rank=pl.Series([ordered[share] for share in shares], dtype=pl.Int64),
            weak=pl.Series([share < _WEAK for share in shares], dtype=pl.Boolean),
            agent=pl.col(CREDIT["resolution"]).cast(pl.String),
        )
        .filter("weak")
        .sort("rank", "review_id")
        .unique("row", keep="first", maintain_order=True)
    )


def _beside(reason: str, row: Mapping[str, Any]) -> dict[str, Any]:
    if reason in {"late_reply", "late_resolution"}:
        return {
            "reached": row["reached"],
            "lasted": _seconds(row["lasted"]),
            "target": _seconds(row["target"]),
        }
    if reason == "came_back":
        return {name: bool(row[name]) for name in ("reopened", "handed_over", "repeated")}
    if reason == "weak_review":
        return {"share": row["share"]}
    return {"csat": row["csat"]} if reason in {"not_satisfied", "solved_well"} else {}


def _seconds(micros: int | None) -> str | None:
    return None if micros is None else decimal_text(Fraction(micros, SECOND), SECOND_DIGITS)
