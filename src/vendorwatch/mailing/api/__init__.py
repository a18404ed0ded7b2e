"""The HTTP edge: recipients, deliveries, and what the links in a mail lead to."""

from vendorwatch.mailing.api.deliveries import cancel_delivery, list_deliveries, retry_delivery
from vendorwatch.mailing.api.links import ask_to_unsubscribe, report, unsubscribe
from vendorwatch.mailing.api.recipients import (
    add_recipient,
    list_recipients,
    mark_bounced,
    remove_recipient,
    restore_recipient,
)

__all__ = ["HANDLERS"]

HANDLERS = (
    list_recipients,
    add_recipient,
    remove_recipient,
    mark_bounced,
    restore_recipient,
    list_deliveries,
    retry_delivery,
    cancel_delivery,
    ask_to_unsubscribe,
    unsubscribe,
    report,
)
