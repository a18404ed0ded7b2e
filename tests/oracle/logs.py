"""Seeded random logs, and whole scenarios ready to be scored."""

import random
import tomllib
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from oracle.cases import Record, View
from oracle.clock import (
    DAY,
    MINUTE,
    SECOND,
    Policy,
    Versions,
    local_date,
    month_bounds,
    utc,
    wall_to_instant,
)
from oracle.contacts import (
    INSTANTS,
    base_record,
    fill_instants,
    forget,
    opening,
    put_on_the_as_of,
    put_on_the_line,
)
from oracle.conversations import converse
from oracle.policies import AGENTS, CLOCK_TIMES, random_policy_toml
from oracle.results import random_knowledge, random_reviews

INTERNAL = ("vendor_id", "first_reply_known", "resolution_known", "next_replies")
OFTEN_BLANK = ("agent_id", "customer_ref", "topic", "csat", "reopens")
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
    ("America/Havana", "2025-11"),  # its clocks change at midnight
    ("Africa/Cairo", "2025-10"),  # likewise, in the last night of the month
    ("Asia/Kathmandu", "2025-10"),
]
SHAPES = (
    "mixed",
    "all_unanswered",
    "sparse",
    "on_the_line",
    "at_the_target",
    "one_customer",
    "one_agent",
    "ties",
    "apart",
    "empty_month",
)


def parsed(text: str) -> Policy:
    return tomllib.loads(text, parse_float=Decimal)


def good_or_bad(opened_at: int, *, good: bool) -> Record:
    """Of one of two agents who have nothing in common."""
    slow = {"agent_id": AGENTS[1], "reopens": 2, "handovers": 1, "csat": 1, "csat_at": None}
    quick = {"agent_id": AGENTS[0], "reopens": 0, "handovers": 0, "csat": 5, "csat_at": None}
    waited = 0 if good else 30 * DAY
    nobody = {"first_reply_agent_id": None, "resolved_by_agent_id": None}
    moments = {"first_reply_at": opened_at + waited, "resolved_at": opened_at + waited}
    return (quick if good else slow) | nobody | moments


def shaped(dice: random.Random, record: Record, shape: str, view: View | None) -> None:
    if view is not None and dice.random() < {"on_the_line": 0.9, "at_the_target": 1}.get(
        shape, 0.08
    ):
        past = (0,) if shape == "at_the_target" else (0, 1)
        put_on_the_line(dice, record, view, past)
    if view is not None and shape != "at_the_target" and dice.random() < 0.06:
        put_on_the_as_of(dice, record, view)
    if shape == "sparse":
        record |= dict.fromkeys(key for key in OFTEN_BLANK if dice.random() < 0.7)
    if shape == "all_unanswered":
        record |= {"first_reply_at": None, "resolved_at": None}
    if shape == "apart":
        record |= good_or_bad(record["opened_at"], good=dice.random() < 0.5)
    if shape == "ties":
        moments = [key for key in INSTANTS[1:] if record[key] is not None]
        record |= dict.fromkeys(moments, record["opened_at"] + 30 * MINUTE)


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
    agents = AGENTS[:1] if shape == "one_agent" else AGENTS
    records = []
    for number in range(n):
        opened_at = opening(dice, start, end)
        if shape == "empty_month":
            opened_at = dice.choice([start - 1, end, end + 1])
        if shape == "ties":
            opened_at = start + 3 * DAY
        record = base_record(dice, number, vendor_id, opened_at, agents)
        if shape == "one_customer":
            record |= {"customer_ref": "customer-1", "order_ref": None}
        fill_instants(dice, record)
        shaped(dice, record, shape, view)
        if dice.random() < 0.45:
            converse(dice, record, view, shape, agents)
        elif columns_may_lack:
            forget(dice, record)
        records.append(record)
    dice.shuffle(records)
    return records


def rfc3339(dice: random.Random, instant: int) -> str:
    moment = utc(instant).replace(tzinfo=None)
    return moment.isoformat() + dice.choice(["Z", "+00:00"])


def garbled(dice: random.Random, record: Record) -> Record:
    """What a vendor might claim beside events, which win over all of it."""
    claims = {"first_reply_at": record["opened_at"], "resolved_at": None}
    claims |= {"reopens": 7, "handovers": None}
    return {key: claim for key, claim in claims.items() if dice.random() < 0.3}


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
        if row["events"] is not None:
            row |= garbled(dice, record)
            row["events"] = [
                event | {"at": rfc3339(dice, event["at"])} for event in record["events"]
            ]
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
    knowledge: list[Record]
    reviews: list[Record]

    @cached_property
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
            "reviews": self.reviews,
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


def random_moment(
    dice: random.Random, start: int, end: int, final: int, zone: ZoneInfo
) -> tuple[int | None, int]:
    """(as_of, now): before and after the final instant, at it, asked for or left to the default."""
    late = final + 30 * DAY
    middle = dice.randrange(start, end)
    due = wall_to_instant(local_date(middle, zone), dice.choice(CLOCK_TIMES), zone)
    return dice.choice(
        [
            (None, late),
            (None, late),
            (None, final),
            (None, final - 1),
            (None, middle),
            (middle, late),
            (due + dice.choice([0, 1]), late),
            (final, late),
            (final + 3 * DAY, late),
            (middle + 300 * SECOND, middle),
            (start + 20 * 60 * MINUTE, late),
            (dice.choice([start - 1, start]), late),
        ]
    )


def random_scenario(seed: int, n: int = 120, *, columns_may_lack: bool = True) -> Scenario:
    """One month with its policy versions, the merchant's other vendors and knowledge results."""
    dice = random.Random(f"scenario {seed}")
    zone, month = CALENDARS[seed % len(CALENDARS)]
    months = dice.choice([[month], ["2024-06", month], [month, next_month(month)]])
    texts = [random_policy_toml(seed * 10 + i, effective_from=m) for i, m in enumerate(months)]
    bare = Scenario(texts, zone, month, None, 0, [], [], [], [])
    start, end = month_bounds(month, ZoneInfo(zone))
    final = end + bare.policy["settling_days"] * DAY
    as_of, now = random_moment(dice, start, end, final, ZoneInfo(zone))
    view = View(
        min(final, now) if as_of is None else as_of, bare.policy, bare.versions, ZoneInfo(zone)
    )
    shape = SHAPES[max(0, dice.randrange(-4, len(SHAPES)))]

    def log(count: int, vendor_id: str, shape: str) -> list[Record]:
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

    records = log(n, "vendor-b", shape)
    # Whether the others are in time, nobody asks.
    kept = "mixed" if shape in ("on_the_line", "at_the_target") else shape
    pool = log(n // 2, "vendor-a", kept) + log(n // 3, "vendor-c", kept)
    knowledge = random_knowledge(seed, month=month, zone=zone, as_of=view.as_of)
    reviews = random_reviews(seed, records, view.as_of)
    return Scenario(texts, zone, month, as_of, now, records, pool, knowledge, reviews)
