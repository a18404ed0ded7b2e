"""Rules, issuances, notices and failures in the database."""

import json
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Row, Select, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.closing.model import Difference, Failure, Issuance, NoticeKind, Rules
from vendorwatch.db import models
from vendorwatch.db.scope import Scope
from vendorwatch.periods import Micros, Month
from vendorwatch.scorecards.changes import Changes
from vendorwatch.scoring.document import canonical_json

_Rules, _Issuance, _Notice = models.ClosingRules, models.Issuance, models.Notice
_Failure = models.ClosingFailure
_changes = msgspec.json.Decoder(Changes)


async def lock(connection: AsyncConnection, scope: Scope) -> None:
    """One closer at a time: what it reads after this stays so until it has committed."""
    _ = await connection.execute(
        select(models.Engagement.engagement_id)
        .where(models.Engagement.engagement_id == scope.engagement_id)
        .with_for_update(key_share=True)
    )


async def rules(connection: AsyncConnection, scope: Scope) -> Rules | None:
    found = await connection.execute(
        select(_Rules.approval, _Rules.late_data, _Rules.first_month, _Rules.last_month).where(
            _Rules.engagement_id == scope.engagement_id
        )
    )
    row = found.one_or_none()
    if row is None:
        return None
    return Rules(
        approval=row.approval,
        late_data=row.late_data,
        first_month=_month(row.first_month),
        last_month=_month(row.last_month),
    )


async def put_rules(connection: AsyncConnection, scope: Scope, rules: Rules, now: Micros) -> None:
    changed = {
        "approval": rules.approval,
        "late_data": rules.late_data,
        "first_month": _text(rules.first_month),
        "last_month": _text(rules.last_month),
        "updated_at": now,
    }
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(_Rules).values(engagement_id=scope.engagement_id, **changed)
    _ = await connection.execute(
        statement.on_conflict_do_update(index_elements=[_Rules.engagement_id], set_=changed)
    )


async def newest(connection: AsyncConnection, scope: Scope) -> dict[Month, Issuance]:
    """The newest revision of each frozen month."""
    last = (
        select(_Issuance.month, func.max(_Issuance.revision).label("revision"))
        .where(_Issuance.engagement_id == scope.engagement_id)
        .group_by(_Issuance.month)
        .subquery()
    )
    statement = _issuances(scope).join(
        last, (last.c.month == _Issuance.month) & (last.c.revision == _Issuance.revision)
    )
    found = [_issuance(row) for row in await connection.execute(statement)]
    return {each.month: each for each in found}


async def revisions(connection: AsyncConnection, scope: Scope, month: Month) -> list[Issuance]:
    """Of one month, the first one first."""
    statement = _issuances(scope).where(_Issuance.month == str(month))
    found = await connection.execute(statement.order_by(_Issuance.revision))
    return [_issuance(row) for row in found]


async def add_issuance(connection: AsyncConnection, scope: Scope, issuance: Issuance) -> None:
    changes = issuance.changes
    _ = await connection.execute(
        insert(_Issuance).values(
            engagement_id=scope.engagement_id,
            month=str(issuance.month),
            revision=issuance.revision,
            scorecard_id=issuance.scorecard_id,
            due_at=issuance.due_at,
            frozen_at=issuance.frozen_at,
            state=issuance.state,
            issued_at=issuance.issued_at,
            decided_by=issuance.decided_by,
            reason=issuance.reason,
            is_late=issuance.is_late,
            changes=None if changes is None else canonical_json(changes),
        )
    )


async def set_issued(connection: AsyncConnection, scope: Scope, issuance: Issuance) -> None:
    _ = await connection.execute(
        update(_Issuance)
        .where(*_one(scope, issuance))
        .values(
            state=issuance.state,
            issued_at=issuance.issued_at,
            decided_by=issuance.decided_by,
            reason=issuance.reason,
        )
    )


async def set_compared(
    connection: AsyncConnection,
    scope: Scope,
    issuance: Issuance,
    differs: Sequence[Difference],
    now: Micros,
) -> None:
    _ = await connection.execute(
        update(_Issuance)
        .where(*_one(scope, issuance))
        .values(compared_at=now, differs=",".join(differs))
    )


async def noticed(connection: AsyncConnection, scope: Scope) -> set[tuple[Month, NoticeKind]]:
    found = await connection.execute(
        select(_Notice.month, _Notice.kind).where(_Notice.engagement_id == scope.engagement_id)
    )
    return {(Month.parse(row.month), row.kind) for row in found}


async def add_notice(
    connection: AsyncConnection,
    scope: Scope,
    month: Month,
    kind: NoticeKind,
    detail: dict[str, Any],
    now: Micros,
) -> None:
    _ = await connection.execute(
        insert(_Notice).values(
            engagement_id=scope.engagement_id,
            month=str(month),
            kind=kind,
            detail=canonical_json(detail),
            created_at=now,
        )
    )


async def note_failure(
    connection: AsyncConnection, scope: Scope, month: Month, reason: str, now: Micros
) -> None:
    first = {"times": 1, "reason": reason, "failed_at": now}
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(_Failure).values(
        engagement_id=scope.engagement_id, month=str(month), **first
    )
    _ = await connection.execute(
        statement.on_conflict_do_update(
            index_elements=[_Failure.engagement_id, _Failure.month],
            set_=first | {"times": _Failure.times + 1},
        )
    )


async def failures(connection: AsyncConnection, scope: Scope) -> dict[Month, Failure]:
    found = await connection.execute(
        select(_Failure.month, _Failure.times, _Failure.reason, _Failure.failed_at).where(
            _Failure.engagement_id == scope.engagement_id
        )
    )
    return {Month.parse(row.month): Failure(row.times, row.reason, row.failed_at) for row in found}


def _one(scope: Scope, issuance: Issuance) -> tuple[Any, ...]:
    return (
        _Issuance.engagement_id == scope.engagement_id,
        _Issuance.month == str(issuance.month),
        _Issuance.revision == issuance.revision,
    )


def _issuances(scope: Scope) -> Select[*tuple[Any, ...]]:
    card = models.Scorecard
    return (
        select(*_Issuance.__table__.columns, card.known)
        .join(
            card,
            (card.engagement_id == _Issuance.engagement_id)
            & (card.scorecard_id == _Issuance.scorecard_id),
        )
        .where(_Issuance.engagement_id == scope.engagement_id)
    )


def _issuance(row: Row[*tuple[Any, ...]]) -> Issuance:
    differs = None if row.differs is None else tuple(filter(None, row.differs.split(",")))
    return Issuance(
        month=Month.parse(row.month),
        revision=row.revision,
        scorecard_id=row.scorecard_id,
        due_at=row.due_at,
        frozen_at=row.frozen_at,
        state=row.state,
        issued_at=row.issued_at,
        decided_by=row.decided_by,
        reason=row.reason,
        is_late=row.is_late,
        changes=None if row.changes is None else _changes.decode(row.changes),
        uploads=json.loads(row.known)[row.engagement_id],
        compared_at=row.compared_at,
        differs=differs,
    )


def _month(text: str | None) -> Month | None:
    return None if text is None else Month.parse(text)


def _text(month: Month | None) -> str | None:
    return None if month is None else str(month)
