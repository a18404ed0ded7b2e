"""Mail that came back: whom it was for is written to no more, until somebody says otherwise."""

from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.audit import service as audit
from vendorwatch.audit.model import COMMAND, Action, Actor
from vendorwatch.db.locks import lock_merchant
from vendorwatch.db.scope import Scope
from vendorwatch.mailing import service, store
from vendorwatch.mailing.bounces import Bounce
from vendorwatch.mailing.model import Delivery, Recipient
from vendorwatch.mailing.schedule import NEVER
from vendorwatch.periods import Micros

BOUNCED = "bounced"
"""The reason of a mail that came back."""


async def place_of(connection: AsyncConnection, bounce: Bounce) -> Scope | None:
    """Whose mail it was, None: none of ours. For whoever runs the server."""
    return await store.place_of_mail(connection, bounce.message_id)


async def bounced(
    connection: AsyncConnection, scope: Scope, bounce: Bounce, now: Micros, *, by: Actor = COMMAND
) -> list[Delivery]:
    """The rows of the mail, which has failed. Where the address is dead, whoever of the merchant's
    has it is marked.

    The transaction must be one of the merchant's. Again changes nothing.
    """
    await lock_merchant(connection, scope.merchant_id)
    rows = await store.of_mail(connection, scope.merchant_id, bounce.message_id)
    came_back = [row for row in rows if row.state in {"sent", "unknown"}]
    if came_back:
        await store.change(
            connection, came_back, state="failed", reason=BOUNCED, last_reply=bounce.said,
            next_attempt_at=NEVER,
        )  # fmt: skip
    if bounce.is_dead and came_back:
        await _mark_address(connection, scope, came_back[0].recipient_id, now, by)
    for row in came_back:
        await audit.record(
            connection, scope, "delivery.bounced", by, now,
            delivery_id=row.delivery_id, kind=row.kind, status=bounce.status,
        )  # fmt: skip
    return await store.of_mail(connection, scope.merchant_id, bounce.message_id)


async def _mark_address(
    connection: AsyncConnection, scope: Scope, recipient_id: str, now: Micros, by: Actor
) -> None:
    """Whatever else is sent there would come back as well, whichever engagement it is about."""
    whom = await store.recipient(connection, scope.merchant_id, recipient_id)
    assert whom is not None  # noqa: S101  a row refers to it
    for each in await store.recipients_at(connection, scope.merchant_id, whom.email):
        await _note(connection, scope, each.recipient_id, now, by, bounced_at=now)


async def mark(
    connection: AsyncConnection,
    scope: Scope,
    recipient_id: str,
    now: Micros,
    *,
    by: Actor = COMMAND,
) -> Recipient:
    """Nothing more is sent to them, what waits included; again is no error. Raises NotFound."""
    return await _decided(connection, scope, recipient_id, now, by, bounced_at=now)


async def restore(
    connection: AsyncConnection,
    scope: Scope,
    recipient_id: str,
    now: Micros,
    *,
    by: Actor = COMMAND,
) -> Recipient:
    """They are written to again; what was skipped stays so until it is retried. Raises NotFound."""
    return await _decided(connection, scope, recipient_id, now, by, bounced_at=None)


async def _decided(
    connection: AsyncConnection,
    scope: Scope,
    recipient_id: str,
    now: Micros,
    by: Actor,
    *,
    bounced_at: Micros | None,
) -> Recipient:
    await service.find_recipient(connection, scope, recipient_id)
    await _note(connection, scope, recipient_id, now, by, bounced_at=bounced_at)
    return await service.find_recipient(connection, scope, recipient_id)


async def _note(
    connection: AsyncConnection,
    scope: Scope,
    recipient_id: str,
    now: Micros,
    by: Actor,
    *,
    bounced_at: Micros | None,
) -> None:
    """Into the audit of the engagement through which it was learnt, once, whatever they read."""
    if await store.note_bounce(connection, scope.merchant_id, recipient_id, bounced_at):
        action: Action = "recipient.restored" if bounced_at is None else "recipient.bounced"
        await audit.record(connection, scope, action, by, now, recipient_id=recipient_id)
