"""Recipients and deliveries as they are shown, by the API and by commands."""

from typing import Annotated

import msgspec

from vendorwatch.mailing.model import Delivery, Recipient, Side, State, Wanted
from vendorwatch.mailing.schedule import NEVER
from vendorwatch.periods import Micros, format_instant


class RecipientItem(msgspec.Struct, frozen=True, kw_only=True):
    recipient_id: str
    email: str
    name: str
    language: str
    kind: Wanted
    side: Side
    every_vendor: bool
    created_at: str
    removed_at: str | None
    bounced_at: Annotated[
        str | None, msgspec.Meta(description="Since then mail to them never arrives: none is sent.")
    ]


def recipient_item(recipient: Recipient) -> RecipientItem:
    return RecipientItem(
        recipient_id=recipient.recipient_id,
        email=recipient.email,
        name=recipient.name,
        language=recipient.language,
        kind=recipient.kind,
        side=recipient.side,
        every_vendor=recipient.engagement_id is None,
        created_at=format_instant(recipient.created_at),
        removed_at=_shown(recipient.removed_at),
        bounced_at=_shown(recipient.bounced_at),
    )


class DeliveryItem(msgspec.Struct, frozen=True, kw_only=True):
    """Deliveries with one message_id are one mail. `reason` is a code; `last_reply` what the mail
    server said last.
    """

    delivery_id: str
    subject_key: str
    kind: str
    recipient_id: str
    scorecard_id: str | None
    state: State
    reason: str | None
    message_id: str | None
    attempts: int
    next_attempt_at: str | None
    last_reply: str | None
    created_at: str
    sent_at: str | None


def delivery_item(row: Delivery) -> DeliveryItem:
    planned = row.state in {"queued", "unknown"} and row.next_attempt_at != NEVER
    return DeliveryItem(
        delivery_id=row.delivery_id,
        subject_key=row.subject_key,
        kind=row.kind,
        recipient_id=row.recipient_id,
        scorecard_id=row.scorecard_id,
        state=row.state,
        reason=row.reason,
        message_id=row.message_id,
        attempts=row.attempts,
        next_attempt_at=_shown(row.next_attempt_at) if planned else None,
        last_reply=row.last_reply,
        created_at=format_instant(row.created_at),
        sent_at=_shown(row.sent_at),
    )


def _shown(instant: Micros | None) -> str | None:
    return None if instant is None else format_instant(instant)
