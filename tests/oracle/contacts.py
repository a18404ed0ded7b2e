"""Seeded random interactions, nasty ones included: on borders, on targets, out of nowhere."""

import random
from collections.abc import Callable
from typing import Any

from oracle.cases import Case, Record, View
from oracle.clock import DAY, MINUTE, SECOND
from oracle.policies import CHANNELS, PRIORITIES

INSTANTS = (
    "opened_at",
    "first_reply_at",
    "resolved_at",
    "abandoned_at",
    "csat_invited_at",
    "csat_at",
)
STATUSES = [
    "open",
    "pending",
    "on_hold",
    "resolved",
    "closed",
    "abandoned",
    "merged",
    "spam",
    "withdrawn",
]


def opening(dice: random.Random, start: int, end: int) -> int:
    """Anywhere about the month, on its borders, or on an anchor that every vendor shares."""
    return dice.choice(
        [
            dice.randrange(start, end),
            dice.randrange(start, end),
            dice.randrange(start, end) // SECOND * SECOND,
            dice.randrange(start - 9 * DAY, end + 16 * DAY),
            start + dice.randrange(8) * 4 * DAY,
            dice.choice([start - 1, start, end - 1, end]),
        ]
    )


def delay(dice: random.Random) -> int:
    return dice.choice(
        [
            0,
            1,
            dice.randrange(2 * MINUTE),
            dice.randrange(5 * 60 * MINUTE),
            dice.randrange(3 * DAY),
            dice.randrange(20 * DAY),
        ]
    )


def maybe(dice: random.Random, share: float, value: Any) -> Any:
    return value if dice.random() < share else None


def base_record(
    dice: random.Random, number: int, vendor_id: str, opened_at: int, agents: list[str]
) -> Record:
    prefix = dice.choice(["", "00", "é-", "\uff5e", "🙂"])
    return {
        "interaction_id": f"{prefix}{number}",
        "source_account": dice.choice(["", "", "eu", "us"]),
        "vendor_id": vendor_id,
        "channel": dice.choice([*CHANNELS, "phone", "chat", "chat", "email"]),
        "direction": "outbound" if dice.random() < 0.06 else "inbound",
        "status": dice.choice([*STATUSES, *["resolved", "closed"] * 6, "abandoned"]),
        "priority": dice.choice([None, *PRIORITIES]),
        "opened_at": opened_at,
        "first_reply_at": None,
        "resolved_at": None,
        "abandoned_at": None,
        "agent_id": maybe(dice, 0.8, dice.choice(agents)),
        "first_reply_agent_id": maybe(dice, 0.4, dice.choice(agents)),
        "resolved_by_agent_id": maybe(dice, 0.4, dice.choice(agents)),
        "resolved_by": dice.choice(["agent", "agent", "customer", "automation", "unknown"]),
        "customer_ref": maybe(dice, 0.85, f"customer-{dice.randrange(12)}"),
        "order_ref": maybe(dice, 0.5, f"order-{dice.randrange(3)}"),
        "topic": maybe(dice, 0.6, dice.choice(["returns", "sizing", "Returns"])),
        "reopens": maybe(dice, 0.85, dice.choice([0, 0, 0, 1, 4])),
        "handovers": maybe(dice, 0.85, dice.choice([0, 0, 0, 1, 2])),
        "csat_invited_at": None,
        "csat_at": None,
        "csat": None,
        "first_reply_known": True,
        "resolution_known": True,
        "events": None,
        "next_replies": None,
    }


def fill_instants(dice: random.Random, record: Record) -> None:
    opened_at, resolved = record["opened_at"], record["status"] in ("resolved", "closed")
    if dice.random() < (0.15 if record["status"] == "abandoned" else 0.85):
        record["first_reply_at"] = opened_at + delay(dice)
    if dice.random() < (0.95 if resolved else 0.2):
        record["resolved_at"] = opened_at + delay(dice) + delay(dice)
    if record["status"] == "abandoned":
        limits = [limit * SECOND + past for limit in (0, 5, 20) for past in (0, 1)]
        record["abandoned_at"] = maybe(dice, 0.8, opened_at + dice.choice([*limits, delay(dice)]))
    if dice.random() < 0.5:
        record["csat_invited_at"] = maybe(dice, 0.8, opened_at + delay(dice))
        record["csat"] = maybe(dice, 0.7, dice.randint(1, 5))
        if record["csat"] is not None:
            record["csat_at"] = maybe(dice, 0.8, opened_at + delay(dice))


def forget(dice: random.Random, record: Record) -> None:
    """As if the source had had no such column."""
    if dice.random() < 0.07:
        record["first_reply_known"], record["first_reply_at"] = False, None
    if dice.random() < 0.07:
        record["resolution_known"], record["resolved_at"] = False, None


def earliest(begin: int, reached: Callable[[int], bool]) -> int | None:
    """The first instant within 60 days from begin on at which it is reached."""
    low, wait = begin, SECOND
    while not reached(begin + wait):
        if wait == 60 * DAY:
            return None
        low, wait = begin + wait, min(8 * wait, 60 * DAY)
    high = begin + wait
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if reached(middle) else (middle + 1, high)
    return low


def on_the_line(
    dice: random.Random, case: Case, kind: str, start: int, past: tuple[int, ...] = (0, 1)
) -> int | None:
    """The last moment that is in time, or (past 1) the first one that is not; None: always is."""
    seconds = case.target(kind).get("seconds")
    if seconds is not None and dice.random() < 0.4:
        wanted = seconds * SECOND + dice.choice(past)
        return earliest(start, lambda moment: case.span(kind, start, moment) >= wanted)
    first_late = earliest(start, lambda moment: case.late(kind, start, moment))
    return None if first_late is None else first_late - 1 + dice.choice(past)


def put_on_the_line(
    dice: random.Random, record: Record, view: View, past: tuple[int, ...] = (0, 1)
) -> None:
    """Reply and resolution exactly at the target, or one microsecond of the clock past it."""
    case, opened_at = Case(record, view), record["opened_at"]
    record["first_reply_at"] = on_the_line(dice, case, "first_reply", opened_at, past)
    record["resolved_at"] = on_the_line(dice, case, "resolution", opened_at, past)


def put_on_the_as_of(dice: random.Random, record: Record, view: View) -> None:
    """An event, or the end of a window or of a target, exactly at the as-of instant or beside it."""
    moment = view.as_of + dice.choice([0, 0, 1, -1])
    key = dice.choice([*INSTANTS, "window", "target"])
    if key == "window":
        moment, key = moment - view.repeat_window, "resolved_at"
    if key == "target":
        seconds = Case(record, view).target("first_reply").get("seconds", 0)
        record |= {"opened_at": moment - seconds * SECOND, "status": "open"}
        record |= dict.fromkeys(INSTANTS[1:])
    elif key == "opened_at":
        shift = moment - record["opened_at"]
        record |= {name: record[name] + shift for name in INSTANTS if record[name] is not None}
    elif record[key] is not None and record["opened_at"] <= moment:
        record[key] = moment
