"""What becomes of deliveries, step by step."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    Update,
    case,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.db import models
from vendorwatch.db.scope import Scope
from vendorwatch.mailing.model import OPEN, Delivery
from vendorwatch.mailing.schedule import Mark
from vendorwatch.periods import Micros

_Row = models.Delivery


async def add_deliveries(connection: AsyncConnection, rows: Sequence[Delivery]) -> None:
    """What is there already under its unique key stays as it is."""
    if not rows:
        return
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(_Row).on_conflict_do_nothing()
    _ = await connection.execute(statement, [_values(row) for row in rows])


async def claim(
    connection: AsyncConnection,
    rows: Sequence[Delivery],
    *,
    message_id: str,
    token: str,
    until: Micros,
    reason: str | None,
) -> None:
    """The rows must have been read in the same transaction, under `lock`."""
    _ = await connection.execute(
        _of(rows).values(
            state="sending",
            message_id=message_id,
            reason=reason,
            attempts=_Row.attempts + 1,
            leased_until=until,
            lease_token=token,
        )
    )


async def renew(
    connection: AsyncConnection, rows: Sequence[Delivery], token: str, until: Micros
) -> bool:
    """False where the lease is somebody else's by now."""
    return await _fenced(connection, rows, token, {"leased_until": until})


async def mark(
    connection: AsyncConnection,
    rows: Sequence[Delivery],
    token: str,
    mark: Mark,
    *,
    reply: str | None,
    sent_at: Micros | None,
) -> bool:
    """False, and nothing is changed, where the lease is somebody else's by now."""
    values = {
        "state": mark.state,
        "reason": mark.reason,
        "next_attempt_at": mark.next_attempt_at,
        "attempts": mark.attempts,
        "leased_until": None,
        "lease_token": None,
        "last_reply": reply,
        "sent_at": sent_at,
    }
    return await _fenced(connection, rows, token, values)


async def _fenced(
    connection: AsyncConnection, rows: Sequence[Delivery], token: str, values: dict[str, Any]
) -> bool:
    done = await connection.execute(
        _of(rows).where(_Row.lease_token == token, _Row.state == "sending").values(values)
    )
    return bool(done.rowcount)


async def change(connection: AsyncConnection, rows: Sequence[Delivery], **values: object) -> None:
    _ = await connection.execute(_of(rows).values(values))


async def postpone(
    connection: AsyncConnection, merchant_id: str, until: Micros, *, reason: str, reply: str
) -> None:
    """Nothing that waits is tried before. One that may have arrived keeps its own reason."""
    is_queued = _Row.state == "queued"
    _ = await connection.execute(
        update(_Row)
        .where(
            _Row.merchant_id == merchant_id,
            _Row.state.in_(OPEN),
            _Row.next_attempt_at < until,
        )
        .values(
            next_attempt_at=until,
            reason=case((is_queued, reason), else_=_Row.reason),
            last_reply=case((is_queued, reply), else_=_Row.last_reply),
        )
    )


async def cancel_superseded(connection: AsyncConnection, scope: Scope, scorecard_id: str) -> None:
    """Mails about it that nobody has begun to send."""
    _ = await connection.execute(
        update(_Row)
        .where(
            _Row.merchant_id == scope.merchant_id,
            _Row.engagement_id == scope.engagement_id,
            _Row.scorecard_id == scorecard_id,
            _Row.state == "queued",
            _Row.message_id.is_(None),
        )
        .values(state="cancelled", reason="superseded")
    )


def _of(rows: Sequence[Delivery]) -> Update:
    ids = [row.delivery_id for row in rows]
    return update(_Row).where(_Row.merchant_id == rows[0].merchant_id, _Row.delivery_id.in_(ids))


def _values(row: Delivery) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in Delivery.__dataclass_fields__}
    facts = None if row.facts is None else json.dumps(row.facts, sort_keys=True)
    return values | {"facts": facts}
