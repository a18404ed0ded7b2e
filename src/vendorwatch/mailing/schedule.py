"""Which mail is next, and what comes of an attempt. State and an instant decide; nothing else."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from vendorwatch.db.scope import Scope
from vendorwatch.mailing.model import OPEN, RECIPIENT_BOUNCED, Delivery, Recipient, State
from vendorwatch.periods import DAY, SECOND, Micros

LEASE: Micros = 1_800 * SECOND
"""Longer than any attempt: rendering, and the ten minutes that a server may take after the dot."""

DIGEST_PATIENCE: Micros = DAY
"""How long a digest waits for the merchant's other vendors."""

_MINUTE, _HOUR = 60 * SECOND, 3_600 * SECOND
_PAUSES = (5 * _MINUTE, 15 * _MINUTE, _HOUR, 2 * _HOUR, 4 * _HOUR, *([8 * _HOUR] * 11))
"""Between attempts: four days in all, then it is given up."""

OVERDUE_AFTER: Micros = DAY
"""The operators are told of a mail that waits for longer."""

NEVER: Micros = 2**62
"""No attempt is planned any more; somebody may still ask for one."""

IN_DOUBT = "unknown"
"""The reason of a mail that may have arrived."""

GIVEN_UP = "given-up"
NOT_SENT_ANY_MORE = (GIVEN_UP, RECIPIENT_BOUNCED)
"""Reasons of mails that nobody decided not to send: the operators are told."""
"""The reason of a mail that was tried for four days."""


class Ending(Enum):
    """How an attempt ended, as far as we know."""

    SENT = "sent"
    DEFERRED = "deferred"  # not taken now; perhaps later
    REFUSED = "refused"  # not taken, and never will be
    TOO_LARGE = "too-large"
    NOT_COMPOSED = "not-composed"  # the PDF could not be made, or the text: nothing was sent
    UNKNOWN = "unknown"  # the connection broke when the mail was out of our hands
    UNREACHABLE = "unreachable"  # no server, for no mail
    INSECURE = "insecure"  # the server offers no encryption, or a certificate that is none
    LOGIN = "login"  # the server refuses our name and password


STOPS: Mapping[Ending, Micros] = {
    Ending.UNREACHABLE: 5 * _MINUTE,
    Ending.INSECURE: _HOUR,
    Ending.LOGIN: _HOUR,
}
"""What is wrong with the server is wrong for every mail: no other is tried before that pause is over."""


@dataclass(frozen=True, slots=True)
class Attempt:
    ending: Ending
    reply: str  # the server's words, or ours where it said nothing


@dataclass(frozen=True, slots=True)
class Mark:
    """What a row says after an attempt."""

    state: State
    reason: str | None
    next_attempt_at: Micros
    attempts: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """Whom a recipient's digest of a month is about: those that have come, and all there are."""

    issued: Collection[str]
    all: Collection[str]


@dataclass(frozen=True, slots=True)
class Claimed:
    """A mail that is ours until the lease runs out."""

    rows: Sequence[Delivery]
    recipient: Recipient
    message_id: str
    token: str
    attempts: int
    doubtful: bool

    @property
    def scope(self) -> Scope:
        return self.rows[0].scope


class Outgoing(Protocol):
    """What is sent, as far as it decides when it is tried."""

    @property
    def state(self) -> State: ...
    @property
    def next_attempt_at(self) -> Micros: ...
    @property
    def leased_until(self) -> Micros | None: ...


def due(
    rows: Iterable[Delivery], digests: Mapping[tuple[str, str], Waiting], now: Micros
) -> list[list[Delivery]]:
    """Mails to send now, each with its rows; the one that has waited longest first.

    `digests` has an entry for each recipient and month of which a digest waits.
    """
    mails: dict[tuple[str, ...], list[Delivery]] = defaultdict(list)
    for row in rows:
        mails[_mail_of(row)].append(row)
    ready = [mail for mail in mails.values() if _is_due(mail, digests, now)]
    return sorted(
        ready,
        # Months that were caught up at once go out in their order.
        key=lambda mail: min(
            (row.next_attempt_at, row.created_at, row.subject_key) for row in mail
        ),
    )


def _mail_of(row: Delivery) -> tuple[str, ...]:
    if row.message_id is not None:
        return ("fixed", row.message_id)
    if row.kind == "digest":
        return ("digest", row.recipient_id, row.month)
    return ("single", row.delivery_id)


def _is_due(
    mail: Sequence[Delivery], digests: Mapping[tuple[str, str], Waiting], now: Micros
) -> bool:
    if not all(may_start(row, now) for row in mail):
        return False
    first = mail[0]
    if first.kind != "digest" or first.message_id is not None:
        return True
    waiting = digests[first.recipient_id, first.month]
    complete = set(waiting.all) <= set(waiting.issued)
    return complete or now - min(row.created_at for row in mail) >= DIGEST_PATIENCE


def may_start(row: Outgoing, now: Micros) -> bool:
    if row.state == "sending":  # whoever had it did not come back
        return row.leased_until is not None and row.leased_until <= now
    return row.state in OPEN and row.next_attempt_at <= now


def due_at(row: Delivery) -> Micros:
    """When it should go out at the latest."""
    return row.created_at + (DIGEST_PATIENCE if row.kind == "digest" else 0)


def is_overdue(row: Delivery, now: Micros) -> bool:
    """Not sent a day after it was due, nor given up: something is wrong with us, or with a server."""
    waits = row.state in (*OPEN, "sending") and row.next_attempt_at != NEVER
    return waits and due_at(row) + OVERDUE_AFTER <= now


def is_given_up(row: Delivery) -> bool:
    return row.state == "failed" or row.reason in NOT_SENT_ANY_MORE


def after(ending: Ending, attempts: int, now: Micros, *, doubtful: bool = False) -> Mark:
    """`attempts` counts the one that ended so. `doubtful`: an earlier one may have arrived."""
    if ending is Ending.SENT:
        return Mark("sent", None, now, attempts)
    if ending in {Ending.REFUSED, Ending.TOO_LARGE}:
        return Mark("failed", ending.value, now, attempts)
    in_doubt = doubtful or ending is Ending.UNKNOWN
    state: State = "unknown" if in_doubt else "queued"
    if ending in STOPS:  # no fault of the mail, and none of its attempts
        return Mark(
            state, IN_DOUBT if in_doubt else ending.value, now + STOPS[ending], attempts - 1
        )
    if attempts > len(_PAUSES):
        return Mark("unknown" if in_doubt else "failed", GIVEN_UP, NEVER, attempts)
    pause = _PAUSES[attempts - 1]
    return Mark(state, IN_DOUBT if in_doubt else ending.value, now + pause, attempts)
