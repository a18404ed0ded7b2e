"""Seeded random logs, nasty ones included, and whole scenarios ready to be scored."""

import random
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from oracle.cases import Case, Record, View
from oracle.clock import DAY, MINUTE, SECOND, Policy, Versions, month_bounds, utc
from oracle.policies import (
    AGENTS,
    CHANNELS,
    PRIORITIES,
    random_knowledge,
    random_policy_toml,
)

__all__ = ["random_knowledge", "random_policy_toml"]

INSTANTS = (
    "opened_at",
    "first_reply_at",
    "resolved_at",
    "abandoned_at",
    "csat_invited_at",
    "csat_at",
)
INTERNAL = ("vendor_id", "first_reply_known", "resolution_known")
OFTEN_BLANK = ("agent_id", "customer_ref", "topic", "csat", "reopens")
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
CALENDARS = [
    ("America/New_York", "2025-03"),
    ("America/New_York", "2025-11"),
    ("Europe/Budapest", "2025-03"),
    ("Europe/Budapest", "2025-10"),
    ("Australia/Lord_Howe", "2025-04"),
    ("Australia/Lord_Howe", "2025-10"),
    ("Pacific/Chatham", "2025-04"),
    ("Pacific/Chatham", "2025-09"),
    ("Asia/Ho_Chi_Minh", "2025-09"),
    ("America/New_York", "2025-12"),
]
SHAPES = ("mixed", "all_unanswered", "sparse", "on_the_line", "one_customer")


def parsed(text: str) -> Policy:
    return tomllib.loads(text, parse_float=Decimal)


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


def base_record(dice: random.Random, number: int, vendor_id: str, opened_at: int) -> Record:
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
        "agent_id": maybe(dice, 0.8, dice.choice(AGENTS)),
        "first_reply_agent_id": maybe(dice, 0.4, dice.choice(AGENTS)),
        "resolved_by_agent_id": maybe(dice, 0.4, dice.choice(AGENTS)),
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
    low, high = begin, begin + 60 * DAY
    if not reached(high):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if reached(middle) else (middle + 1, high)
    return low


def put_on_the_line(dice: random.Random, record: Record, view: View) -> None:
    """Reply and resolution exactly at the target, or one microsecond of the clock past it."""
    case = Case(record, view)
    for kind, key in (("first_reply", "first_reply_at"), ("resolution", "resolved_at")):
        wanted = case.target(kind)["seconds"] * SECOND + dice.choice([0, 1])

        def reached(moment: int, kind: str = kind, wanted: int = wanted) -> bool:
            return case.span(kind, moment) >= wanted

        record[key] = earliest(record["opened_at"], reached)


def put_on_the_as_of(dice: random.Random, record: Record, view: View) -> None:
    """An event, or the end of a window or of a target, exactly at the as-of instant or beside it."""
    moment = view.as_of + dice.choice([0, 0, 1, -1])
    key = dice.choice([*INSTANTS, "window", "target"])
    if key == "window":
        moment, key = moment - view.repeat_window, "resolved_at"
    if key == "target":
        seconds = Case(record, view).target("first_reply")["seconds"]
        record |= {"opened_at": moment - seconds * SECOND, "status": "open"}
        record |= dict.fromkeys(INSTANTS[1:])
    elif key == "opened_at":
        shift = moment - record["opened_at"]
        record |= {name: record[name] + shift for name in INSTANTS if record[name] is not None}
    elif record[key] is not None and record["opened_at"] <= moment:
        record[key] = moment


def random_log(
    seed: int,
    n: int,
    *,
    month: str = "2025-10",
    zone: str = "America/New_York",
    vendor_id: str = "vendor-a",
    shape: str = "mixed",
    view: View | None = None,
    columns_may_lack: bool = True,
) -> list[Record]:
    """N interactions in random order, about three quarters of them opened in the month.

    With a view, some lie exactly on its targets, windows and as-of instant. Every record obeys the
    rules of the canonical record; columns_may_lack = False keeps to what NDJSON can express.
    """
    dice = random.Random(f"log {seed} {vendor_id}")
    start, end = month_bounds(month, ZoneInfo(zone))
    records = []
    for number in range(n):
        record = base_record(dice, number, vendor_id, opening(dice, start, end))
        if shape == "one_customer":
            record |= {"customer_ref": "customer-1", "order_ref": None}
        fill_instants(dice, record)
        if view is not None and dice.random() < (0.9 if shape == "on_the_line" else 0.08):
            put_on_the_line(dice, record, view)
        if view is not None and dice.random() < 0.06:
            put_on_the_as_of(dice, record, view)
        if shape == "sparse":
            record |= dict.fromkeys(key for key in OFTEN_BLANK if dice.random() < 0.7)
        if shape == "all_unanswered":
            record |= {"first_reply_at": None, "resolved_at": None}
        if columns_may_lack:
            forget(dice, record)
        records.append(record)
    dice.shuffle(records)
    return records


