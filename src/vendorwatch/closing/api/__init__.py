"""`/v1/closings` and `/v1/closing-rules`: how months stand, and what a person decides about them."""

from vendorwatch.closing.api import decisions, months, rules

HANDLERS = (*months.HANDLERS, *decisions.HANDLERS, *rules.HANDLERS)
