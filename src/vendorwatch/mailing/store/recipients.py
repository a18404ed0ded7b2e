"""Who is written to: rows of the merchant's."""

from sqlalchemy import (
    ColumnElement,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.db import models
from vendorwatch.db.scope import Scope
from vendorwatch.mailing.model import Recipient
from vendorwatch.mailing.store.places import Place, compared
from vendorwatch.periods import Micros

_Recipient = models.Recipient


async def add_recipient(connection: AsyncConnection, recipient: Recipient) -> None:
    values = {name: getattr(recipient, name) for name in Recipient.__dataclass_fields__}
    _ = await connection.execute(insert(_Recipient).values(values))


async def recipient(
    connection: AsyncConnection, merchant_id: str, recipient_id: str
) -> Recipient | None:
    found = await _recipients(connection, merchant_id, _Recipient.recipient_id == recipient_id)
    return found[0] if found else None


async def recipients(
    connection: AsyncConnection,
    scope: Scope,
    *,
    after: Place | None = None,
    limit: int | None = None,
    removed: bool = True,
) -> list[Recipient]:
    """Those whom the engagement concerns, the oldest first."""
    condition: ColumnElement[bool] = or_(
        _Recipient.engagement_id.is_(None), _Recipient.engagement_id == scope.engagement_id
    )
    if after is not None:
        condition &= tuple_(_Recipient.created_at, _Recipient.recipient_id) > compared(after)
    if not removed:
        condition &= _Recipient.removed_at.is_(None)
    return await _recipients(connection, scope.merchant_id, condition, limit=limit)


async def recipients_at(
    connection: AsyncConnection, merchant_id: str, email: str
) -> list[Recipient]:
    """Whoever of the merchant's has that address."""
    condition = func.lower(_Recipient.email) == email.lower()
    return await _recipients(connection, merchant_id, condition)


async def _recipients(
    connection: AsyncConnection,
    merchant_id: str,
    condition: ColumnElement[bool],
    *,
    limit: int | None = None,
) -> list[Recipient]:
    found = await connection.execute(
        select(*_Recipient.__table__.columns)
        .where(_Recipient.merchant_id == merchant_id, condition)
        .order_by(_Recipient.created_at, _Recipient.recipient_id)
        .limit(limit)
    )
    return [Recipient(**row) for row in found.mappings()]


async def remove_recipient(
    connection: AsyncConnection, merchant_id: str, recipient_id: str, now: Micros
) -> bool:
    """Whether it was there till now. Again is no error, and keeps the first instant."""
    done = await connection.execute(
        update(_Recipient)
        .where(
            _Recipient.merchant_id == merchant_id,
            _Recipient.recipient_id == recipient_id,
            _Recipient.removed_at.is_(None),
        )
        .values(removed_at=now)
    )
    return bool(done.rowcount)


async def note_bounce(
    connection: AsyncConnection, merchant_id: str, recipient_id: str, bounced_at: Micros | None
) -> bool:
    """Whether it was otherwise till now. Again is no error, and keeps the first instant."""
    was = _Recipient.bounced_at.is_(None)
    done = await connection.execute(
        update(_Recipient)
        .where(
            _Recipient.merchant_id == merchant_id,
            _Recipient.recipient_id == recipient_id,
            was if bounced_at is not None else ~was,
        )
        .values(bounced_at=bounced_at)
    )
    return bool(done.rowcount)
