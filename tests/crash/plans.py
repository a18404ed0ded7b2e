"""Uploads made from a seed, each with what must come of every row: the harness's own truth."""

import csv
import gzip
import hashlib
import io
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

_START = datetime(2026, 9, 1, tzinfo=UTC)
_FIELDS = (
    "interaction_id",
    "source_updated_at",
    "channel",
    "status",
    "opened_at",
    "first_reply_at",
    "resolved_at",
    "agent_id",
    "topic",
    "reopens",
    "handovers",
    "csat",
    "customer_ref",
)
_CHANNELS = ("email", "chat", "phone", "web_form")
_TOPICS = ("returns", "sizing", "đổi trả", "délai, retour", 'the "blue" one')
LONG_ROWS = 9_000
"""At least, of a long log: more than PostgreSQL moves at once while it is read."""
_PIECES = (1, 7, 40)  # of a body, as many with a pause in between
_PAUSE_SECONDS = 0.002


@dataclass(frozen=True, slots=True)
class Row:
    """What the table must hold of a row; instants are microseconds, `customer` is as sent."""

    interaction_id: str
    source_updated_at: int | None
    channel: str
    status: str
    opened_at: int
    first_reply_at: int | None
    resolved_at: int | None
    agent_id: str | None
    topic: str | None
    reopens: int | None
    handovers: int | None
    csat: int | None
    customer: str | None

    @property
    def figures(self) -> tuple[object, ...]:
        """Without the customer, who is stored under a pseudonym."""
        return tuple(getattr(self, name) for name in FIGURES)


FIGURES = _FIELDS[:-1]


@dataclass(frozen=True, slots=True)
class Bad:
    """A row that must be refused, byte for byte as it was sent."""

    raw: bytes
    code: str


@dataclass(frozen=True, slots=True)
class Plan:
    """One upload. `key` is null where the server is to know it by its bytes.

    `effect` tells what must come of it: stored, nothing (a dry run, an atomic one with a bad row),
    refused (a receipt without rows) or replayed (the receipt of `again`).
    """

    name: str
    client: int
    key: str | None
    body: bytes
    media: str
    encoding: str | None
    query: str
    rows: tuple[Row | Bad, ...]
    effect: str
    piece: int  # bytes sent at once
    pause: float  # seconds between them
    chunked: bool
    races: bool = False  # sent by two at once
    again: str | None = None
    sha256: str = field(init=False)  # every check asks for it, of each upload as often as there are

    def __post_init__(self) -> None:
        object.__setattr__(self, "sha256", hashlib.sha256(self.body).hexdigest())

    @property
    def is_long(self) -> bool:
        return len(self.rows) >= LONG_ROWS


class Author:
    """The plans of one client of one vendor; those of two clients never depend on their order.

    Interactions whose id starts with `shared` carry source_updated_at, distinct for each revision,
    and are revised by every client of the vendor. The others belong to this client alone, and its
    later upload wins.
    """

    def __init__(self, seed: int, client: int, clients: int) -> None:
        self._dice = random.Random(f"{seed} {client}")
        self._client, self._clients = client, clients
        self._made = 0
        self._moments = 0
        self._known: list[dict[str, str]] = []
        self._sent: list[Plan] = []
        self.is_long_wanted = False  # next

    def plans(self) -> Iterator[Plan]:
        """Without an end."""
        while True:
            plan = self._long() if self.is_long_wanted else self._next()
            self.is_long_wanted = False
            self._sent.append(plan)
            yield plan

    def _next(self) -> Plan:
        kind = self._dice.random()
        stored = [plan for plan in self._sent[-40:] if plan.effect == "stored"]
        name = f"c{self._client}-{len(self._sent)}"
        if stored and kind < 0.08:
            again = self._dice.choice(stored)
            return replace(again, name=name, effect="replayed", again=again.again or again.name)
        if stored and kind < 0.18:  # a whole file once more, as a new upload
            return replace(self._dice.choice(stored), name=name, key=f"key-{name}", again=None)
        if kind < 0.23:
            return self._plan(name, self._rows(1), "&mode=atomic", "nothing")
        if kind < 0.26:
            return self._plan(name, self._rows(0), "&dry_run=true", "nothing")
        if kind < 0.29:
            return self._plan(name, [], "", "refused")
        few = self._dice.choice((1, 3, 10, 40, 120))
        size = few if kind < 0.98 else 1_500
        bad = self._dice.choice((0, 0, 1, 3)) if size > 1 else 0
        return self._plan(name, self._rows(bad, size), "", "stored")

    def _rows(self, bad: int, size: int = 5) -> list[dict[str, str] | None]:
        """None stands for a bad row."""
        rows: list[dict[str, str] | None] = [self._row() for _ in range(size)]
        for _ in range(bad):
            rows.insert(self._dice.randrange(len(rows) + 1), None)
        return rows

    def _long(self) -> Plan:
        """All rows are new, or others come behind: so far it can be stored while it is read."""
        rows: list[dict[str, str] | None] = [self._new() for _ in range(LONG_ROWS)]
        if self._dice.random() < 0.5:
            rows += self._rows(3, 500)
        return self._plan(f"c{self._client}-{len(self._sent)}", rows, "", "stored")

    def _new(self) -> dict[str, str]:
        self._made += 1
        row = self._contact(f"c{self._client}-{self._made - 1}")
        self._known.append(row)
        return row

    def _row(self) -> dict[str, str]:
        dice = self._dice
        if self._known and dice.random() < 0.15:
            return dice.choice(self._known[-200:])  # the same revision again
        if dice.random() < 0.3:
            self._moments += 1
            moment = self._moments * self._clients + self._client
            row = self._contact(f"shared-{dice.randrange(60)}")
            row["source_updated_at"] = _text(_START + timedelta(days=40, seconds=moment))
        elif self._known and dice.random() < 0.3:
            row = self._contact(f"c{self._client}-{dice.randrange(self._made or 1)}")
        else:
            return self._new()
        self._known.append(row)
        return row

    def _contact(self, name: str) -> dict[str, str]:
        dice = self._dice
        opened = _START + timedelta(
            seconds=dice.randrange(40 * 86_400), microseconds=dice.randrange(999)
        )
        resolved = dice.random() < 0.8
        row = {
            "interaction_id": name,
            "channel": dice.choice(_CHANNELS),
            "status": "resolved" if resolved else "open",
            "opened_at": _text(opened),
            "first_reply_at": _text(opened + timedelta(seconds=dice.randrange(90_000))),
            "agent_id": f"agent {dice.randrange(20)}",
            "topic": dice.choice(_TOPICS),
            "reopens": str(dice.randrange(4)),
            "handovers": str(dice.randrange(4)),
            "customer_ref": f"customer {dice.randrange(500)}",
        }
        if resolved:
            row["resolved_at"] = _text(opened + timedelta(seconds=90_000 + dice.randrange(90_000)))
            row["csat"] = str(dice.randrange(1, 6))
        return row

    def _plan(self, name: str, rows: list[dict[str, str] | None], query: str, effect: str) -> Plan:
        dice = self._dice
        as_csv = dice.random() < 0.3 and effect != "refused"
        plain, told = (_csv if as_csv else _ndjson)(rows or [None] * 3, dice)
        squeezed = dice.random() < 0.4
        body = gzip.compress(plain, 5, mtime=0) if squeezed else plain
        return Plan(
            name=name,
            client=self._client,
            key=None if effect == "stored" and dice.random() < 0.1 else f"key-{name}",
            body=body,
            media="text/csv" if as_csv else "application/x-ndjson",
            encoding="gzip" if squeezed else None,
            query=query,
            rows=told,
            effect=effect,
            piece=len(body) // dice.choice(_PIECES) + 1,
            pause=dice.choice((0.0, 0.0, _PAUSE_SECONDS)),
            chunked=dice.random() < 0.3,
            races=effect == "stored" and dice.random() < 0.2,
        )


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _micros(text: str | None) -> int | None:
    if not text:
        return None
    return (datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
        microseconds=1
    )


