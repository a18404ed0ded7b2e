"""Whose data a use case may touch."""

import uuid
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scope:
    """One engagement of one merchant. Store functions on tenant data cannot be called without it."""

    merchant_id: str
    engagement_id: str


def is_id(text: str) -> bool:
    """Whether it has the form of our ids; what has not is simply not found."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
