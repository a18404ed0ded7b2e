"""What was put into the queue, and what waits there: rows of the merchant's."""

import json
from collections.abc import Collection
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Text,
    cast,
    func,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.db import models
from vendorwatch.db.scope import Scope
from vendorwatch.mailing.model import OPEN, Delivery
from vendorwatch.mailing.schedule import NEVER, NOT_SENT_ANY_MORE
from vendorwatch.mailing.store.places import Place, compared
from vendorwatch.periods import Micros

_Row = models.Delivery


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
        condition &= tuple_(_Row.created_at, _Row.delivery_id) < compared(after)
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


def _delivery(row: RowMapping) -> Delivery:
    facts = None if row["facts"] is None else json.loads(row["facts"])
    return Delivery(**{**row, "facts": facts})
