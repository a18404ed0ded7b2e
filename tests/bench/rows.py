"""A month's log as a vendor would send it, seeded, in the three forms that are measured."""

import csv
import gzip
import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO

MONTH = "2026-09"
ZONE = "Asia/Ho_Chi_Minh"
AGENTS = 200

_START = datetime(2026, 9, 1, 2, tzinfo=UTC)
_MINUTES = 29 * 24 * 60
_LONGEST_SECONDS = 14 * 24 * 3600
_CHANNELS = ("email", "chat", "messaging", "phone", "web_form")
_TOPICS = ("returns", "sizing", "delivery", "payment", "warranty", "account")
_PRODUCTS = ("tea set", "kettle", "oolong 250 g", "gift box")

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Form:
    headers: Mapping[str, str]
    body: bytes


def log(n: int, seed: int = 1) -> list[Row]:
    """Rows of the canonical record without events, in the order in which they were opened."""
    return [*_rows(n, seed)]


def lines(n: int, seed: int = 1) -> Iterator[bytes]:
    """The NDJSON of `log`, of which no more than a row is in memory."""
    return map(_json_line, _rows(n, seed))


def forms(rows: list[Row]) -> dict[str, Form]:
    lines = b"".join(_json_line(row) for row in rows)
    ndjson = {"Content-Type": "application/x-ndjson"}
    return {
        "NDJSON": Form(ndjson, lines),
        "gzip NDJSON": Form(ndjson | {"Content-Encoding": "gzip"}, gzip.compress(lines, 6)),
        "CSV": Form({"Content-Type": "text/csv"}, _csv(rows)),
    }


def _rows(n: int, seed: int) -> Iterator[Row]:
    dice = random.Random(seed)
    return (_row(dice, number, n) for number in range(n))


def _row(dice: random.Random, number: int, n: int) -> Row:
    opened = _START + timedelta(minutes=_MINUTES * number / n, microseconds=dice.randrange(10**6))
    reply = opened + timedelta(seconds=_seconds(dice, 7, 1.2))
    resolved = reply + timedelta(seconds=_seconds(dice, 9, 1.4))
    agent = f"hs-{dice.randrange(AGENTS):03}"
    is_resolved, is_rated = dice.random() < 0.93, dice.random() < 0.2
    return {
        "interaction_id": f"HS-{10_000_000 + number}",
        "source_system": "zendesk",
        "source_updated_at": (resolved + timedelta(hours=1)).isoformat(),
        "channel": dice.choice(_CHANNELS),
        "status": "resolved" if is_resolved else "open",
        "priority": dice.choice(("low", "normal", "normal", "high", None)),
        "opened_at": opened.isoformat(),
        "first_reply_at": reply.isoformat(),
        "resolved_at": resolved.isoformat() if is_resolved else None,
        "agent_id": agent,
        "first_reply_agent_id": f"hs-{dice.randrange(AGENTS):03}" if number % 5 == 0 else agent,
        "resolved_by": "agent" if is_resolved else None,
        "customer_ref": f"customer-{dice.randrange(max(n // 3, 1))}@mail.example",
        "order_ref": f"DH-{dice.randrange(10**7):07}" if dice.random() < 0.5 else None,
        "topic": dice.choice(_TOPICS),
        "product": dice.choice(_PRODUCTS),
        "language": "vi",
        "agent_replies": dice.randint(1, 6),
        "customer_messages": dice.randint(1, 6),
        "reopens": int(dice.random() < 0.05),
        "handovers": int(dice.random() < 0.12),
        "csat_invited_at": (resolved + timedelta(minutes=5)).isoformat() if is_rated else None,
        "csat": dice.randint(1, 5) if is_rated else None,
        "tags": ["vip", "repeat"] if dice.random() < 0.1 else None,
    }


def _seconds(dice: random.Random, mean: float, deviation: float) -> int:
    """Bounded: among many rows one would lie in the future, and be refused."""
    return min(int(dice.lognormvariate(mean, deviation)), _LONGEST_SECONDS)


def _json_line(row: Row) -> bytes:
    filled = {name: value for name, value in row.items() if value is not None}
    return json.dumps(filled, separators=(",", ":")).encode() + b"\n"


def _csv(rows: list[Row]) -> bytes:
    text = StringIO()
    writer = csv.DictWriter(text, rows[0].keys(), lineterminator="\r\n")
    writer.writeheader()
    for row in rows:
        tags = row["tags"]
        writer.writerow(row | {"tags": ";".join(tags) if isinstance(tags, list) else ""})
    return text.getvalue().encode()
