"""What a record's events say: its replies, resolutions, handovers and runs, event by event.

Written from the reference of the record only, so that it can contradict the product.
"""

from typing import Any

Event = dict[str, Any]


def since_opening(events: list[Event], opened_at: int) -> list[Event]:
    """By time; those of one instant as they were sent."""
    return [event for event in sorted(events, key=lambda e: e["at"]) if event["at"] >= opened_at]


def is_reply(event: Event) -> bool:
    return is_public_message(event) and event["actor"] == "agent"


def is_question(event: Event) -> bool:
    return is_public_message(event) and event["actor"] == "customer"


def is_public_message(event: Event) -> bool:
    return event["type"] == "message" and event.get("public") is not False


def told_by(events: list[Event], opened_at: int) -> dict[str, Any]:
    """The fields of the record that follow from its events, and the runs in `next_replies`."""
    told = since_opening(events, opened_at)
    first_reply = next((event for event in told if is_reply(event)), None)
    resolved_at, reopens = resolution(told)
    fields: dict[str, Any] = {
        "first_reply_at": None if first_reply is None else first_reply["at"],
        "resolved_at": resolved_at,
        "reopens": reopens,
        "handovers": handovers(told),
        "next_replies": runs(told),
    }
    if first_reply is not None and first_reply.get("agent_id") is not None:
        fields["first_reply_agent_id"] = first_reply["agent_id"]
    return fields


def runs(told: list[Event]) -> list[list[int | None]]:
    """For each question after a reply, unless one is open already: when asked, when answered."""
    found: list[list[int | None]] = []
    for position, event in enumerate(told):
        before = [e for e in told[:position] if is_reply(e) or is_question(e)]
        replied = any(is_reply(e) for e in before)
        if is_question(event) and replied and is_reply(before[-1]):
            answers = [e["at"] for e in told[position:] if is_reply(e)]
            found.append([event["at"], answers[0] if answers else None])
    return found


def resolution(told: list[Event]) -> tuple[int | None, int]:
    """The resolution that still stands, and how often one was taken back."""
    stands, reopens, state = None, 0, "open"
    for event in told:
        if event["type"] != "status":
            continue
        if event["to"] in ("resolved", "closed") and state not in ("resolved", "closed"):
            stands = event["at"]
        if event["to"] in ("open", "pending", "on_hold") and stands is not None:
            stands, reopens = None, reopens + 1
        state = event["to"]
    return stands, reopens


def handovers(told: list[Event]) -> int:
    """Changes of the human agent after the first reply."""
    changes, replied, holder = 0, False, None
    for event in told:
        reply, name = is_reply(event), event.get("agent_id")
        if not reply and event["type"] not in ("assigned", "handover"):
            continue
        if name is not None:
            changes += replied and holder not in (None, name)
            holder = name
        elif event["type"] == "handover":
            changes, holder = changes + replied, None
        replied = replied or reply
    return changes
