"""What becomes of one contact at one desk."""

from dataclasses import dataclass
from math import exp

from vendorwatch.demo.contacts import Contact
from vendorwatch.demo.conversation import converse, counts, last, until
from vendorwatch.demo.description import Description
from vendorwatch.demo.desk import HOUR, Agent, Desk
from vendorwatch.periods import SECOND, Micros

Record = dict[str, object]
"""Fields of the canonical record; instants as Micros; null where a field has no value."""

_MINUTE: Micros = 60 * SECOND
_PATIENCE = {"chat": 210.0, "phone": 110.0}  # median seconds until a customer gives up
_EXPECTED = {"chat": 60 * SECOND, "phone": 40 * SECOND}
_EXPECTED_IN_WRITING: Micros = 3 * HOUR
_TALK = {"chat": 11.0, "phone": 6.0}  # median minutes
_MOST_VISITS = 3
_SATISFIED = 4.0  # of 5 stars
INSTANTS = (
    "opened_at",
    "first_reply_at",
    "resolved_at",
    "abandoned_at",
    "csat_invited_at",
    "csat_at",
)


@dataclass(frozen=True, slots=True)
class Handled:
    """`comes_again`: resolved in the log, not for the customer."""

    record: Record
    comes_again: bool


def handle(contact: Contact, desk: Desk, shop: Description) -> Handled:
    handled = _handle(contact, desk, shop)
    for name in INSTANTS:  # help desks count in whole seconds
        if isinstance(instant := handled.record[name], int):
            handled.record[name] = instant // SECOND * SECOND
    if desk.vendor.messages:
        seed = f"{shop.seed}/messages/{handled.record['interaction_id']}"
        handled.record["events"] = converse(handled.record, seed)
    return handled


def _handle(contact: Contact, desk: Desk, shop: Description) -> Handled:
    record = _opened(contact, desk)
    if _set_aside(record, desk, shop):
        return Handled(record, comes_again=False)
    agent = desk.pick_agent()
    wait = _wait(contact, desk, agent)
    if contact.channel in _PATIENCE:
        patience = _patience(contact, desk)
        if wait > patience:
            record |= {"status": "abandoned", "abandoned_at": contact.opened_at + patience}
            return Handled(record, comes_again=False)
    replied_at = contact.opened_at + wait
    record |= {"agent_id": agent.agent_id, "first_reply_agent_id": agent.agent_id}
    record |= {"first_reply_at": replied_at, "agent_replies": 1}
    return _resolve(record, contact, desk, agent, shop)


def as_seen(record: Record, at: Micros) -> Record:
    """The record as an export at that instant shows it: what came later has not happened."""
    seen = dict(record)
    if _later(seen["first_reply_at"], at):
        seen |= {"first_reply_at": None, "first_reply_agent_id": None, "agent_id": None}
        seen["agent_replies"] = 0
    if _later(seen["resolved_at"], at):
        seen |= {"resolved_at": None, "resolved_by": "unknown", "resolved_by_agent_id": None}
        seen |= {"status": "pending" if seen["first_reply_at"] else "open", "reopens": 0}
    if _later(seen["csat_invited_at"], at):
        seen["csat_invited_at"] = None
    if _later(seen["csat_at"], at):
        seen |= {"csat_at": None, "csat": None}
    updated_at = max(instant for name in INSTANTS if isinstance(instant := seen[name], int))
    events = seen.get("events")
    if isinstance(events, list):
        shown = until(events, at, resolved=seen["resolved_at"] is not None)
        seen |= {"events": shown, **counts(shown)}
        updated_at = max(updated_at, last(shown))
    seen["source_updated_at"] = updated_at
    return seen


def _later(instant: object, at: Micros) -> bool:
    return isinstance(instant, int) and instant > at


def _opened(contact: Contact, desk: Desk) -> Record:
    number = desk.next_id()
    code = desk.vendor.code
    return {
        "interaction_id": number,
        "source_system": desk.vendor.source,
        "source_updated_at": None,
        "source_url": f"https://{code}.example/tickets/{number}",
        "channel": contact.channel,
        "direction": "inbound",
        "status": "open",
        "priority": _priority(contact, desk),
        "opened_at": contact.opened_at,
        "first_reply_at": None,
        "resolved_at": None,
        "abandoned_at": None,
        "agent_id": None,
        "first_reply_agent_id": None,
        "resolved_by_agent_id": None,
        "resolved_by": "unknown",
        "customer_ref": f"KH-{contact.customer:06}",
        "order_ref": contact.order,
        "topic": contact.topic,
        "product": contact.product,
        "language": contact.language,
        "agent_replies": 0,
        "customer_messages": 1,
        "reopens": 0,
        "handovers": 0,
        "handle_seconds": None,
        "csat_invited_at": None,
        "csat_at": None,
        "csat": None,
        "vendor_quality": None,
        "tags": ["came_again"] if contact.visit > 1 else [],
    }


def _priority(contact: Contact, desk: Desk) -> str:
    if contact.topic in {"damaged_item", "refund"} or contact.visit > 1:
        return "high" if desk.happens(0.4) else "normal"
    return desk.random.choices(["low", "normal", "urgent"], weights=[8, 88, 4])[0]


