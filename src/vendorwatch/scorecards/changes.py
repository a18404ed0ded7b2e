"""What a revision of a scorecard changed. Reads two documents, and no record."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from vendorwatch.scorecards.model import Rows
from vendorwatch.scoring.document import Document

Value = str | int | None
_OF_METRIC = ("value", "numerator", "denominator", "points", "contract", "evidence")


class Change(msgspec.Struct, frozen=True):
    """One figure of both documents; null where it is not there."""

    name: str
    old: Value
    new: Value


class MetricChange(msgspec.Struct, frozen=True):
    """A metric of which anything differs, with all of it: value, numerator and so on."""

    metric: str
    figures: list[Change]


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """`volume` is complete; everything else has only what differs.

    `rows` counts the interactions of the month that the vendor sent since; `withdrawn` are ids of
    those that it took back, at most as many as model.MOST_TOLD. `agents` are those of whom a figure
    differs.
    """

    old_revision: int
    new_revision: int
    terms: list[Change]
    scores: list[Change]
    metrics: list[MetricChange]
    volume: list[Change]
    agents: list[str]
    rows: dict[str, int]
    withdrawn: list[str]

    @property
    def of_figures(self) -> bool:
        """Not of names alone, and of this month: `received` counts all months."""
        volume = (each for each in self.volume if each.name != "received")
        counted = any(each.old != each.new for each in volume)
        moved = self.scores or self.metrics or self.agents or any(self.rows.values())
        return counted or bool(moved)


def what_changed(old: Document, new: Document, rows: Rows) -> Changes:
    """`rows` are those that came between the two."""
    one, other = (_scores(document) for document in (old, new))
    return Changes(
        old_revision=_whole(old["revision"]),
        new_revision=_whole(new["revision"]),
        terms=list(_differing(_terms(old), _terms(new))),
        scores=list(_differing(one, other)),
        metrics=list(_metrics(old, new)),
        volume=list(_merged(_volume(old), _volume(new))),
        agents=_agents(old, new),
        rows=rows.counts(),
        withdrawn=list(rows.withdrawn_ids),
    )


def _terms(document: Any) -> dict[str, Value]:
    """By what it was computed, besides the records."""
    return {
        "policy_version": document["policy"]["version"],
        "as_of": document["as_of"],
        "code_version": document["code_version"],
    }


def _scores(document: Any) -> dict[str, Value]:
    scores = document["vendor_scores"]
    dimensions = {name: each["score"] for name, each in scores["dimensions"].items()}
    return {"score": scores["score"], **dimensions}


def _metrics(old: Any, new: Any) -> Iterator[MetricChange]:
    one, other = (document["vendor_scores"]["metrics"] for document in (old, new))
    for metric in [*other, *(each for each in one if each not in other)]:
        figures = [
            {name: document.get(metric, {}).get(name) for name in _OF_METRIC}
            for document in (one, other)
        ]
        if figures[0] != figures[1]:
            yield MetricChange(metric, list(_merged(*figures)))


def _volume(document: Any) -> dict[str, Value]:
    volume = document["volume"]
    plain = {name: value for name, value in volume.items() if name != "excluded"}
    return plain | {f"excluded_{reason}": n for reason, n in volume["excluded"].items()}


def _agents(old: Any, new: Any) -> list[str]:
    one, other = (
        {each["agent_id"]: {**each, "name": None} for each in document["agents"]}
        for document in (old, new)
    )
    return sorted(agent for agent in one | other if one.get(agent) != other.get(agent))


def _differing(old: Mapping[str, Value], new: Mapping[str, Value]) -> Iterator[Change]:
    return (change for change in _merged(old, new) if change.old != change.new)


def _merged(old: Mapping[str, Value], new: Mapping[str, Value]) -> Iterator[Change]:
    for name in [*new, *(each for each in old if each not in new)]:
        yield Change(name, old.get(name), new.get(name))


def _whole(value: object) -> int:
    assert isinstance(value, int)  # noqa: S101  for the type checker: the document's own number
    return value
