"""Whose data a use case may touch."""

import uuid
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reach:
    """What row-level security lets a transaction see; an empty field opens nothing.

    `engagement`: that engagement's rows, and of its merchant what every vendor is told.
    `merchant`: all that is the merchant's, and whose customers came back to which of its vendors.
    `key`: the API keys of that id, before it is known whose they are.
    `operator`: who works for whom, where each scorecard belongs, and what decides what is due.
    """

    engagement: str = ""
    merchant: str = ""
    key: str = ""
    operator: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    """One engagement of one merchant. Store functions on tenant data cannot be called without it."""

    merchant_id: str
    engagement_id: str

    @property
    def reach(self) -> Reach:
        return Reach(engagement=self.engagement_id)

    def of_merchant(self) -> "MerchantScope":
        return MerchantScope(self)


@dataclass(frozen=True, slots=True)
class MerchantScope:
    """An engagement with all that is its merchant's: every question, check and rubric.

    For the merchant's own people and for the operator, never for a vendor.
    """

    scope: Scope

    @property
    def reach(self) -> Reach:
        return Reach(engagement=self.scope.engagement_id, merchant=self.scope.merchant_id)


OPERATOR = Reach(operator="on")


def is_id(text: str) -> bool:
    """Whether it has the form of our ids; what has not is simply not found."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
