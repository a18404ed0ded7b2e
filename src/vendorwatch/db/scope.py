"""Whose data a use case may touch."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scope:
    """One engagement of one merchant. Store functions on tenant data cannot be called without it."""

    merchant_id: str
    engagement_id: str
