"""Merchants, vendors, their engagements and agents: what may be said about them."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Annotated

import msgspec

from vendorwatch.db.scope import Scope
from vendorwatch.db.text import nfc
from vendorwatch.errors import Fault, Kind, VendorwatchError
from vendorwatch.periods import Micros, load_zone

MOST_AGENTS = 5_000
LONGEST_NAME = 200
LONGEST_AGENT_ID = 128
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class BadEngagement(VendorwatchError):
    """A name is empty, too long or holds control characters, or the time zone is not one of the
    IANA database.

    Correct what is named; a zone is written like Asia/Ho_Chi_Minh.
    """

    kind = Kind.REFUSED
    slug = "bad-engagement"
    title = "The engagement cannot be created"


class EngagementConflict(VendorwatchError):
    """The vendor works for the merchant already, in another time zone. A zone is never changed:
    it decides which month an interaction belongs to.

    Use the zone that the engagement has.
    """

    kind = Kind.CONFLICT
    slug = "engagement-conflict"
    title = "The engagement exists with other terms"


class BadRoster(VendorwatchError):
    """Rows of the roster have mistakes, such as an empty or doubled agent_id or a date that is
    none. Nothing of it was stored.

    Correct the rows that are named, and send the whole roster again.
    """

    kind = Kind.REFUSED
    slug = "bad-roster"
    title = "The roster was refused"


@dataclass(frozen=True, slots=True)
class Engagement:
    """One vendor working for one merchant."""

    scope: Scope
    merchant_name: str
    vendor_id: str
    vendor_name: str
    time_zone: str
    pseudonym_key: bytes
    created_at: Micros

    @property
    def engagement_id(self) -> str:
        return self.scope.engagement_id

    @property
    def merchant_id(self) -> str:
        return self.scope.merchant_id


class RosterEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One agent as the vendor names them. Dates are YYYY-MM-DD."""

    agent_id: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_AGENT_ID)]
    name: Annotated[str, msgspec.Meta(max_length=LONGEST_NAME)] | None = None
    team: Annotated[str, msgspec.Meta(max_length=LONGEST_NAME)] | None = None
    started_on: str | None = None
    ended_on: str | None = None
    languages: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()

    def changes(self, standing: "Agent | None") -> bool:
        """Whether there is no such agent yet, or one with other values."""
        return standing is None or standing != Agent(**msgspec.structs.asdict(self), on_roster=True)


class Agent(msgspec.Struct, frozen=True, kw_only=True):
    """`on_roster` is false for an agent that so far was only seen in an interaction."""

    agent_id: str
    name: str | None
    team: str | None
    started_on: str | None
    ended_on: str | None
    languages: tuple[str, ...]
    aliases: tuple[str, ...]
    on_roster: bool


class RosterReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """received = created + updated; agents that the roster does not name are kept as they are."""

    received: int
    created: int
    updated: int


@dataclass(frozen=True, slots=True)
class Terms:
    merchant: str
    vendor: str
    time_zone: str


def agree(merchant: str, vendor: str, time_zone: str) -> Terms:
    """Names in NFC without white space around them. Raises BadEngagement with every fault."""
    terms = Terms(_name(merchant), _name(vendor), time_zone)
    faults = _check_name("merchant", terms.merchant) + _check_name("vendor", terms.vendor)
    try:
        load_zone(time_zone)
    except ValueError as error:
        faults.append(Fault("bad_value", str(error), field="time_zone"))
    if faults:
        raise BadEngagement("; ".join(map(str, faults)), faults=tuple(faults))
    return terms


def _name(text: str) -> str:
    return nfc(text).strip()


def _check_name(field: str, text: str) -> list[Fault]:
    """Names of firms stand in headers, file names and subjects: no control characters at all."""
    if not text:
        return [Fault("missing_required", "must not be empty", field=field)]
    if len(text) > LONGEST_NAME:
        return [Fault("bad_value", f"has more than {LONGEST_NAME} characters", field=field)]
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in text):
        return [Fault("illegal_character", "holds a control character", field=field)]
    return []


