"""Who is written to, what is put in the queue, and what somebody does about it by hand."""

import uuid
from collections.abc import Collection, Mapping

from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.audit import service as audit
from vendorwatch.audit.model import COMMAND, Action, Actor
from vendorwatch.db import wall
from vendorwatch.db.locks import lock_merchant
from vendorwatch.db.scope import Scope, is_id
from vendorwatch.errors import NotFound
from vendorwatch.mailing import store
from vendorwatch.mailing.keys import Permit
from vendorwatch.mailing.model import (
    TOLD,
    Asked,
    Delivery,
    DeliveryConflict,
    Issued,
    Notice,
    Recipient,
    RecipientConflict,
    State,
    check_recipient,
)
from vendorwatch.mailing.schedule import NEVER, OVERDUE_AFTER, is_given_up, is_overdue
from vendorwatch.periods import DAY, Micros
from vendorwatch.scorecards.render import languages

_FAILURES_TOLD: Micros = 30 * DAY


async def add_recipient(
    connection: AsyncConnection, scope: Scope, asked: Asked, now: Micros, *, by: Actor = COMMAND
) -> tuple[Recipient, bool]:
    """The recipient, and whether it is new: the same again is the one that is there.

    The transaction must be one of the merchant's. Raises BadRecipient, RecipientConflict.
    """
    checked = check_recipient(asked, languages())
    await lock_merchant(connection, scope.merchant_id)  # no address is added twice
    made = Recipient(
        merchant_id=scope.merchant_id,
        recipient_id=str(uuid.uuid4()),
        engagement_id=None if checked.every_vendor else scope.engagement_id,
        side=checked.side,
        email=checked.email,
        name=checked.name,
        language=checked.language,
        kind=checked.kind,
        created_at=now,
    )
    for each in await store.recipients(connection, scope, removed=False):
        if _slot(each) == _slot(made):
            if (each.name, each.language) != (made.name, made.language):
                raise RecipientConflict(
                    f"{each.email} gets it already, as {each.name!r} in {each.language!r}."
                )
            return each, False
    await store.add_recipient(connection, made)
    await audit.record(
        connection, scope, "recipient.added", by, now,
        recipient_id=made.recipient_id, side=made.side, kind=made.kind,
        every_vendor=made.engagement_id is None,
    )  # fmt: skip
    return made, True


def _slot(recipient: Recipient) -> tuple[str | None, ...]:
    """What one person is written to about once. Hosts are in lower case already; names of
    mailboxes may differ by case, and never do.
    """
    return (
        recipient.engagement_id,
        recipient.side,
        recipient.kind,
        recipient.email.lower(),
    )


async def recipients(
    connection: AsyncConnection,
    scope: Scope,
    *,
    after: store.Place | None = None,
    limit: int | None = None,
) -> list[Recipient]:
    """Those whom the engagement concerns, removed ones included, the oldest first."""
    return await store.recipients(connection, scope, after=after, limit=limit)


async def remove_recipient(
    connection: AsyncConnection,
    scope: Scope,
    recipient_id: str,
    now: Micros,
    *,
    by: Actor = COMMAND,
) -> Recipient:
    """Nothing more is sent, what waits included; again is no error. Raises NotFound."""
    await find_recipient(connection, scope, recipient_id)
    is_gone = await store.remove_recipient(connection, scope.merchant_id, recipient_id, now)
    found = await find_recipient(connection, scope, recipient_id)
    if is_gone:
        await audit.record(
            connection, scope, "recipient.removed", by, now, recipient_id=recipient_id
        )
    return found


async def unsubscribe(
    connection: AsyncConnection, permit: Permit, now: Micros, *, by: Actor
) -> Recipient:
    """What a signed link in a mail does. Raises NotFound."""
    return await remove_recipient(connection, permit.scope, permit.subject, now, by=by)


async def subscriber(connection: AsyncConnection, permit: Permit) -> Recipient:
    """Whom a signed link is about. Raises NotFound."""
    return await find_recipient(connection, permit.scope, permit.subject)


async def find_recipient(connection: AsyncConnection, scope: Scope, recipient_id: str) -> Recipient:
    """Raises NotFound, also for whom another engagement alone concerns."""
    found = is_id(recipient_id) and await store.recipient(
        connection, scope.merchant_id, recipient_id
    )
    if not found or not found.concerns(scope.engagement_id):
        raise NotFound("There is no such recipient.")
    return found


async def queue(connection: AsyncConnection, issued: Issued, *, now: Micros) -> list[Delivery]:
    """A row for everybody who is to get it; call it in the transaction that issues it.

    The same again adds nothing. Mails about the one that it replaces, and that nobody began to
    send, are cancelled.
    """
    scope = issued.scope
    async with wall.widened(connection, scope):
        facts = None
        if issued.replaces is not None:
            await store.cancel_superseded(connection, scope, issued.replaces)
            facts = {"replaces": issued.replaces}
        rows = [
            _row(scope, each, issued.subject_key, each.kind, issued.scorecard_id, facts, now)
            for each in await store.recipients(connection, scope, removed=False)
        ]
        await store.add_deliveries(connection, rows)
    return rows


