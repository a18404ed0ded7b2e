"""Alarms in the database: in transactions of the operator, who alone sees them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Update, func, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.alarms.model import Alarm, Key
from vendorwatch.db import models
from vendorwatch.mailing.model import OPEN
from vendorwatch.mailing.schedule import Mark
from vendorwatch.periods import Micros

_Row = models.Alarm
_COLUMNS = tuple(Alarm.__dataclass_fields__)


async def raised(connection: AsyncConnection) -> set[Key]:
    found = await connection.execute(select(_Row.engagement_id, _Row.subject_key, _Row.kind))
    return {(row.engagement_id, row.subject_key, row.kind) for row in found}


async def add(connection: AsyncConnection, alarms: Sequence[Alarm]) -> None:
    """What is there already stays as it is."""
    if not alarms:
        return
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(_Row).on_conflict_do_nothing()
    values = [{name: getattr(each, name) for name in _COLUMNS} for each in alarms]
    _ = await connection.execute(statement, values)


async def unsent(connection: AsyncConnection, *, claim: bool = False) -> list[Alarm]:
    """The oldest first. `claim`: nobody else changes them until the transaction has ended."""
    statement = (
        select(*_Row.__table__.columns)
        .where(_Row.state.in_((*OPEN, "sending")))
        .order_by(_Row.raised_at, _Row.since, _Row.engagement_id, _Row.subject_key, _Row.kind)
    )
    found = await connection.execute(statement.with_for_update() if claim else statement)
    return [Alarm(**row) for row in found.mappings()]


async def last_sent_at(connection: AsyncConnection) -> Micros | None:
    found: Micros | None = await connection.scalar(select(func.max(_Row.sent_at)))
    return found


async def claim(
    connection: AsyncConnection,
    alarms: Sequence[Alarm],
    *,
    message_id: str,
    token: str,
    until: Micros,
) -> None:
    """They must have been read in the same transaction, with `claim`."""
    _ = await connection.execute(
        _of(alarms).values(
            state="sending",
            message_id=message_id,
            attempts=_Row.attempts + 1,
            leased_until=until,
            lease_token=token,
        )
    )


async def mark(
    connection: AsyncConnection,
    alarms: Sequence[Alarm],
    token: str,
    mark: Mark,
    *,
    reply: str | None,
    sent_at: Micros | None,
) -> bool:
    """False, and nothing is changed, where the lease is somebody else's by now."""
    values: dict[str, Any] = {
        "state": mark.state,
        "next_attempt_at": mark.next_attempt_at,
        "attempts": mark.attempts,
        "leased_until": None,
        "lease_token": None,
        "last_reply": reply,
        "sent_at": sent_at,
    }
    done = await connection.execute(
        _of(alarms).where(_Row.lease_token == token, _Row.state == "sending").values(values)
    )
    return bool(done.rowcount)


def _of(alarms: Sequence[Alarm]) -> Update:
    key = tuple_(_Row.engagement_id, _Row.subject_key, _Row.kind)
    return update(_Row).where(key.in_([each.key for each in alarms]))
