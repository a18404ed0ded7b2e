"""Months as JSON: how each stands, and its revisions."""

from typing import Annotated

import msgspec

from vendorwatch.closing.model import Difference, Issuance, IssuanceState, MonthState
from vendorwatch.closing.months import Listed
from vendorwatch.closing.revising import Revision
from vendorwatch.periods import Micros, Month, format_instant
from vendorwatch.scorecards.changes import Changes


class ClosingItem(msgspec.Struct, frozen=True, kw_only=True):
    """A month. What tells of a scorecard is of its newest revision, and null before there is one.

    `revisable` is null until the month was compared with what came later, `differs` says in what
    they differ. `uploads_up_to` is the sequence of the newest upload that counts: later ones are
    late for it. `missing_days` are days without an interaction, until the month is due.
    """

    month: str
    state: MonthState
    due_at: str
    revision: int
    scorecard_id: str | None
    frozen_at: str | None
    issued_at: str | None
    decided_by: str | None
    is_late: bool
    uploads_up_to: int | None
    revisable: bool | None
    differs: list[Difference]
    compared_at: str | None
    missing_days: list[str]
    links: dict[str, str]


class RevisionItem(msgspec.Struct, frozen=True, kw_only=True):
    """`changes` are those against the revision before; null for the first one."""

    revision: int
    state: IssuanceState
    scorecard_id: str
    frozen_at: str
    issued_at: str | None
    decided_by: Annotated[
        str | None, msgspec.Meta(description="The id of a key, operator, or rule.")
    ]
    reason: str | None
    uploads_up_to: int
    changes: Changes | None
    links: dict[str, str]


class ClosingDetail(msgspec.Struct, frozen=True, kw_only=True):
    closing: ClosingItem
    revisions: list[RevisionItem]


class ClosingPreview(msgspec.Struct, frozen=True, kw_only=True):
    """What a revision would change if it were made now."""

    month: str
    revisable: bool
    differs: list[Difference]
    changes: Changes


def closing_item(listed: Listed) -> ClosingItem:
    month, found = listed.month, listed.issuance
    links = {"self": f"/v1/closings/{month}", "anomalies": f"/v1/anomalies/{month}"}
    return ClosingItem(
        month=str(month),
        state=listed.state,
        due_at=format_instant(listed.due_at),
        revision=found.revision if found else 0,
        scorecard_id=found.scorecard_id if found else None,
        frozen_at=_shown(found.frozen_at) if found else None,
        issued_at=_shown(found.issued_at) if found else None,
        decided_by=found.decided_by if found else None,
        is_late=found.is_late if found else False,
        uploads_up_to=found.uploads if found else None,
        revisable=bool(found.differs) if found and found.differs is not None else None,
        differs=list(found.differs or ()) if found else [],
        compared_at=_shown(found.compared_at) if found else None,
        missing_days=[day.isoformat() for day in listed.missing_days],
        links=links | (_links(found.scorecard_id) if found else {}),
    )


def closing_detail(listed: Listed, revisions: list[Issuance]) -> ClosingDetail:
    return ClosingDetail(
        closing=closing_item(listed), revisions=[_revision_item(each) for each in revisions]
    )


def closing_preview(month: Month, revision: Revision) -> ClosingPreview:
    return ClosingPreview(
        month=str(month),
        revisable=bool(revision.differs),
        differs=list(revision.differs),
        changes=revision.changes,
    )


def _revision_item(issuance: Issuance) -> RevisionItem:
    return RevisionItem(
        revision=issuance.revision,
        state=issuance.state,
        scorecard_id=issuance.scorecard_id,
        frozen_at=format_instant(issuance.frozen_at),
        issued_at=_shown(issuance.issued_at),
        decided_by=issuance.decided_by,
        reason=issuance.reason,
        uploads_up_to=issuance.uploads,
        changes=issuance.changes,
        links=_links(issuance.scorecard_id),
    )


def _links(scorecard_id: str) -> dict[str, str]:
    home = f"/v1/scorecards/{scorecard_id}"
    return {"scorecard": home, "pdf": f"{home}.pdf", "csv": f"{home}.csv"}


def _shown(instant: Micros | None) -> str | None:
    return None if instant is None else format_instant(instant)
