"""Runs metrics.sql, and gives its counts the shape of a scorecard's figures."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb

from sql.tables import load, set_ranks
from vendorwatch.periods import SECOND
from vendorwatch.scoring.inputs import Inputs

_STATEMENTS = [
    statement
    for statement in re.split(r";\n", Path(__file__).with_name("metrics.sql").read_text("utf-8"))
    if statement.strip()
]
_RESULTS = (
    "response_figures",
    "next_reply_figures",
    "resolution_figures",
    "response_months",
    "resolution_months",
    "percentiles",
    "coverage",
    "volume",
    "review_shares",
    "review_figures",
    "knowledge_figures",
)
NOT_REACHED = "not_reached"
_RESPONSE = ("first_reply_on_time", "abandon_rate")
_RESOLUTION = (
    "resolution_rate",
    "resolution_on_time",
    "first_contact_resolution",
    "repeat_contact_rate",
    "reopen_rate",
    "handover_rate",
    "csat",
)
_PERCENTILES = {"first_reply": "first_reply_on_time", "resolution": "resolution_on_time"}

Row = dict[str, Any]
Rows = Mapping[str, Sequence[Row]]
Metric = dict[str, Any]
Level = dict[str, Metric]
VENDOR = None


@dataclass(frozen=True, slots=True)
class Figures:
    """Of the vendor (key None) and of each agent that anything is known of."""

    metrics: Mapping[str | None, Level]
    surveys: Mapping[str | None, tuple[int, int]]  # invited, answered
    volumes: Mapping[str | None, int]  # agents: scored interactions that credit them
    excluded: Mapping[str, int]
    scored: int
    unassigned: int


def prepared(inputs: Inputs) -> duckdb.DuckDBPyConnection:
    """With everything that metrics.sql reads, the ranks for its numbers of values included."""
    connection = load(inputs)
    rows = run(connection)
    on_time = [row["first_reply_on_time"]["denominator"] for row in rows["response_figures"]]
    on_time += [row["resolution_on_time"]["denominator"] for row in rows["resolution_figures"]]
    set_ranks(connection, on_time)
    return connection


def run(connection: duckdb.DuckDBPyConnection) -> Rows:
    for statement in _STATEMENTS:
        connection.execute(statement)
    return {name: _rows(connection, f"FROM {name}") for name in _RESULTS}


def strata(connection: duckdb.DuckDBPyConnection) -> Rows:
    """After run: for each metric the counts by who is credited, channel and topic."""
    return {
        metric: _rows(
            connection,
            f"SELECT who, channel, topic, {metric}.numerator, {metric}.denominator FROM {table}",  # noqa: S608  our own names
        )
        for table, metrics in (
            ("response_strata", _RESPONSE),
            ("next_reply_strata", ("next_reply_on_time",)),
            ("resolution_strata", _RESOLUTION),
        )
        for metric in metrics
    }


def figures(rows: Rows) -> Figures:
    metrics: defaultdict[str | None, Level] = defaultdict(dict)
    for who, level in _rates(rows):
        metrics[who] |= level
    for who, level in _percentiles(rows, metrics):
        metrics[who] |= level
    for who, level in (*_quality(rows), *_coverage(rows), *_knowledge(rows)):
        metrics[who] |= level
    by_reason = {row["excluded"]: row["interactions"] for row in rows["volume"]}
    return Figures(
        metrics=metrics,
        surveys={r["who"]: (r["invited"], r["answered"]) for r in rows["resolution_figures"]},
        volumes={row["who"]: row["interactions"] for row in rows["coverage"]},
        excluded={reason: count for reason, count in by_reason.items() if reason},
        scored=by_reason.get(None, 0),
        unassigned=sum(row["unassigned"] for row in rows["volume"] if row["excluded"] is None),
    )


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[Row]:
    found = connection.execute(query)
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _rates(rows: Rows) -> list[tuple[str | None, Level]]:
    months = {
        dimension: {row["who"]: row for row in rows[f"{dimension}_months"]}
        for dimension in ("response", "resolution")
    }
    found: list[tuple[str | None, Level]] = []
    for dimension, metrics in (("response", _RESPONSE), ("resolution", _RESOLUTION)):
        counted = {row["who"]: row for row in rows[f"{dimension}_figures"]}
        for who, month in months[dimension].items():
            level = {
                metric: dict(counted[who][metric]) if who in counted else _nothing()
                for metric in metrics
            }
            for counts in level.values():
                counts["excluded"] = month["interactions"] - _placed(counts)
            found.append((who, level))
    runs = {row["who"]: row for row in rows["next_reply_figures"]}
    for who, month in months["response"].items():
        if not month["runs_are_measured"]:
            continue
        counts = dict(runs[who]["next_reply_on_time"]) if who in runs else _nothing()
        with_runs = runs[who]["interactions"] if who in runs else 0
        counts["missing"] = month["without_events"]
        counts["excluded"] = month["interactions"] - with_runs - counts["missing"]
        found.append((who, {"next_reply_on_time": counts}))
    return found


def _placed(counts: Metric) -> int:
    return int(counts["denominator"] + counts["pending"] + counts["missing"])


def _nothing() -> Metric:
    return {"numerator": 0, "denominator": 0, "pending": 0, "missing": 0}


def _percentiles(rows: Rows, metrics: Mapping[str | None, Level]) -> list[tuple[str | None, Level]]:
    spans = {
        (row["who"], f"{row['span_of']}_{row['quantile']}", row["role"]): row["span"]
        for row in rows["percentiles"]
    }
    found = []
    for who, level in metrics.items():
        for span_of, on_time in _PERCENTILES.items():
            for quantile in ("p50", "p90"):
                if on_time not in level:
                    continue
                name, counts = f"{span_of}_{quantile}", level[on_time] | {"numerator": None}
                value = _seconds(spans.get((who, name, "value"))) if counts["denominator"] else None
                found.append((who, {name: counts | {"value": value}}))
    return found


def _seconds(span: int | None) -> Fraction | str:
    return NOT_REACHED if span is None else Fraction(span, SECOND)


def _quality(rows: Rows) -> list[tuple[str | None, Level]]:
    sums: defaultdict[str | None, Fraction] = defaultdict(Fraction)
    for row in rows["review_shares"]:
        for who in {row["who"], VENDOR}:
            sums[who] += Fraction(row["share"]) * row["reviews"]
    reviewed = {row["who"]: row for row in rows["review_figures"]}
    found: list[tuple[str | None, Level]] = []
    for month in rows["resolution_months"]:
        who = month["who"]
        own = reviewed.get(who, {"reviews": 0, "interactions": 0})
        counts = _nothing() | {
            "numerator": None,
            "denominator": own["reviews"],
            "excluded": month["interactions"] - own["interactions"],
            "value": sums[who] / own["reviews"] if own["reviews"] else None,
        }
        found.append((who, {"quality": counts}))
    return found


def _coverage(rows: Rows) -> list[tuple[str | None, Level]]:
    return [
        (
            row["who"],
            {
                "knowledge_coverage": {
                    "numerator": row["numerator"],
                    "denominator": row["denominator"],
                    "pending": 0,
                    "missing": row["missing"],
                    "excluded": 0,
                }
            },
        )
        for row in rows["coverage"]
    ]


def _knowledge(rows: Rows) -> list[tuple[str | None, Level]]:
    return [
        (
            row["who"],
            {
                metric: {
                    "numerator": row[numerator],
                    "denominator": row[denominator],
                    "pending": 0,
                    "missing": 0,
                    "excluded": row["excluded"],
                }
                for metric, numerator, denominator in (
                    ("knowledge_score", "earned", "possible"),
                    ("knowledge_pass_rate", "passed", "assigned"),
                )
            },
        )
        for row in rows["knowledge_figures"]
    ]
