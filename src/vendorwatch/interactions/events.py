"""What happened to an interaction, and what follows from it.

Where a record carries events they must be all of them, for they win over the record's own fields.
The rules, for events sorted by `at` (those of one instant in the order in which they were sent):

1. `opened_at` stays the record's. Events before it count for nothing but customer messages.
2. A **reply** is a public message of a human agent (`type` message, `actor` agent, `public` not
   false). Messages of bots and automation, and notes, do not answer a customer.
3. `first_reply_at` is the first reply; its `agent_id`, where it names one, is the
   first_reply_agent_id. `agent_replies` counts the replies, `customer_messages` the public messages
   of the customer.
4. A status event to resolved or closed, where the state was neither, **resolves**; from resolved to
   closed resolves nothing anew. `resolved_at` is the last resolution, unless the interaction was
   reopened after it. The record's status stays the vendor's.
5. A status event to open, pending or on_hold after a resolution **reopens**, whatever came between.
   Merging or marking as spam does not.
6. A **handover** is a change of the human agent after the first reply: an assigned or handover
   event, or a reply, that names another agent than the last of these that named one; or a handover
   event that names nobody (the next name is then whom it was handed to, and no further handover).
   `assigned` without an agent changes nothing. Handing over from a bot is none.
7. A **next reply** is asked for by the first customer message after a reply, and given by the next
   reply; further customer messages in between ask for nothing more.
8. A field that the vendor claimed and that differs from what follows (an instant by more than 60 s
   or by being there at all, a count by anything, the first reply's agent by name) is a **claim that
   differs**: both values are kept, the derived one counts.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Literal

import msgspec

from vendorwatch.db.text import nfc
from vendorwatch.errors import Fault
from vendorwatch.interactions.fields import FAULTS_OF_A_ROW, describe, mistakes, refuse, show
from vendorwatch.interactions.instants import BadInstant
from vendorwatch.interactions.values import Unusable, check_characters, plain
from vendorwatch.periods import SECOND, Micros, format_instant
from vendorwatch.scoring.words import STATUSES

EventType = Literal[
    "message",
    "note",
    "assigned",
    "handover",
    "status",
    "bot_handoff",
    "survey_invited",
    "survey_answered",
]
Actor = Literal["customer", "agent", "bot", "automation", "system"]

DERIVED: tuple[str, ...] = (
    "first_reply_at",
    "first_reply_agent_id",
    "resolved_at",
    "reopens",
    "handovers",
    "agent_replies",
    "customer_messages",
)
_INSTANTS = frozenset({"first_reply_at", "resolved_at"})
_TOLERANCE: Micros = 60 * SECOND
_RESOLVED = frozenset({"resolved", "closed"})
_OPEN = frozenset({"open", "pending", "on_hold"})


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`to` is the new status of a status event. Keys that are not in the table are in `extra`."""

    at: Annotated[Micros, msgspec.Meta(title="instant")]
    type: EventType
    actor: Actor
    agent_id: Annotated[str, msgspec.Meta(title="id", min_length=1, max_length=128)] | None = None
    public: bool | None = None
    to: Annotated[str, msgspec.Meta(title="text", min_length=1, max_length=64)] | None = None
    extra: dict[str, object] | None = None


EVENT_FIELDS = describe(Event, leave_out={"extra"})


