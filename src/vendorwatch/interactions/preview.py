"""What a mapping makes of a sample, without a database."""

from collections import Counter
from dataclasses import dataclass, field
from typing import BinaryIO

from vendorwatch.interactions.parse import Accepted, ReadOptions, Refused, read
from vendorwatch.interactions.record import Interaction


@dataclass(slots=True)
class Preview:
    """`shown` are the first interactions; `refusals` and `skips` count all rows by reason."""

    received: int = 0
    accepted: int = 0
    rejected: int = 0
    skipped: int = 0
    shown: list[Interaction] = field(default_factory=list)
    refusals: Counter[tuple[str, str]] = field(default_factory=Counter)
    examples: dict[tuple[str, str], str] = field(default_factory=dict)
    skips: Counter[str] = field(default_factory=Counter)
    extra_columns: tuple[str, ...] = ()


def preview(file: BinaryIO, options: ReadOptions, *, show: int) -> Preview:
    """Raises what makes the whole file unreadable."""
    made = Preview()
    reading = read(file, options)
    for outcome in reading:
        made.received += 1
        if isinstance(outcome, Accepted):
            made.accepted += 1
            if len(made.shown) < show:
                made.shown.append(outcome.interaction)
        elif isinstance(outcome, Refused):
            made.rejected += 1
            for fault in outcome.faults:
                reason = (fault.code, fault.field or "")
                made.refusals[reason] += 1
                made.examples.setdefault(reason, str(fault))
        else:
            made.skipped += 1
            made.skips[outcome.rule] += 1
    made.extra_columns = reading.extra_columns
    return made
