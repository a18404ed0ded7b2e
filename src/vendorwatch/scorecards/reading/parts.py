"""Which revisions of which interactions a month is computed from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, TextClause, exists, func, or_, select, tuple_
from sqlalchemy.orm import aliased

from vendorwatch.db import models
from vendorwatch.interactions.staged import BEFORE_ALL_TIME, IN_FORCE
from vendorwatch.periods import Micros
from vendorwatch.scoring.frames import CONTACTS, INTERACTIONS, Schema

Conditions = tuple[ColumnElement[bool] | TextClause, ...]
_Row = models.Interaction


@dataclass(frozen=True, slots=True)
class Asked:
    """The month `[start, end)` of an engagement.

    `known` names the engagements that are read, each with the newest upload that was known; None:
    all are. `vendor_of` has the vendor of each of them.
    """

    engagement_id: str
    vendor_of: Mapping[str, str]
    known: Mapping[str, int | None]
    start: Micros
    end: Micros
    as_of: Micros


@dataclass(frozen=True, slots=True)
class Part:
    """Columns of one engagement's interactions that were opened in `[start, end)`.

    Those without a customer are left out if `identified`.
    """

    columns: Schema
    engagement_id: str
    known: int | None
    start: Micros
    end: Micros
    identified: bool = False

    def windows(self, number: int) -> list[tuple[Micros, Micros]]:
        """At most so many, of equal length, that make up the part."""
        width = -(-(self.end - self.start) // number)
        starts = range(self.start, self.end, width)
        return [(start, min(start + width, self.end)) for start in starts]

    def where(self, start: Micros, end: Micros) -> Conditions:
        """For those of the part that were opened in `[start, end)`."""
        opened = (_Row.opened_at >= start, _Row.opened_at < end)
        identified = (_Row.customer_ref.is_not(None),) if self.identified else ()
        return (*_in_force(self.engagement_id, self.known), *opened, *identified)


def month(asked: Asked) -> Part:
    own = asked.engagement_id
    return Part(INTERACTIONS, own, asked.known[own], asked.start, asked.end)


def others(asked: Asked) -> dict[str, Part]:
    """By engagement: among them a repeat is looked for. The month's own ones are not read again.

    Of all customers: to ask the database for those of the month alone takes several times as long
    as reading what it would leave out.
    """
    columns = {name: dtype for name, dtype in CONTACTS.items() if name != "vendor_id"}
    parts = {}
    for engagement_id, known in sorted(asked.known.items()):
        start = asked.end if engagement_id == asked.engagement_id else asked.start
        if start <= asked.as_of:
            end = asked.as_of + 1
            parts[engagement_id] = Part(columns, engagement_id, known, start, end, identified=True)
    return parts


def in_other_months(asked: Asked) -> Select[int]:
    """How many were opened by as_of. The month's own are read, and need not be counted there."""
    own = asked.engagement_id
    in_force = _in_force(own, asked.known[own])
    outside = or_(_Row.opened_at < asked.start, _Row.opened_at >= asked.end)
    return select(func.count()).where(*in_force, outside, _Row.opened_at <= asked.as_of)


def _in_force(engagement_id: str, known: int | None) -> Conditions:
    """Revisions in force; with `known`, those that were when that upload was the newest."""
    own = _Row.engagement_id == engagement_id
    if known is None:
        return own, IN_FORCE
    rival = aliased(models.Interaction)
    beaten = (
        exists()
        .where(
            rival.engagement_id == engagement_id,
            rival.source_account == _Row.source_account,
            rival.interaction_id == _Row.interaction_id,
            rival.upload_sequence <= known,
            _standing(rival) > _standing(_Row),
        )
        .correlate(_Row)
    )
    # What is in force now was so as soon as it was known: most rows need no look at their rivals.
    return own, _Row.upload_sequence <= known, or_(IN_FORCE, ~beaten)


def _standing(row: type[models.Interaction]) -> ColumnElement[Any]:
    """The revision with the highest one is in force: see interactions.staged."""
    updated_at = func.coalesce(row.source_updated_at, BEFORE_ALL_TIME)
    return tuple_(updated_at, row.upload_sequence, row.row_number)