async def queue_notice(
    connection: AsyncConnection,
    scope: Scope,
    subject_key: str,
    kind: Notice,
    now: Micros,
    *,
    facts: Mapping[str, object] | None = None,
) -> list[Delivery]:
    """As `queue`, about something that is no scorecard; at most once for a subject and kind.

    `subject_key` begins with the month, as in 2026-10/missing-data. `facts` are what the text names
    besides: see mailing.notice. One address gets it once.
    """
    async with wall.widened(connection, scope):
        told = {
            (each.side, each.email.lower()): each
            for each in reversed(await store.recipients(connection, scope, removed=False))
            if each.side in TOLD[kind]
        }
        rows = [
            _row(scope, each, subject_key, kind, None, facts, now)
            for each in reversed(told.values())
        ]
        await store.add_deliveries(connection, rows)
    return rows


def _row(
    scope: Scope,
    recipient: Recipient,
    subject_key: str,
    kind: str,
    scorecard_id: str | None,
    facts: Mapping[str, object] | None,
    now: Micros,
) -> Delivery:
    return Delivery(
        merchant_id=scope.merchant_id,
        delivery_id=str(uuid.uuid4()),
        engagement_id=scope.engagement_id,
        scorecard_id=scorecard_id,
        subject_key=subject_key,
        recipient_id=recipient.recipient_id,
        kind=kind,
        facts=facts,
        state="queued",
        reason=None,
        message_id=None,
        attempts=0,
        next_attempt_at=now,
        leased_until=None,
        lease_token=None,
        last_reply=None,
        created_at=now,
        sent_at=None,
    )


async def deliveries(
    connection: AsyncConnection,
    scope: Scope | None,
    *,
    states: Collection[State] | None = None,
    after: store.Place | None = None,
    limit: int | None = None,
) -> list[Delivery]:
    """The newest first. Of all merchants without a scope: for whoever runs the server."""
    return await store.deliveries(connection, scope, states=states, after=after, limit=limit)


async def troubled(connection: AsyncConnection, now: Micros) -> list[Delivery]:
    """Of all merchants, those that are overdue, and of those queued in the last 30 days those given
    up: for whoever runs the server.
    """
    found = await store.troubled(
        connection, created_before=now - OVERDUE_AFTER, failed_since=now - _FAILURES_TOLD
    )
    return [row for row in found if is_overdue(row, now) or is_given_up(row)]


async def place_of(connection: AsyncConnection, delivery_id: str) -> Scope:
    """Whose it is: for whoever runs the server. Raises NotFound."""
    scope = await store.place(connection, delivery_id) if is_id(delivery_id) else None
    if scope is None:
        raise NotFound(f"There is no delivery {delivery_id}.")
    return scope


async def find_delivery(connection: AsyncConnection, scope: Scope, delivery_id: str) -> Delivery:
    """Raises NotFound, also for another engagement's."""
    found = is_id(delivery_id) and await store.delivery(connection, scope, delivery_id)
    if not found:
        raise NotFound("There is no such delivery.")
    return found


async def retry(
    connection: AsyncConnection, scope: Scope, delivery_id: str, now: Micros, *, by: Actor = COMMAND
) -> Delivery:
    """It is tried anew from now on, as the same mail. Raises NotFound, DeliveryConflict."""
    values = {"state": "queued", "reason": None, "attempts": 0, "next_attempt_at": now}
    return await _decide(connection, scope, delivery_id, values, "delivery.retried", by, now)


async def cancel(
    connection: AsyncConnection, scope: Scope, delivery_id: str, now: Micros, *, by: Actor = COMMAND
) -> Delivery:
    """It is not sent, unless somebody asks for it again. Raises NotFound, DeliveryConflict."""
    values = {"state": "cancelled", "reason": "by-hand", "next_attempt_at": NEVER}
    return await _decide(connection, scope, delivery_id, values, "delivery.cancelled", by, now)


async def _decide(
    connection: AsyncConnection,
    scope: Scope,
    delivery_id: str,
    values: Mapping[str, object],
    action: Action,
    by: Actor,
    now: Micros,
) -> Delivery:
    await lock_merchant(connection, scope.merchant_id)
    found = await find_delivery(connection, scope, delivery_id)
    if found.state in {"sent", "sending"}:
        raise DeliveryConflict(f"The mail is {found.state}.")
    mail = [found]
    if found.message_id is not None:  # it goes or stays as a whole
        mail = await store.of_mail(connection, scope.merchant_id, found.message_id)
    if all(getattr(each, name) == value for each in mail for name, value in values.items()):
        return found
    await store.change(connection, mail, **values)
    changed = await find_delivery(connection, scope, delivery_id)
    await audit.record(connection, scope, action, by, now, delivery_id=delivery_id, kind=found.kind)
    return changed