def _number(text: str | None) -> int | None:
    return int(text) if text else None


def _told(row: dict[str, str]) -> Row:
    opened_at = _micros(row["opened_at"])
    assert opened_at is not None
    return Row(
        interaction_id=row["interaction_id"],
        source_updated_at=_micros(row.get("source_updated_at")),
        channel=row["channel"],
        status=row["status"],
        opened_at=opened_at,
        first_reply_at=_micros(row.get("first_reply_at")),
        resolved_at=_micros(row.get("resolved_at")),
        agent_id=row.get("agent_id"),
        topic=row.get("topic"),
        reopens=_number(row.get("reopens")),
        handovers=_number(row.get("handovers")),
        csat=_number(row.get("csat")),
        customer=row.get("customer_ref"),
    )


def _ndjson(
    rows: list[dict[str, str] | None], dice: random.Random
) -> tuple[bytes, tuple[Row | Bad, ...]]:
    lines, told = [], list[Row | Bad]()
    for row in rows:
        if row is None:
            bad = _bad_line(dice)
            lines.append(bad.raw)
            told.append(bad)
            continue
        numbers = {n: int(row[n]) for n in ("reopens", "handovers", "csat") if n in row}
        lines.append(json.dumps(row | numbers, ensure_ascii=dice.random() < 0.5).encode())
        told.append(_told(row))
    return b"\n".join(lines) + b"\n", tuple(told)


def _bad_line(dice: random.Random) -> Bad:
    number = dice.randrange(10**9)
    whole = {"interaction_id": f"bad {number}", "channel": "email", "status": "open"}
    opened = {"opened_at": "2026-10-01T00:00:00Z"}
    return dice.choice(
        (
            Bad(json.dumps(whole | opened).encode()[:-7], "malformed"),
            Bad(json.dumps(whole).encode(), "missing_required"),
            Bad(
                json.dumps(whole | {"opened_at": "2026-10-01T00:00:00"}).encode(),
                "timezone_required",
            ),
            Bad(json.dumps(whole | opened).encode().replace(b"bad ", b"bad \xff"), "invalid_utf8"),
        )
    )


def _csv(
    rows: list[dict[str, str] | None], dice: random.Random
) -> tuple[bytes, tuple[Row | Bad, ...]]:
    lines, told = [_cells(list(_FIELDS))], list[Row | Bad]()
    for row in rows:
        if row is None:
            short = Bad(f"bad {dice.randrange(10**9)},email".encode(), "malformed")
            lines.append(short.raw)
            told.append(short)
            continue
        lines.append(_cells([row.get(name, "") for name in _FIELDS]))
        told.append(_told(row))
    return b"\r\n".join(lines) + b"\r\n", tuple(told)


def _cells(cells: list[str]) -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="").writerow(cells)
    return buffer.getvalue().encode()