class BadEvents(Exception):
    """`faults` name their field as `events[3].at`, counting from 0."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(map(str, self.faults)))


class Derived(msgspec.Struct, frozen=True, kw_only=True):
    first_reply_at: Micros | None
    first_reply_agent_id: str | None
    resolved_at: Micros | None
    reopens: int
    handovers: int
    agent_replies: int
    customer_messages: int


def read_events(sent: object, read_instant: Callable[[object], Micros]) -> tuple[Event, ...]:
    """From decoded JSON. `read_instant` raises BadInstant or Unusable. Raises BadEvents."""
    if not isinstance(sent, list):
        raise BadEvents([Fault("bad_value", f"{show(sent)} is not a list of events", "events")])
    events: list[Event] = []
    faults: list[Fault] = []
    for index, item in enumerate(sent):
        event = _read_event(item, read_instant)
        if isinstance(event, Event):
            events.append(event)
            continue
        if len(faults) >= FAULTS_OF_A_ROW:
            break  # a row that is all mistakes costs a hundred times what it is long
        for fault in event:
            where = f"events[{index}].{fault.field}" if fault.field else f"events[{index}]"
            faults.append(Fault(fault.code, fault.detail, where))
    if faults:
        raise BadEvents(faults)
    return tuple(events)


def derive(events: Iterable[Event], opened_at: Micros) -> Derived:
    in_order = sorted(events, key=lambda event: event.at)
    since = [event for event in in_order if event.at >= opened_at]
    replies = [event for event in since if _is_reply(event)]
    resolved_at, reopens = _resolution(since)
    return Derived(
        first_reply_at=replies[0].at if replies else None,
        first_reply_agent_id=replies[0].agent_id if replies else None,
        resolved_at=resolved_at,
        reopens=reopens,
        handovers=_handovers(since),
        agent_replies=len(replies),
        customer_messages=sum(map(_is_from_customer, in_order)),
    )


def next_replies(
    events: Iterable[Event], opened_at: Micros
) -> tuple[tuple[Micros, Micros | None], ...]:
    """When each next reply was asked for and when it was given (None: it never was)."""
    runs: list[tuple[Micros, Micros | None]] = []
    asked_at: Micros | None = None
    replied = False
    for event in sorted(events, key=lambda event: event.at):
        if event.at < opened_at:
            continue
        if _is_reply(event):
            if asked_at is not None:
                runs.append((asked_at, event.at))
            asked_at, replied = None, True
        elif _is_from_customer(event) and replied and asked_at is None:
            asked_at = event.at
    return (*runs, (asked_at, None)) if asked_at is not None else tuple(runs)


def differing_claims(
    claimed: Mapping[str, object], derived: Derived
) -> dict[str, dict[str, object]]:
    """`{field: {"claimed": ..., "derived": ...}}` as rule 8 says; instants as RFC 3339 text."""
    claims: dict[str, dict[str, object]] = {}
    for name in DERIVED:
        told, found = claimed.get(name), getattr(derived, name)
        if told is None or told == found or (name == "first_reply_agent_id" and found is None):
            continue
        if name in _INSTANTS:
            if found is not None and abs(int(str(told)) - found) <= _TOLERANCE:
                continue
            told = format_instant(int(str(told)))
            found = None if found is None else format_instant(found)
        claims[name] = {"claimed": told, "derived": found}
    return claims


def _read_event(sent: object, read_instant: Callable[[object], Micros]) -> Event | list[Fault]:
    if not isinstance(sent, dict):
        return [Fault("bad_value", f"{show(sent)} is not an event")]
    values: dict[str, object] = {}
    extra: dict[str, object] = {}
    faults: list[Fault] = []
    for name, value in sent.items():
        try:
            check_characters(name)
            if value is not None and name == "at":
                values[name] = read_instant(value)
            elif value is not None:
                (values if name in EVENT_FIELDS else extra)[name] = plain(value)
        except (BadInstant, Unusable) as bad:
            faults.append(Fault(bad.code, bad.detail, name))
    faults += _odd_agent(values) + _odd_status(values)
    if not faults:
        try:
            return msgspec.convert({**values, "extra": extra or None}, Event)
        except msgspec.ValidationError:
            pass  # it tells the first mistake only
    return faults + mistakes(values, EVENT_FIELDS, {fault.field for fault in faults if fault.field})


def _odd_agent(values: dict[str, object]) -> list[Fault]:
    agent = values.get("agent_id")
    if not isinstance(agent, str):
        return []
    values["agent_id"] = nfc(agent)
    return [] if agent == agent.strip() else [refuse(EVENT_FIELDS["agent_id"], agent)]


def _odd_status(values: dict[str, object]) -> list[Fault]:
    if values.get("type") != "status" or values.get("to") in STATUSES:
        return []
    told = f"{show(values.get('to'))} is not one of {', '.join(STATUSES)}"
    return [Fault("bad_value" if "to" in values else "missing_required", told, "to")]


def _is_reply(event: Event) -> bool:
    return event.type == "message" and event.actor == "agent" and event.public is not False


def _is_from_customer(event: Event) -> bool:
    return event.type == "message" and event.actor == "customer" and event.public is not False


def _resolution(events: Iterable[Event]) -> tuple[Micros | None, int]:
    resolved_at: Micros | None = None
    state: str | None = None
    reopens = 0
    for event in events:
        if event.type != "status":
            continue
        if event.to in _RESOLVED and state not in _RESOLVED:
            resolved_at = event.at
        elif event.to in _OPEN and resolved_at is not None:
            resolved_at = None
            reopens += 1
        state = event.to
    return resolved_at, reopens


def _handovers(events: Iterable[Event]) -> int:
    replied = False
    named: str | None = None
    handovers = 0
    for event in events:
        reply = _is_reply(event)
        if event.agent_id is not None and (reply or event.type in {"assigned", "handover"}):
            handovers += replied and named is not None and event.agent_id != named
            named = event.agent_id
        elif event.type == "handover" and event.agent_id is None:
            handovers += replied
            named = None  # whoever comes next is the one that it was handed to
        replied = replied or reply
    return handovers
