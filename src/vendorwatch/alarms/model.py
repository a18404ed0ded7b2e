"""What the operators are told of by mail: work of ours that is not done. The state decides."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from vendorwatch.closing.model import Overdue
from vendorwatch.mailing.keys import UniqueKey
from vendorwatch.mailing.model import Delivery
from vendorwatch.mailing.model import State as MailState
from vendorwatch.mailing.schedule import NEVER, due_at, is_given_up, is_overdue, may_start
from vendorwatch.periods import DAY, SECOND, Micros, Month, load_zone, to_datetime

Kind = Literal["month_overdue", "months_unreadable", "mail_overdue", "mail_given_up"]
Key = tuple[str, str, Kind]
"""engagement_id, subject_key, kind: of each there is one alarm at most."""

GATHERED: Micros = 3_600 * SECOND
"""The operators get one mail in that time: what comes meanwhile is gathered for the next one."""

STALE: Micros = 30 * DAY
"""What nobody was told of in that time, as there was no address, is no news any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """`subject_key` is a month, or a delivery's id; `since` when the work was due; `reason` the last
    error, as far as it was known when the alarm was raised.
    """

    engagement_id: str
    subject_key: str
    kind: Kind
    since: Micros
    reason: str | None
    raised_at: Micros
    state: MailState = "queued"
    message_id: str | None = None
    attempts: int = 0
    next_attempt_at: Micros
    leased_until: Micros | None = None
    lease_token: str | None = None
    last_reply: str | None = None
    sent_at: Micros | None = None

    @property
    def key(self) -> Key:
        return (self.engagement_id, self.subject_key, self.kind)

    @property
    def unique_key(self) -> UniqueKey:
        return (self.engagement_id, self.subject_key, "operators", self.kind)


@dataclass(frozen=True, slots=True)
class State:
    """`months` are overdue, `mails` are overdue or given up; of `raised` there are alarms already."""

    months: Sequence[Overdue]
    mails: Sequence[Delivery]
    raised: Collection[Key]


def due(state: State, now: Micros) -> list[Alarm]:
    """Those to raise now, the longest wait first."""
    found = [*_of_months(state.months, now), *_of_mails(state.mails, now)]
    new = [each for each in found if each.key not in state.raised]
    return sorted(new, key=lambda each: (each.since, each.key))


def shown(instant: Micros) -> str:
    """As operators read it, in UTC."""
    return to_datetime(instant).strftime("%Y-%m-%d %H:%M UTC")


def _of_months(months: Sequence[Overdue], now: Micros) -> Iterator[Alarm]:
    for each in months:
        engagement_id, failure = each.scope.engagement_id, each.failure
        if each.month is None:  # once a month, as long as it lasts
            this = str(Month.of(now, load_zone("UTC")))
            reason = None if failure is None else failure.reason
            yield _alarm(engagement_id, this, "months_unreadable", now, reason, now)
            continue
        since = now if each.due_at is None else each.due_at
        reason = None
        if failure is not None:
            times = "once" if failure.times == 1 else f"{failure.times} times"
            reason = f"{failure.reason} (failed {times}, last on {shown(failure.failed_at)})"
        yield _alarm(engagement_id, str(each.month), "month_overdue", since, reason, now)


def _of_mails(mails: Sequence[Delivery], now: Micros) -> Iterator[Alarm]:
    for row in mails:
        reason = ": ".join(filter(None, (row.reason, row.last_reply))) or None
        if is_given_up(row):
            kind: Kind = "mail_given_up"
            reason = f"{row.subject_key}, {reason}"
        elif is_overdue(row, now):
            kind = "mail_overdue"
        else:
            continue
        yield _alarm(row.engagement_id, row.delivery_id, kind, due_at(row), reason, now)


def _alarm(
    engagement_id: str, subject_key: str, kind: Kind, since: Micros, reason: str | None, now: Micros
) -> Alarm:
    return Alarm(
        engagement_id=engagement_id,
        subject_key=subject_key,
        kind=kind,
        since=since,
        reason=reason,
        raised_at=now,
        next_attempt_at=now,
    )


def next_mail(unsent: Sequence[Alarm], last_sent_at: Micros | None, now: Micros) -> list[Alarm]:
    """What one mail tells of now; empty where none is due. A mail that was begun stays as it is, and
    goes before another is begun.
    """
    open_ones = [each for each in unsent if each.next_attempt_at != NEVER]
    begun = [each for each in open_ones if each.message_id is not None]
    if begun:
        return begun if all(may_start(each, now) for each in begun) else []
    if last_sent_at is not None and now - last_sent_at < GATHERED:
        return []
    return [each for each in open_ones if may_start(each, now) and each.raised_at > now - STALE]