def check_roster(entries: list[RosterEntry]) -> list[RosterEntry]:
    """In NFC and ordered by agent_id. Raises BadRoster with the faults of every row."""
    if len(entries) > MOST_AGENTS:
        raise BadRoster(f"A roster has at most {MOST_AGENTS} agents; this one has {len(entries)}.")
    normal = [_normal(entry) for entry in entries]
    faults: list[Fault] = []
    first_row: dict[str, int] = {}
    for row, entry in enumerate(normal, start=1):
        faults += _check_entry(row, entry)
        before = first_row.setdefault(entry.agent_id, row)
        if before != row:
            detail = f"{entry.agent_id!r} stands in row {before}, too"
            faults.append(Fault("duplicate_id", detail, field="agent_id", row=row))
    if faults:
        raise BadRoster(f"{len(faults)} faults; nothing was stored.", faults=tuple(faults))
    return sorted(normal, key=lambda entry: entry.agent_id)


def check_aliases(entries: list[RosterEntry], standing: list[Agent]) -> None:
    """Of the roster as it would be: an alias is one agent's, and no agent on the roster itself.

    An agent who was only seen in interactions may turn out to be an alias. Raises BadRoster.
    """
    replaced = {entry.agent_id for entry in entries}
    kept = [agent for agent in standing if agent.agent_id not in replaced and agent.on_roster]
    owner = {entry.agent_id: entry.agent_id for entry in entries}
    owner |= {agent.agent_id: agent.agent_id for agent in kept}
    owner |= {alias: agent.agent_id for agent in kept for alias in agent.aliases}
    faults = []
    for row, entry in enumerate(entries, start=1):
        for alias in entry.aliases:
            of_whom = owner.setdefault(alias, entry.agent_id)
            if of_whom != entry.agent_id or alias == entry.agent_id:
                detail = f"{alias!r} already stands for {of_whom!r}"
                faults.append(Fault("alias_taken", detail, field="aliases", row=row))
    if faults:
        raise BadRoster(f"{len(faults)} faults; nothing was stored.", faults=tuple(faults))


def _normal(entry: RosterEntry) -> RosterEntry:
    def normal(text: str | None) -> str | None:
        return nfc(text) if text else None

    return RosterEntry(
        agent_id=nfc(entry.agent_id),
        name=normal(entry.name),
        team=normal(entry.team),
        started_on=normal(entry.started_on),
        ended_on=normal(entry.ended_on),
        languages=entry.languages,
        aliases=tuple(nfc(alias) for alias in entry.aliases),
    )


def _check_entry(row: int, entry: RosterEntry) -> list[Fault]:
    faults = [
        Fault(code, detail, field=field, row=row)
        for field, text, longest in _texts(entry)
        for code, detail in _check_text(text, longest)
    ]
    for field, day in (("started_on", entry.started_on), ("ended_on", entry.ended_on)):
        if day is not None and not _is_date(day):
            faults.append(Fault("bad_value", f"{day!r} is not a date", field=field, row=row))
    for language in entry.languages:
        if not _LANGUAGE.fullmatch(language):
            detail = f"{language!r} is not a language tag such as vi or pt-BR"
            faults.append(Fault("bad_value", detail, field="languages", row=row))
    ids = [("agent_id", entry.agent_id), *(("aliases", alias) for alias in entry.aliases)]
    for field, text in ids:
        if not text or text != text.strip():
            detail = "is empty or has white space around it"
            faults.append(Fault("bad_value", detail, field=field, row=row))
    if not faults and entry.started_on and entry.ended_on and entry.ended_on < entry.started_on:
        faults.append(Fault("bad_value", "lies before started_on", field="ended_on", row=row))
    return faults


def _texts(entry: RosterEntry) -> list[tuple[str, str, int]]:
    return [
        ("agent_id", entry.agent_id, LONGEST_AGENT_ID),
        ("name", entry.name or "", LONGEST_NAME),
        ("team", entry.team or "", LONGEST_NAME),
        *(("aliases", alias, LONGEST_AGENT_ID) for alias in entry.aliases),
    ]


def _check_text(text: str, longest: int) -> list[tuple[str, str]]:
    found = []
    if len(text) > longest:
        found.append(("out_of_range", f"has more than {longest} characters"))
    if any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text):
        found.append(("illegal_character", "holds NUL or half of a character"))
    return found


def _is_date(text: str) -> bool:
    try:
        return bool(_DATE.fullmatch(text)) and date.fromisoformat(text) is not None
    except ValueError:
        return False
