"""When a month is due, and what is late. The state decides; nothing here acts."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal
from zoneinfo import ZoneInfo

from vendorwatch.audit.model import COMMAND, Actor
from vendorwatch.db.scope import Scope
from vendorwatch.periods import DAY, SECOND, Micros, Month
from vendorwatch.scorecards.changes import Changes
from vendorwatch.scoring.inputs import final_instant
from vendorwatch.scoring.policy import Policy, in_force

Approval = Literal["automatic", "hold"]
LateData = Literal["ask", "automatic"]
IssuanceState = Literal["held", "issued"]
MonthState = Literal["open", "due", "held", "issued"]
NoticeKind = Literal["missing_data", "approval_reminder"]
Action = Literal["notice", "close", "remind", "compare"]
Difference = Literal["records", "names", "policy", "definitions"]
"""`names`: the records differ by names of agents alone. `definitions`: neither records nor policy
differ, but this version of vendorwatch computes something else from them."""

BY_RULE: Final = "rule"
By = Actor | Literal["rule"]
"""A person, by a key or by a command, or the closing rules themselves."""
LATE_AFTER: Micros = 3_600 * SECOND
OVERDUE_AFTER: Micros = DAY
REMIND_AFTER: Micros = 3 * DAY
COMPARE_EVERY: Micros = DAY
MONTHS_COMPARED = 13
"""Late data is looked for in so many of the newest frozen months: a year, and the month itself."""
_NOTICE_ON = 3  # day of the month that follows


@dataclass(frozen=True, slots=True)
class Rules:
    """`first_month` None: the one in which the engagement was created; `last_month` None: no end."""

    approval: Approval = "automatic"
    late_data: LateData = "ask"
    first_month: Month | None = None
    last_month: Month | None = None


@dataclass(frozen=True, slots=True)
class Issuance:
    """One revision. `due_at` is None but for the first; `uploads` is the newest upload it counts.

    `compared_at` is when it was last computed anew, `differs` what had changed by then.
    """

    month: Month
    revision: int
    scorecard_id: str
    due_at: Micros | None
    frozen_at: Micros
    state: IssuanceState
    issued_at: Micros | None
    decided_by: str | None
    reason: str | None
    is_late: bool
    changes: Changes | None
    uploads: int
    compared_at: Micros | None = None
    differs: tuple[Difference, ...] | None = None


@dataclass(frozen=True, slots=True)
class State:
    """All that decides what is due for one engagement.

    `policies` are its versions, oldest first; `newest` has the newest revision of each frozen month;
    `noticed` what was looked for or told already.
    """

    zone: ZoneInfo
    created_at: Micros
    rules: Rules
    policies: Sequence[Policy]
    default: Policy
    newest: dict[Month, Issuance]
    noticed: Collection[tuple[Month, NoticeKind]] = ()

    @property
    def first_month(self) -> Month:
        return self.rules.first_month or Month.of(self.created_at, self.zone)

    def due_at(self, month: Month) -> Micros:
        """When it is over and settled, by the policy that counts for it."""
        return final_instant(month, self.zone, in_force(self.policies, month) or self.default)

    def notice_at(self, month: Month) -> Micros | None:
        """On the third day after, or a day before it closes; None if that is before its end."""
        following = month.next().days_in(self.zone)
        third = next(start for day, start, _ in following if day.day >= _NOTICE_ON)
        at = min(third, self.due_at(month) - DAY)
        return at if at >= month.bounds(self.zone)[1] else None

    def begun(self, now: Micros) -> Iterator[Month]:
        """The months that are closed by rule, as far as they have begun, oldest first."""
        month = self.first_month
        last = self.rules.last_month
        while self.zone_start(month) <= now and (last is None or month <= last):
            yield month
            month = month.next()

    def asked_since(self, month: Month) -> Micros:
        """From when on there should be interactions: not before the engagement was there."""
        start = self.zone_start(month)
        return start if self.rules.first_month else max(start, self.created_at)

    def zone_start(self, month: Month) -> Micros:
        return month.bounds(self.zone)[0]

    def covers(self, month: Month) -> bool:
        last = self.rules.last_month
        return self.first_month <= month and (last is None or month <= last)

    def month_state(self, month: Month, now: Micros) -> MonthState:
        if month in self.newest:
            return self.newest[month].state
        return "due" if self.due_at(month) <= now else "open"


@dataclass(frozen=True, slots=True)
class Due:
    month: Month
    action: Action
    at: Micros


@dataclass(frozen=True, slots=True)
class Failure:
    """How often a month could not be closed, and why the last time."""

    times: int
    reason: str
    failed_at: Micros


@dataclass(frozen=True, slots=True)
class Overdue:
    """A month that should have been frozen a day ago. Without one: nobody can read how the
    engagement's months stand, and why.
    """

    scope: Scope
    month: Month | None
    due_at: Micros | None
    failure: Failure | None


def decided_by(by: By) -> str:
    """As it is kept beside the revision, and shown."""
    return by if isinstance(by, str) else by.key_id or "operator"


def audited(by: By) -> Actor:
    """Rules act without a key, as commands do."""
    return COMMAND if isinstance(by, str) else by


def due(state: State, now: Micros) -> list[Due]:
    """What is to be done by now, the oldest month first."""
    found = []
    for month in sorted({*state.begun(now), *state.newest}):
        standing = state.newest.get(month)
        candidates = _of_frozen(state, standing) if standing else _of_unfrozen(state, month, now)
        found += [each for each in candidates if each.at <= now]
    compared = sorted(state.newest)[-MONTHS_COMPARED:]
    return [each for each in found if each.action != "compare" or each.month in compared]


def _of_unfrozen(state: State, month: Month, now: Micros) -> Iterator[Due]:
    at = state.due_at(month)
    yield Due(month, "close", at)
    notice_at = state.notice_at(month)
    is_open = now < at and (month, "missing_data") not in state.noticed
    if notice_at is not None and is_open:
        yield Due(month, "notice", notice_at)


def _of_frozen(state: State, standing: Issuance) -> Iterator[Due]:
    month = standing.month
    if standing.state == "held" and (month, "approval_reminder") not in state.noticed:
        yield Due(month, "remind", standing.frozen_at + REMIND_AFTER)
    seen_at = standing.frozen_at if standing.compared_at is None else standing.compared_at
    yield Due(month, "compare", seen_at + COMPARE_EVERY)


def overdue(state: State, now: Micros) -> list[Month]:
    """Months that should have been frozen a day ago and are not: something is wrong with us.

    A held one is not among them: it waits for a person, who is reminded.
    """
    return [each.month for each in due(state, now - OVERDUE_AFTER) if each.action == "close"]


def revisable(state: State) -> list[Month]:
    """Frozen months that would come out differently now, as far as they were compared."""
    return sorted(month for month, standing in state.newest.items() if standing.differs)


def is_late(due_at: Micros, frozen_at: Micros) -> bool:
    return frozen_at - due_at > LATE_AFTER
