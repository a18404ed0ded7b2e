"""Rules, issuances, notices and failures in the database."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
_AnyRow = Row[*tuple[Any, ...]]
_changes = msgspec.json.Decoder(Changes)


@dataclass(slots=True)
class Kept:
    """Rows that tell how the months of an engagement stand, as they are: what cannot be read in them
    is met in `read`, and concerns no other engagement.
    """

    rules: list[_AnyRow] = field(default_factory=list)
    newest: list[_AnyRow] = field(default_factory=list)
    noticed: list[_AnyRow] = field(default_factory=list)

    def read(self) -> tuple[Rules | None, dict[Month, Issuance], set[tuple[Month, NoticeKind]]]:
        """The newest revision of each frozen month, and of what was told."""
        issuances = [_issuance(row) for row in self.newest]
        return (
            _rules(self.rules[0]) if self.rules else None,
            {each.month: each for each in issuances},
            {(Month.parse(row.month), row.kind) for row in self.noticed},
        )


async def kept(connection: AsyncConnection, scope: Scope) -> Kept:
    return (await _kept(connection, scope))[scope.engagement_id]


async def everybodys(connection: AsyncConnection) -> Mapping[str, Kept]:
    """By engagement: for whoever runs the server, in a transaction of the operator."""
    return await _kept(connection, None)


async def _kept(connection: AsyncConnection, scope: Scope | None) -> Mapping[str, Kept]:
    found: dict[str, Kept] = defaultdict(Kept)
    for row in await connection.execute(_of(scope, select(*_Rules.__table__.columns), _Rules)):
        found[row.engagement_id].rules.append(row)
    for row in await connection.execute(_newest(scope)):
        found[row.engagement_id].newest.append(row)
    notices = select(_Notice.engagement_id, _Notice.month, _Notice.kind)
    for row in await connection.execute(_of(scope, notices, _Notice)):
        found[row.engagement_id].noticed.append(row)
    return found


async def rules(connection: AsyncConnection, scope: Scope) -> Rules | None:
    row = (
        await connection.execute(_of(scope, select(*_Rules.__table__.columns), _Rules))
    ).one_or_none()
    return None if row is None else _rules(row)


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
    found = [_issuance(row) for row in await connection.execute(_newest(scope))]
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


def _newest(scope: Scope | None) -> Select[*tuple[Any, ...]]:
    by_month = _Issuance.engagement_id, _Issuance.month
    newest = select(*by_month, func.max(_Issuance.revision).label("revision"))
    last = _of(scope, newest, _Issuance).group_by(*by_month).subquery()
    return _issuances(scope).join(
        last,
        (last.c.engagement_id == _Issuance.engagement_id)
        & (last.c.month == _Issuance.month)
        & (last.c.revision == _Issuance.revision),
    )


def _issuances(scope: Scope | None) -> Select[*tuple[Any, ...]]:
    card = models.Scorecard
    issuances = select(*_Issuance.__table__.columns, card.known).join(
        card,
        (card.engagement_id == _Issuance.engagement_id)
        & (card.scorecard_id == _Issuance.scorecard_id),
    )
    return _of(scope, issuances, _Issuance)


def _of(
    scope: Scope | None, statement: Select[*tuple[Any, ...]], table: Any
) -> Select[*tuple[Any, ...]]:
    """None: of all, in a transaction of the operator."""
    return (
        statement if scope is None else statement.where(table.engagement_id == scope.engagement_id)
    )


def _rules(row: _AnyRow) -> Rules:
    return Rules(
        approval=row.approval,
        late_data=row.late_data,
        first_month=_month(row.first_month),
        last_month=_month(row.last_month),
    )


def _issuance(row: _AnyRow) -> Issuance:
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
