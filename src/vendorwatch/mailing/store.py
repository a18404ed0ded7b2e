"""Rows of recipients and deliveries: all of them the merchant's."""

import json
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Text,
    Update,
    case,
    cast,
    func,
    insert,
    literal,
    or_,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.db import models
from vendorwatch.db.scope import Scope
from vendorwatch.mailing.model import OPEN, Delivery, Recipient
from vendorwatch.mailing.schedule import NEVER, NOT_SENT_ANY_MORE, Mark
from vendorwatch.periods import Micros

_Recipient = models.Recipient
_Row = models.Delivery
Place = tuple[Micros, str]
"""created_at and id of the last one of a page."""


async def lock(connection: AsyncConnection, merchant_id: str) -> None:
    """One at a time for a merchant: two must neither take the same mail nor add one address twice."""
    _ = await connection.execute(
        select(models.Merchant.merchant_id)
        .where(models.Merchant.merchant_id == merchant_id)
        .with_for_update(key_share=True)
    )


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
        condition &= tuple_(_Recipient.created_at, _Recipient.recipient_id) > _place(after)
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


async def add_deliveries(connection: AsyncConnection, rows: Sequence[Delivery]) -> None:
    """What is there already under its unique key stays as it is."""
    if not rows:
        return
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(_Row).on_conflict_do_nothing()
    _ = await connection.execute(statement, [_values(row) for row in rows])


async def waiting(connection: AsyncConnection, now: Micros) -> list[Scope]:
    """One engagement of each merchant of which some mail may be due, the longest wait first: for
    whoever runs the server.
    """
    first = func.min(_Row.next_attempt_at)
    found = await connection.execute(
        select(_Row.merchant_id, func.min(cast(_Row.engagement_id, Text)))
        .where(_may_start(now))
        .group_by(_Row.merchant_id)
        .order_by(first, _Row.merchant_id)
    )
    return [Scope(merchant_id, str(UUID(engagement_id))) for merchant_id, engagement_id in found]


async def troubled(
    connection: AsyncConnection, *, created_before: Micros, failed_since: Micros
) -> list[Delivery]:
    """Of all merchants: those that wait since then, and those given up that are not older than that.
    For whoever runs the server.
    """
    waits = _Row.state.in_((*OPEN, "sending")) & (_Row.next_attempt_at != NEVER)
    given_up = (_Row.state == "failed") | _Row.reason.in_(NOT_SENT_ANY_MORE)
    return await _deliveries(
        connection,
        (waits & (_Row.created_at <= created_before))
        | (given_up & (_Row.created_at >= failed_since)),
    )


def _may_start(now: Micros) -> ColumnElement[bool]:
    return or_(
        _Row.state.in_(OPEN) & (_Row.next_attempt_at <= now),
        (_Row.state == "sending") & (_Row.leased_until <= now),
    )


async def unsent(connection: AsyncConnection, merchant_id: str) -> list[Delivery]:
    """Those that are being sent included: whoever does so may never come back."""
    condition = _Row.state.in_((*OPEN, "sending"))
    return await _deliveries(connection, (_Row.merchant_id == merchant_id) & condition)


async def of_mail(connection: AsyncConnection, merchant_id: str, message_id: str) -> list[Delivery]:
    return await _deliveries(
        connection, (_Row.merchant_id == merchant_id) & (_Row.message_id == message_id)
    )


async def digest_engagements(
    connection: AsyncConnection, merchant_id: str, recipient_id: str, month: str
) -> set[str]:
    """Those of which the recipient has a digest of the month, sent or not."""
    found = await connection.execute(
        select(_Row.engagement_id).where(
            _Row.merchant_id == merchant_id,
            _Row.recipient_id == recipient_id,
            _Row.kind == "digest",
            _Row.subject_key.startswith(f"{month}/", autoescape=True),
        )
    )
    return set(found.scalars())


async def engagements(connection: AsyncConnection, merchant_id: str, *, before: Micros) -> set[str]:
    """Of the merchant, made before the instant."""
    found = await connection.execute(
        select(models.Engagement.engagement_id).where(
            models.Engagement.merchant_id == merchant_id, models.Engagement.created_at < before
        )
    )
    return set(found.scalars())


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


async def delivery(connection: AsyncConnection, scope: Scope, delivery_id: str) -> Delivery | None:
    found = await _deliveries(
        connection,
        (_Row.merchant_id == scope.merchant_id)
        & (_Row.engagement_id == scope.engagement_id)
        & (_Row.delivery_id == delivery_id),
    )
    return found[0] if found else None


async def place(connection: AsyncConnection, delivery_id: str) -> Scope | None:
    """Whose it is: for whoever runs the server."""
    found = await connection.execute(
        select(_Row.merchant_id, _Row.engagement_id).where(_Row.delivery_id == delivery_id)
    )
    row = found.one_or_none()
    return None if row is None else Scope(row.merchant_id, row.engagement_id)


async def place_of_mail(connection: AsyncConnection, message_id: str) -> Scope | None:
    """Whose it is, as `place`."""
    found = await connection.execute(
        select(_Row.merchant_id, _Row.engagement_id)
        .where(_Row.message_id == message_id)
        .order_by(_Row.engagement_id)
        .limit(1)
    )
    row = found.one_or_none()
    return None if row is None else Scope(row.merchant_id, row.engagement_id)


async def deliveries(
    connection: AsyncConnection,
    scope: Scope | None,
    *,
    states: Collection[str] | None = None,
    after: Place | None = None,
    limit: int | None = None,
) -> list[Delivery]:
    """The newest first. Of all merchants without a scope: for whoever runs the server."""
    condition: ColumnElement[bool] = true()
    if scope is not None:
        condition &= _Row.merchant_id == scope.merchant_id
        condition &= _Row.engagement_id == scope.engagement_id
    if states is not None:
        condition &= _Row.state.in_(states)
    if after is not None:
        condition &= tuple_(_Row.created_at, _Row.delivery_id) < _place(after)
    return await _deliveries(connection, condition, limit=limit, newest_first=True)


async def _deliveries(
    connection: AsyncConnection,
    condition: ColumnElement[bool],
    *,
    limit: int | None = None,
    newest_first: bool = False,
) -> list[Delivery]:
    order = (_Row.created_at, _Row.delivery_id)
    found = await connection.execute(
        select(*_Row.__table__.columns)
        .where(condition)
        .order_by(*(each.desc() for each in order) if newest_first else order)
        .limit(limit)
    )
    return [_delivery(row) for row in found.mappings()]


def _place(after: Place) -> Any:
    """Ids have another form in each database; without a type they would be compared as they stand."""
    instant, name = after
    return tuple_(literal(instant), literal(name, _Row.delivery_id.type))


def _of(rows: Sequence[Delivery]) -> Update:
    ids = [row.delivery_id for row in rows]
    return update(_Row).where(_Row.merchant_id == rows[0].merchant_id, _Row.delivery_id.in_(ids))


def _values(row: Delivery) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in Delivery.__dataclass_fields__}
    facts = None if row.facts is None else json.dumps(row.facts, sort_keys=True)
    return values | {"facts": facts}


def _delivery(row: RowMapping) -> Delivery:
    facts = None if row["facts"] is None else json.loads(row["facts"])
    return Delivery(**{**row, "facts": facts})