def rfc3339(dice: random.Random, instant: int) -> str:
    moment = utc(instant).replace(tzinfo=None)
    return moment.isoformat() + dice.choice(["Z", "+00:00"])


def as_canonical_rows(records: list[Record]) -> list[dict[str, Any]]:
    """JSON-able rows of the canonical record. Unknown ones are null in some rows, absent in others.

    ValueError for a log with lacking columns: NDJSON cannot say that a column was not there.
    """
    dice = random.Random(len(records))
    rows = []
    for record in records:
        if not (record["first_reply_known"] and record["resolution_known"]):
            raise ValueError("a lacking column cannot be written as NDJSON")
        row = {key: value for key, value in record.items() if key not in INTERNAL}
        for key in INSTANTS:
            if row[key] is not None:
                row[key] = rfc3339(dice, row[key])
        if dice.random() < 0.5:
            row = {key: value for key, value in row.items() if value is not None}
        rows.append(row)
    return rows


@dataclass(frozen=True)
class Scenario:
    """Everything that a scorecard is computed from."""

    policy_texts: list[str]
    zone: str
    month: str
    as_of: int | None
    now: int
    records: list[Record]
    pool: list[Record]
    knowledge: list[dict[str, Any]]

    @property
    def versions(self) -> Versions:
        documents = [parsed(text) for text in self.policy_texts]
        return [(str(document["effective_from"]), document) for document in documents]

    @property
    def policy(self) -> Policy:
        """The newest version in effect in the month."""
        return max((v for v in self.versions if v[0] <= self.month), key=lambda v: v[0])[1]

    def arguments(self) -> dict[str, Any]:
        """For `scores.scorecard`."""
        return {
            "records": self.records,
            "pool": self.pool,
            "knowledge": self.knowledge,
            "policy": self.policy,
            "policies": self.versions,
            "month": self.month,
            "zone": self.zone,
            "as_of": self.as_of,
            "now": self.now,
            "names": {agent: f"Name of {agent}" for agent in AGENTS[:4]},
        }


def next_month(month: str) -> str:
    year, number = int(month[:4]), int(month[5:])
    return f"{year + number // 12}-{number % 12 + 1:02d}"


def random_moment(dice: random.Random, start: int, end: int, final: int) -> tuple[int | None, int]:
    """(as_of, now): before and after the final instant, at it, asked for or left to the default."""
    late = final + 30 * DAY
    middle = dice.randrange(start, end)
    return dice.choice(
        [
            (None, late),
            (None, late),
            (None, final),
            (None, final - 1),
            (None, middle),
            (middle, late),
            (final, late),
            (final + 3 * DAY, late),
            (middle + 300 * SECOND, middle),
        ]
    )


def random_scenario(seed: int, n: int = 120, *, columns_may_lack: bool = True) -> Scenario:
    """One month with its policy versions, the merchant's other vendors and knowledge results."""
    dice = random.Random(f"scenario {seed}")
    zone, month = CALENDARS[seed % len(CALENDARS)]
    months = dice.choice([[month], ["2024-06", month], [month, next_month(month)]])
    texts = [random_policy_toml(seed * 10 + i, effective_from=m) for i, m in enumerate(months)]
    bare = Scenario(texts, zone, month, None, 0, [], [], [])
    start, end = month_bounds(month, ZoneInfo(zone))
    final = end + bare.policy["settling_days"] * DAY
    as_of, now = random_moment(dice, start, end, final)
    view = View(
        min(final, now) if as_of is None else as_of, bare.policy, bare.versions, ZoneInfo(zone)
    )
    shape = SHAPES[dice.choice([0, 0, 0, 1, 2, 3, 4])]

    def log(count: int, vendor_id: str) -> list[Record]:
        return random_log(
            seed,
            count,
            month=month,
            zone=zone,
            vendor_id=vendor_id,
            shape=shape,
            view=view,
            columns_may_lack=columns_may_lack,
        )

    records, pool = log(n, "vendor-b"), log(n // 2, "vendor-a") + log(n // 3, "vendor-c")
    knowledge = random_knowledge(seed, month=month, zone=zone)
    return Scenario(texts, zone, month, as_of, now, records, pool, knowledge)
