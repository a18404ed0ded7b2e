"""The messages of one contact, for vendors whose help desk exports them.

They are made to fit a record that is drawn already, with dice of their own: a vendor that exports
messages has the same figures as one that does not.
"""

import random
from collections.abc import Iterator

from vendorwatch.periods import SECOND, Micros

Record = dict[str, object]
Event = dict[str, object]

_HOUR: Micros = 3600 * SECOND
_ASKS_AGAIN = 0.6  # a customer whose contact is not resolved
_ANSWERED = 0.7
_MOST_EXCHANGES = 3  # keeps the logs small


def converse(record: Record, seed: str) -> list[Event] | None:
    """Everything that happened to the contact; None where nobody answered it."""
    replied_at, resolved_at = record["first_reply_at"], record["resolved_at"]
    if not isinstance(replied_at, int):
        return None
    rng = random.Random(seed)  # noqa: S311  a play, no secret
    events = [_message("customer", _instant(record["opened_at"])), _message("agent", replied_at)]
    if isinstance(resolved_at, int):
        events += _until_resolved(record, rng, replied_at, resolved_at)
    elif rng.random() < _ASKS_AGAIN:
        asked_at = replied_at + rng.randrange(1, 30) * _HOUR
        events.append(_message("customer", asked_at))
        if rng.random() < _ANSWERED:
            events.append(_message("agent", asked_at + rng.randrange(1, 9) * _HOUR))
    events.sort(key=_at)
    return _with_agents(events, record)


def until(events: list[Event], at: Micros, *, resolved: bool) -> list[Event]:
    """Those that an export at that instant shows."""
    return [each for each in events if _at(each) <= at and (resolved or each["type"] != "status")]


def counts(events: list[Event]) -> Record:
    """What a record says where its events say the same."""
    kinds = [(each["type"], each["actor"], each.get("to")) for each in events]
    return {
        "agent_replies": kinds.count(("message", "agent", None)),
        "customer_messages": kinds.count(("message", "customer", None)),
        "reopens": kinds.count(("status", "customer", "open")),
        "handovers": kinds.count(("assigned", "system", None)),
    }


def last(events: list[Event]) -> Micros:
    return max(map(_at, events))


def _until_resolved(
    record: Record, rng: random.Random, replied_at: Micros, resolved_at: Micros
) -> Iterator[Event]:
    """Reopened ones are resolved more than once, with a customer who says why in between."""
    span = resolved_at - replied_at
    reopens = _instant(record["reopens"])
    first = replied_at + (span // 2 if reopens else span)
    if record["channel"] != "phone":  # what was said on the phone is no message
        number = min(_instant(record["agent_replies"]) - 1, _MOST_EXCHANGES)
        yield from _exchanges(rng, replied_at, first, number)
    if record["handovers"]:
        yield {"at": _between(rng, replied_at, resolved_at), "type": "assigned", "actor": "system"}
    by = record["resolved_by"]
    actor = by if by in {"customer", "automation"} else "agent"
    for number in range(reopens):
        start = first + number * (resolved_at - first) // reopens
        end = first + (number + 1) * (resolved_at - first) // reopens
        back_at = start + (end - start) // 3
        yield _status("resolved", "agent", start)
        yield _message("customer", back_at)
        yield _status("open", "customer", back_at)
        yield _message("agent", _between(rng, back_at, end))
    yield _status("resolved", actor, resolved_at)


def _exchanges(rng: random.Random, start: Micros, end: Micros, number: int) -> Iterator[Event]:
    """A question and its answer in each of equal stretches, so that none overtakes another."""
    for each in range(number):
        stretch = (end - start) // number
        asked_at = _whole(start + each * stretch + int(rng.random() * 0.5 * stretch))
        wait = int(min(rng.lognormvariate(-1.6, 0.8), 0.5) * stretch)
        yield _message("customer", asked_at)
        yield _message("agent", _whole(asked_at + wait))


def _with_agents(events: list[Event], record: Record) -> list[Event]:
    """Replies before the handover are the first agent's, those after it the other's."""
    agent = record["first_reply_agent_id"]
    for event in events:
        if event["type"] == "assigned":
            agent = record["resolved_by_agent_id"]
        if event["type"] == "assigned" or event["actor"] == "agent":
            event["agent_id"] = agent
    return events


def _message(actor: str, at: Micros) -> Event:
    return {"at": _whole(at), "type": "message", "actor": actor}


def _status(to: str, actor: object, at: Micros) -> Event:
    return {"at": _whole(at), "type": "status", "actor": actor, "to": to}


def _between(rng: random.Random, start: Micros, end: Micros) -> Micros:
    return _whole(start + int(rng.uniform(0.1, 0.9) * (end - start)))


def _whole(at: Micros) -> Micros:
    return at // SECOND * SECOND


def _at(event: Event) -> Micros:
    return _instant(event["at"])


def _instant(value: object) -> int:
    assert isinstance(value, int)  # noqa: S101  counts and instants are
    return value
