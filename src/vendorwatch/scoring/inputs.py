"""All that a scorecard depends on, and as of which instant it is computed."""

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import polars as pl

from vendorwatch.errors import Kind, VendorwatchError
from vendorwatch.periods import CLOCK_SKEW, DAY, Micros, Month, format_instant
from vendorwatch.scoring.clock import Calendars
from vendorwatch.scoring.policy import Policy


class FutureAsOf(VendorwatchError):
    """Figures were asked as of an instant that lies more than five minutes ahead, or of a month that
    has not begun.

    Ask without an instant for the figures of now, or for one that has passed.
    """

    kind = Kind.REFUSED
    slug = "future-as-of"
    title = "The as-of instant lies in the future"


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """The policy that counts for the month, and the calendars of all versions, oldest first."""

    policy: Policy
    policy_id: str
    version: int
    sha256: str
    calendars: Calendars


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that a scorecard depends on. Frames: see scoring.frames; their row order is free."""

    engagement_id: str
    merchant: str
    vendor: str
    vendor_id: str
    zone: ZoneInfo
    month: Month
    as_of: Micros
    now: Micros
    policy: PolicyVersion
    received: int  # interactions in force that were opened by as_of, in any month
    uploads: Mapping[str, int]  # rows by outcome, over the uploads that touch the month
    interactions: pl.DataFrame  # INTERACTIONS: all that were opened in the month, or more
    # CONTACTS of the merchant that are not among `interactions`: of other engagements from the
    # month's start on, of this one after the month; or more
    contacts: pl.DataFrame
    knowledge: pl.DataFrame  # KNOWLEDGE: checks due in the month and by as_of
    answers: pl.DataFrame  # ANSWERS: what was asked in the 180 days before as_of
    reviews: pl.DataFrame  # REVIEWS: of interactions of the month, or more
    names: Mapping[str, str | None]
    aliases: Mapping[str, str]  # other ids of agents, and the agent_id that each stands for
    code_version: str


def final_instant(month: Month, zone: ZoneInfo, policy: Policy) -> Micros:
    """When the month is final: its end and the settling time, as elapsed time."""
    return month.bounds(zone)[1] + policy.settling_days * DAY


def resolve_as_of(
    asked: Micros | None, *, month: Month, zone: ZoneInfo, policy: Policy, now: Micros
) -> Micros:
    """The final instant once it has passed, else now, unless one is asked for.

    Raises FutureAsOf, also for a month that has not begun.
    """
    if month.bounds(zone)[0] > now + CLOCK_SKEW:
        raise FutureAsOf(f"{month} has not begun.")
    if asked is None:
        return min(final_instant(month, zone, policy), now)
    if asked > now + CLOCK_SKEW:
        raise FutureAsOf(f"{format_instant(asked)} has not come yet.")
    return asked
