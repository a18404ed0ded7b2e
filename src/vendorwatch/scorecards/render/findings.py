"""What is worth saying first about a scorecard: only signals, never noise, no figure of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Figures = Mapping[str, Any]

_MUCH_MISSING = 10  # one record in so many lacks the data
_MANY_REJECTED = 100  # one row in so many was rejected
_ENOUGH = {"clear", "within_noise"}
_OTHER_UNITS = {"next_reply_on_time", "knowledge_coverage"}
"""What they lack are contacts, and what they count is not: the two make no share."""


@dataclass(frozen=True, slots=True)
class Findings:
    """Metrics by id; the clearly missed ones begin with the fewest points.

    `is_empty`: no contact of the month has been received. `is_telling`: at least one metric that the
    policy names has enough records behind it.
    """

    is_empty: bool
    is_telling: bool

    clearly_missed: tuple[str, ...]
    not_measurable: tuple[str, ...]
    incomplete: tuple[tuple[str, int, int], ...]  # metric, records without the data, all records
    rejected: tuple[int, int] | None  # rows rejected, rows received


def find(metrics: Mapping[str, Figures], uploads: Mapping[str, int], contacts: int) -> Findings:
    """`contacts` is how many of the month have been received."""
    missed = [name for name, figures in metrics.items() if is_clear(figures, "missed")]
    return Findings(
        is_empty=contacts == 0,
        is_telling=any(each["evidence"] in _ENOUGH for each in metrics.values()),
        clearly_missed=tuple(sorted(missed, key=lambda name: Decimal(metrics[name]["points"]))),
        not_measurable=tuple(
            name for name, figures in metrics.items() if figures["contract"] == "not_measurable"
        ),
        incomplete=tuple(
            (name, figures["missing"], figures["missing"] + figures["denominator"])
            for name, figures in metrics.items()
            if _is_incomplete(name, figures)
        ),
        rejected=_rejected(uploads),
    )


def is_clear(figures: Figures, contract: str) -> bool:
    return bool(figures["contract"] == contract and figures["evidence"] == "clear")


def _is_incomplete(name: str, figures: Figures) -> bool:
    """Without any data at all it is not measurable, which is said elsewhere."""
    known, missing = figures["denominator"], figures["missing"]
    much = missing * _MUCH_MISSING >= known + missing
    return bool(known and much and name not in _OTHER_UNITS)


def _rejected(uploads: Mapping[str, int]) -> tuple[int, int] | None:
    if uploads["rejected"] == 0:
        return None
    rejected, received = uploads["rejected"], uploads["received"]
    return (rejected, received) if rejected * _MANY_REJECTED >= received else None
