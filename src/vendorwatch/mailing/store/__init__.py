"""Rows of recipients and deliveries: all of them the merchant's."""

from vendorwatch.mailing.store.deliveries import (
    deliveries,
    delivery,
    digest_engagements,
    engagements,
    of_mail,
    place,
    place_of_mail,
    troubled,
    unsent,
    waiting,
)
from vendorwatch.mailing.store.places import Place
from vendorwatch.mailing.store.recipients import (
    add_recipient,
    note_bounce,
    recipient,
    recipients,
    recipients_at,
    remove_recipient,
)
from vendorwatch.mailing.store.sending import (
    add_deliveries,
    cancel_superseded,
    change,
    claim,
    mark,
    postpone,
    renew,
)

__all__ = [
    "Place",
    "add_deliveries",
    "add_recipient",
    "cancel_superseded",
    "change",
    "claim",
    "deliveries",
    "delivery",
    "digest_engagements",
    "engagements",
    "mark",
    "note_bounce",
    "of_mail",
    "place",
    "place_of_mail",
    "postpone",
    "recipient",
    "recipients",
    "recipients_at",
    "remove_recipient",
    "renew",
    "troubled",
    "unsent",
    "waiting",
]
