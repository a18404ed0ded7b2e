"""What happens after the as-of instant changes no figure as of it, where events tell when it did."""

import random
from datetime import datetime
from typing import Any

import httpx
import pytest

from conftest import MakeKey
from sample_logs import ndjson, row
from stopped_clock import StoppedClock
from vendorwatch.periods import DAY, Micros, format_instant, to_micros
from vendorwatch.vendors.model import Engagement

Json = dict[str, Any]
OPENED = "2026-10-05T09:00:00Z"
OPENED_AT = to_micros(datetime.fromisoformat(OPENED))
BY_FINAL: list[Json] = [
    {"at": OPENED, "type": "message", "actor": "customer"},
    {"at": "2026-10-05T09:10:00Z", "type": "message", "actor": "agent", "agent_id": "an"},
    {"at": "2026-10-05T10:00:00Z", "type": "status", "actor": "agent", "to": "resolved"},
]
LATER: list[Json] = [
    {"at": "2026-11-20T09:00:00Z", "type": "status", "actor": "customer", "to": "open"},
    {"at": "2026-11-20T09:30:00Z", "type": "assigned", "actor": "system", "agent_id": "linh"},
    {"at": "2026-11-20T10:00:00Z", "type": "status", "actor": "agent", "to": "closed"},
]

TURNS: list[Json] = [
    {"type": "message", "actor": "agent"},
    {"type": "message", "actor": "customer"},
    {"type": "assigned", "actor": "system", "agent_id": "an"},
    {"type": "handover", "actor": "agent", "agent_id": "linh"},
    {"type": "handover", "actor": "agent"},
    {"type": "status", "actor": "agent", "to": "resolved"},
    {"type": "status", "actor": "agent", "to": "merged"},
    {"type": "status", "actor": "customer", "to": "open"},
]


class Desk:
    """Whoever sends logs and asks for scorecards of October 2026."""

    def __init__(self, client: httpx.AsyncClient, token: str) -> None:
        self.client, self.headers = client, {"Authorization": f"Bearer {token}"}

    async def send(self, *rows: Json) -> None:
        headers = self.headers | {"Content-Type": "application/x-ndjson"}
        answer = await self.client.post("/v1/uploads", content=ndjson(rows), headers=headers)
        assert answer.status_code == 201, answer.text

    async def card(self, as_of: str | None = None) -> Json:
        asked = {"month": "2026-10"} | ({} if as_of is None else {"as_of": as_of})
        answer = await self.client.post("/v1/scorecards", json=asked, headers=self.headers)
        assert answer.status_code in (200, 201), answer.text
        found: Json = answer.json()
        return found

    async def behind(self, card: Json, metric: str, part: str) -> list[str]:
        address = f"{card['links']['self']}/metrics/{metric}/interactions?part={part}"
        answer = await self.client.get(address, headers=self.headers)
        assert answer.status_code == 200, answer.text
        return [each["reason"] for each in answer.json()]


def told(number: int, events: list[Json]) -> Json:
    claims = {"first_reply_at": None, "resolved_at": None}
    return row(number, opened_at=OPENED, agent_id="an", events=events, **claims)


def figures(card: Json) -> Json:
    return {name: card[name] for name in ("volume", "vendor_scores", "agents")}


async def test_a_final_figure_stays_whatever_happens_to_the_contact_later(
    client: httpx.AsyncClient, clock: StoppedClock, key: MakeKey
) -> None:
    desk = Desk(client, await key("upload", "read", "score"))
    clock.set("2026-11-08T12:00:00Z")
    await desk.send(told(1, BY_FINAL))
    first = await desk.card()
    clock.set("2026-11-25T00:00:00Z")
    await desk.send(told(1, BY_FINAL + LATER))
    second = await desk.card()
    assert first["status"] == second["status"] == "final"
    assert first["records_sha256"] != second["records_sha256"]
    assert figures(second) == figures(first)
    assert await desk.behind(second, "handover_rate", "denominator") == ["not_handed_over"]
    assert await desk.behind(second, "reopen_rate", "denominator") == ["not_reopened"]
    assert await desk.behind(second, "resolution_rate", "numerator") == ["resolved"]


@pytest.mark.parametrize("seed", range(4))
async def test_a_log_says_at_any_time_what_it_would_have_said_had_it_ended_then(
    seed: int,
    client: httpx.AsyncClient,
    clock: StoppedClock,
    key: MakeKey,
    engagement: Engagement,
    rival: Engagement,
) -> None:
    dice = random.Random(seed)
    clock.set("2026-11-25T00:00:00Z")
    whole = [history(dice) for _ in range(30)]
    as_of = OPENED_AT + dice.randrange(6 * DAY)
    scopes = ("upload", "read", "score")
    long, short = [Desk(client, await key(*scopes, of=of)) for of in (engagement, rival)]
    await long.send(*(told_of(n, events) for n, events in enumerate(whole)))
    ended = [[event for event in events if event["when"] <= as_of] for events in whole]
    await short.send(*(told_of(n, events) for n, events in enumerate(ended)))
    cards = [await desk.card(format_instant(as_of)) for desk in (long, short)]
    assert figures(cards[0]) == figures(cards[1])


def history(dice: random.Random) -> list[Json]:
    """Never empty: it begins with the question. Nobody's name is told with a reply."""
    at: Micros = OPENED_AT
    events: list[Json] = [{"when": at, "type": "message", "actor": "customer"}]
    for _ in range(dice.randrange(12)):
        at += dice.choice([0, dice.randrange(DAY)])
        events.append({"when": at} | dice.choice(TURNS))
    return events


def told_of(number: int, events: list[Json]) -> Json:
    sent = [
        {"at": format_instant(event["when"])} | {k: v for k, v in event.items() if k != "when"}
        for event in events
    ]
    return told(number, sent) | {"customer_ref": None}
