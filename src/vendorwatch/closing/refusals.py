"""What cannot be done about months, and why. Pure."""

from zoneinfo import ZoneInfo

from vendorwatch.closing.model import Rules
from vendorwatch.db.text import is_illegal
from vendorwatch.errors import Kind, VendorwatchError
from vendorwatch.periods import Micros, Month

LONGEST_REASON = 1_000
MOST_MONTHS_BACK = 24
"""How far before the present month the first one may lie: each is closed, and mailed."""


class BadClosingRequest(VendorwatchError):
    """A month is not one, the first lies behind the last or more than 24 months back, or a reason is
    empty, longer than 1000 characters or holds NUL or half of a character.

    Correct what is named; write months as 2026-10.
    """

    kind = Kind.REFUSED
    slug = "bad-closing-request"
    title = "The request about closing months was refused"


class MonthNotDue(VendorwatchError):
    """The month is not over and settled yet, or lies outside the months that are closed.

    Wait until `due_at`, or change the first or the last month in the closing rules.
    """

    kind = Kind.CONFLICT
    slug = "month-not-due"
    title = "The month is not due"


class MonthNotFrozen(VendorwatchError):
    """The month has no scorecard that could be approved or revised: it was not closed yet.

    Look at /v1/closings for when it is due; `vendorwatch close-month` closes one that is.
    """

    kind = Kind.CONFLICT
    slug = "month-not-frozen"
    title = "The month was not closed yet"


class NothingToRevise(VendorwatchError):
    """Computed again, the month has the same records under the same policy.

    There is nothing to do. Corrections count as soon as the upload that brings them is answered.
    """

    kind = Kind.CONFLICT
    slug = "nothing-to-revise"
    title = "A revision would change nothing"


def check_reason(reason: str) -> str:
    """Without white space around it. Raises BadClosingRequest."""
    text = reason.strip()
    if not text or len(text) > LONGEST_REASON or is_illegal(text):
        raise BadClosingRequest(
            f"reason: needs 1 to {LONGEST_REASON} characters, none of them NUL or half of one."
        )
    return text


def check_rules(rules: Rules, zone: ZoneInfo, now: Micros) -> Rules:
    """Raises BadClosingRequest."""
    first, last = rules.first_month, rules.last_month
    earliest = Month.of(now, zone)
    for _ in range(MOST_MONTHS_BACK):
        earliest = earliest.previous()
    if first is not None and first < earliest:
        raise BadClosingRequest(
            f"first_month: {first} lies more than {MOST_MONTHS_BACK} months back; each month since "
            "would be closed and mailed."
        )
    if first is not None and last is not None and last < first:
        raise BadClosingRequest(f"last_month: {last} lies before the first month, {first}.")
    return rules