def _set_aside(record: Record, desk: Desk, shop: Description) -> bool:
    """What is nobody's fault: spam, what the vendor began, what was merged or withdrawn."""
    draw = desk.random.random()
    for status in ("spam", "merged", "withdrawn", "outbound"):
        draw -= getattr(shop.outcomes, status)
        if draw < 0:
            if status == "outbound":
                record |= {"direction": "outbound", "status": "closed"}
                record["agent_id"] = desk.pick_agent().agent_id
            else:
                record["status"] = status
            return True
    return False


def _wait(contact: Contact, desk: Desk, agent: Agent) -> Micros:
    character = desk.vendor.character
    factor = desk.slowdown(contact.opened_at) * agent.speed
    if contact.channel == "chat":
        return int(desk.draw(character.chat_wait) * factor * SECOND)
    if contact.channel == "phone":
        return int(desk.draw(character.phone_wait) * factor * SECOND)
    work = int(desk.draw(character.write_minutes) * factor * _MINUTE)
    return desk.hours.after(contact.opened_at, work) - contact.opened_at


def _patience(contact: Contact, desk: Desk) -> Micros:
    if desk.happens(0.008):  # dialled by mistake
        return int(desk.random.uniform(1, 5) * SECOND)
    return int(desk.draw(_PATIENCE[contact.channel], 0.8) * SECOND)


def _chance(log_odds: float) -> float:
    return 1 / (1 + exp(-log_odds))


def _resolve(
    record: Record, contact: Contact, desk: Desk, agent: Agent, shop: Description
) -> Handled:
    rng, character = desk.random, desk.vendor.character
    quality = character.quality + agent.quality
    effort = shop.topics[contact.topic].effort
    if desk.happens(_chance(-4.4 - 0.6 * quality)):
        record["status"] = rng.choice(["pending", "on_hold", "open"])
        return Handled(record, comes_again=False)
    resolver = agent
    if desk.happens(character.handover * effort):
        resolver = desk.pick_agent()
        record["handovers"] = int(resolver is not agent)
    resolved_at = _first_resolved_at(record, contact, desk, effort)
    if desk.happens(_chance(-2.75 - quality)):
        record["reopens"] = 1 + desk.happens(0.15)
        resolved_at += int(rng.lognormvariate(2.0, 0.7) * HOUR)
        resolved_at = desk.hours.after(resolved_at, _work(desk, effort))
    record |= {
        "resolved_at": resolved_at,
        "status": "closed" if desk.happens(0.7) else "resolved",
        "agent_id": resolver.agent_id,
        "resolved_by_agent_id": resolver.agent_id,
        "resolved_by": rng.choices(["agent", "customer", "automation"], weights=[95, 3, 2])[0],
    }
    again = contact.visit < _MOST_VISITS and desk.happens(_chance(-2.4 - quality))
    _survey(record, desk, quality, comes_again=again)
    return Handled(record, comes_again=again)


def _work(desk: Desk, effort: float) -> Micros:
    return int(desk.draw(desk.vendor.character.resolve_hours, 0.8) * effort * HOUR)


def _first_resolved_at(record: Record, contact: Contact, desk: Desk, effort: float) -> Micros:
    rng = desk.random
    replied_at = int(str(record["first_reply_at"]))
    talk = _TALK.get(contact.channel)
    if talk is not None:
        spoken = int(desk.draw(talk * effort, 0.5) * _MINUTE)
        record["handle_seconds"] = spoken // SECOND + rng.randrange(30, 180)
        record["customer_messages"] = record["agent_replies"] = 2 + rng.randrange(9)
        if desk.happens(0.8):  # solved while they talked
            return replied_at + spoken
        return desk.hours.after(replied_at + spoken, _work(desk, effort))
    rounds = 1 + min(int(rng.expovariate(0.9) * effort), 8)
    record |= {"agent_replies": rounds, "customer_messages": rounds}
    record["handle_seconds"] = int(desk.draw(240 * rounds, 0.4))
    if rounds == 1:
        return replied_at + rng.randrange(1, 20) * _MINUTE
    return desk.hours.after(replied_at, _work(desk, effort))


def _survey(record: Record, desk: Desk, quality: float, *, comes_again: bool) -> None:
    rng = desk.random
    opened_at, replied_at = int(str(record["opened_at"])), int(str(record["first_reply_at"]))
    late = replied_at - opened_at > _EXPECTED.get(str(record["channel"]), _EXPECTED_IN_WRITING)
    pleased = 4.6 + 0.35 * quality - 0.8 * late - 0.8 * comes_again
    pleased -= 1.2 * bool(record["reopens"]) + 0.5 * bool(record["handovers"])
    pleased_invites, other_invites = desk.vendor.character.invites
    invited = desk.happens(pleased_invites if pleased >= _SATISFIED else other_invites)
    if desk.happens(0.04):  # the vendor's own review, kinder than customers
        record["vendor_quality"] = f"{min(rng.gauss(93, 3), 100):.1f}"
    if not invited:
        return
    invited_at = int(str(record["resolved_at"])) + 30 * _MINUTE
    record["csat_invited_at"] = invited_at
    if desk.happens(0.34):
        record["csat_at"] = invited_at + int(rng.lognormvariate(1.2, 1.0) * HOUR)
        record["csat"] = min(max(round(rng.gauss(pleased, 0.9)), 1), 5)
