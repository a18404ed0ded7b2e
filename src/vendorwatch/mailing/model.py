"""Recipients and deliveries, and what may be said of them."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from vendorwatch.db.scope import Scope
from vendorwatch.db.text import nfc
from vendorwatch.errors import Fault, Kind, VendorwatchError
from vendorwatch.mailing.keys import UniqueKey
from vendorwatch.periods import Micros, Month

Side = Literal["merchant", "vendor"]
Wanted = Literal["digest", "scorecard", "agents"]
State = Literal["queued", "sending", "sent", "failed", "unknown", "cancelled", "skipped"]
Notice = Literal["approval_reminder", "missing_data", "no_upload"]

SIDES: tuple[Side, ...] = get_args(Side)
WANTED: tuple[Wanted, ...] = get_args(Wanted)
STATES: tuple[State, ...] = get_args(State)
AGENTS: Wanted = "agents"
RECIPIENT_BOUNCED = "recipient-bounced"
"""Why somebody gets no mail of whom it is known that it does not arrive."""
TOLD: Mapping[Notice, tuple[Side, ...]] = {
    "approval_reminder": ("merchant",),  # whether a scorecard is held is no vendor's affair
    "missing_data": ("merchant", "vendor"),
    "no_upload": ("merchant", "vendor"),
}
"""Who is told of what."""

OPEN: tuple[State, ...] = ("queued", "unknown")
"""States in which a mail is still to be sent."""

LONGEST_NAME = 200
LONGEST_ADDRESS, _LONGEST_LOCAL = 254, 64
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_HOST = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*")


class BadRecipient(VendorwatchError):
    """The address, the name, the language or what they are to get cannot be used.

    Correct what is named. One address; before the @ only ASCII, as few mail servers take more. A
    recipient on the vendor's side gets `scorecard` or `agents`, of one engagement.
    """

    kind = Kind.REFUSED
    slug = "bad-recipient"
    title = "The recipient was refused"


class RecipientConflict(VendorwatchError):
    """The address gets this already, under another name or in another language.

    Remove that recipient, and add it anew.
    """

    kind = Kind.CONFLICT
    slug = "recipient-conflict"
    title = "The recipient is there with other terms"


class DeliveryConflict(VendorwatchError):
    """The mail was sent, or is being sent right now: it can be neither tried again nor cancelled.

    Look at its state in a few minutes.
    """

    kind = Kind.CONFLICT
    slug = "delivery-conflict"
    title = "The delivery is past that"


class MailNotConfigured(VendorwatchError):
    """There is no mail server to hand mail to. It waits, and nothing is lost.

    Set `VENDORWATCH_SMTP_URL`.
    """

    kind = Kind.UNAVAILABLE
    slug = "mail-not-configured"
    title = "Mail cannot be sent"


@dataclass(frozen=True, slots=True)
class Recipient:
    """`engagement_id` is None for whoever gets what is of all the merchant's engagements."""

    merchant_id: str
    recipient_id: str
    engagement_id: str | None
    side: Side
    email: str
    name: str
    language: str
    kind: Wanted
    created_at: Micros
    removed_at: Micros | None = None
    bounced_at: Micros | None = None

    @property
    def unreachable(self) -> str | None:
        """Why nothing is sent to them, as a code; None: something is."""
        if self.removed_at is not None:
            return "recipient-removed"
        return RECIPIENT_BOUNCED if self.bounced_at is not None else None

    def concerns(self, engagement_id: str) -> bool:
        return self.engagement_id is None or self.engagement_id == engagement_id


@dataclass(frozen=True, slots=True)
class Issued:
    """A scorecard that its readers are to get. `replaces` is the id of the one before it."""

    scope: Scope
    scorecard_id: str
    month: Month
    revision: int
    replaces: str | None = None

    @property
    def subject_key(self) -> str:
        return f"{self.month}/r{self.revision}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One recipient's row about one subject."""

    merchant_id: str
    delivery_id: str
    engagement_id: str
    scorecard_id: str | None
    subject_key: str
    recipient_id: str
    kind: str
    facts: Mapping[str, object] | None
    state: State
    reason: str | None
    message_id: str | None
    attempts: int
    next_attempt_at: Micros
    leased_until: Micros | None
    lease_token: str | None
    last_reply: str | None
    created_at: Micros
    sent_at: Micros | None

    @property
    def scope(self) -> Scope:
        return Scope(self.merchant_id, self.engagement_id)

    @property
    def month(self) -> str:
        return self.subject_key.partition("/")[0]

    @property
    def unique_key(self) -> UniqueKey:
        return (self.engagement_id, self.subject_key, self.recipient_id, self.kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Somebody whom the merchant wants written to."""

    email: str
    name: str
    language: str
    side: Side
    kind: Wanted
    every_vendor: bool = False


def check_recipient(asked: Asked, languages: tuple[str, ...]) -> Asked:
    """With the address and the name as they are kept. Raises BadRecipient with every fault."""
    faults: list[Fault] = []
    email = _address(asked.email)
    if email is None:
        faults.append(Fault("bad_value", "is not one mail address", field="email"))
    name = nfc(asked.name).strip()
    faults += [Fault(code, detail, field="name") for code, detail in _name_faults(name)]
    if asked.language not in languages:
        detail = f"is not one of {', '.join(languages)}"
        faults.append(Fault("bad_value", detail, field="language"))
    if asked.side == "vendor" and asked.kind == "digest":
        detail = "a vendor gets scorecard or agents: a digest tells of every vendor"
        faults.append(Fault("bad_value", detail, field="kind"))
    if asked.side == "vendor" and asked.every_vendor:
        detail = "a recipient on the vendor's side gets what is of one engagement"
        faults.append(Fault("bad_value", detail, field="every_vendor"))
    if faults:
        raise BadRecipient("; ".join(map(str, faults)), faults=tuple(faults))
    return Asked(
        email=email or "",
        name=name,
        language=asked.language,
        side=asked.side,
        kind=asked.kind,
        every_vendor=asked.every_vendor,
    )


def _name_faults(name: str) -> list[tuple[str, str]]:
    if not name:
        return [("missing_required", "must not be empty")]
    if len(name) > LONGEST_NAME:
        return [("out_of_range", f"has more than {LONGEST_NAME} characters")]
    # They would stand in a header, or show another name than is written.
    if any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for character in name):
        return [("illegal_character", "holds a control character")]
    return []


def _address(text: str) -> str | None:
    """With an international host in its ASCII form; None for what is not exactly one address."""
    local, at, host = text.strip(" ").rpartition("@")
    if not at or len(local) > _LONGEST_LOCAL or not _LOCAL.fullmatch(local):
        return None
    try:
        ascii_host = host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return None
    if not _HOST.fullmatch(ascii_host) or len(local) + 1 + len(ascii_host) > LONGEST_ADDRESS:
        return None
    return f"{local}@{ascii_host}"
