"""A real log as a help desk keeps it, over HTTP, against the figures of another implementation.

Those figures are dbt_zendesk's: SQL over weeks and schedules, which shares nothing with our clocks.
Every instant of the log is a whole minute, so all figures are compared exactly.
"""

import csv
import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import msgspec
import pytest

from conftest import MakeKey
from stopped_clock import StoppedClock
from vendorwatch.db.engine import Database
from vendorwatch.interactions.instants import parse_instant
from vendorwatch.periods import SECOND, Month, load_zone
from vendorwatch.policies import service as policies
from vendorwatch.scoring.clock import Clocks
from vendorwatch.scoring.policy_file import parse_policy
from vendorwatch.vendors import service as vendors
from vendorwatch.vendors.model import Engagement

pytestmark = pytest.mark.real_data

_BESIDE = Path(__file__).resolve().parents[2].parent / "shared" / "data"
_HERE = Path(os.environ.get("VENDORWATCH_REAL_DATA", _BESIDE)) / "zendesk"
ZONE = "America/New_York"
MONTHS = ("2016-02", "2016-03")
# A year to settle: nothing of the log is pending, so that every ticket has its span.
POLICY = """
name = "As the help desk has it"
effective_from = "2016-01"
settling_days = 366
[hours.default]
mon = ["09:00-17:00"]
tue = ["09:00-17:00"]
wed = ["09:00-17:00"]
thu = ["09:00-17:00"]
fri = ["09:00-17:00"]
holidays = ["2016-05-30", "2017-11-23"]
[targets.first_reply.default]
seconds = 28800
clock = "business"
[targets.resolution.default]
seconds = 28800
clock = "business"
[dimensions.resolution]
weight = 1
metrics.resolution_on_time = { weight = 1, target = 0.9, floor = 0.5 }
"""
STATUSES = {
    "new": "open",
    "open": "open",
    "pending": "pending",
    "hold": "on_hold",
    "solved": "resolved",
    "closed": "closed",
}


class Figures(NamedTuple):
    """Minutes from the opening to the first and the last resolution; how often it was reopened."""

    first_calendar: int
    first_business: int
    final_calendar: int
    final_business: int
    reopens: int


class Difference(NamedTuple):
    reason: str
    ours: Figures


DIFFERENT = {
    # 29 February 04:48 in New York, resolved at 06:03, new again at 06:10, closed on 5 March 07:00.
    "50000137": Difference(
        "Put back to new after it was solved, and closed without being solved again. "
        "dbt_zendesk counts how often a ticket was solved, so that this is no reopening, and takes "
        "the last `solved` as the final resolution wherever there is one. Here new is open: it was "
        "reopened, and the close five working days later ended it.",
        Figures(75, 0, 7332, 5 * 480, 1),
    ),
    # 9 March 12:16 in New York, resolved at 12:24, open again at 12:34, closed on 10 March 10:51.
    "50005082": Difference(
        "Opened again after it was solved, and closed without being solved again; as above.",
        Figures(8, 8, 1355, (17 * 60 - 12 * 60 - 16) + (60 + 51), 1),
    ),
}


def rows(name: str) -> Iterator[dict[str, str]]:
    with (_HERE / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


@pytest.fixture(scope="module")
def tickets() -> list[dict[str, Any]]:
    """Canonical rows. Each ticket is an agent of its own: so a scorecard shows each one's span."""
    if not _HERE.is_dir():
        pytest.skip(f"the real log is not at {_HERE}")
    events = defaultdict(list)
    for change in rows("ticket_field_history_data.csv"):
        if change["field_name"] == "status":
            to = STATUSES[change["value"]]
            event = {"at": f"{change['updated']}Z", "type": "status", "actor": "system", "to": to}
            events[change["ticket_id"]].append(event)
    return [
        {
            "interaction_id": ticket["id"],
            "source_system": "zendesk",
            "channel": "other",
            "status": STATUSES[ticket["status"]],
            "priority": ticket["priority"],
            "opened_at": f"{ticket['created_at']}Z",
            "agent_id": ticket["id"],
            "events": events[ticket["id"]],
        }
        for ticket in rows("ticket_data.csv")
    ]


@pytest.fixture
async def help_desk(database: Database, clock: StoppedClock) -> Engagement:
    async with database.write_as_operator() as connection:
        made = await vendors.create_engagement(
            connection, merchant="Tra Sen", vendor="Help desk", time_zone=ZONE, now=clock()
        )
    async with database.write(made.scope) as connection:
        await policies.set_policy(connection, made.scope, POLICY, clock())
    return made


async def test_every_ticket_has_the_figures_of_the_other_implementation(
    tickets: list[dict[str, Any]], help_desk: Engagement, client: httpx.AsyncClient, key: MakeKey
) -> None:
    token = await key("upload", "read", "score", of=help_desk)
    client.headers["Authorization"] = f"Bearer {token}"
    await _upload(client, tickets)
    stored = {each["interaction_id"]: each async for each in _in_force(client)}
    scored = await _spans(client)
    found = {
        ticket["interaction_id"]: _figures(
            ticket, stored[ticket["interaction_id"]], scored[ticket["interaction_id"]]
        )
        for ticket in tickets
    }

    expected = {row["ticket_id"]: _theirs(row) for row in rows("expected_ticket_metrics.csv")}
    assert found.keys() == stored.keys() == scored.keys() == expected.keys()
    assert len(expected) == 396
    differing = {ticket for ticket, figures in expected.items() if found[ticket] != figures}
    assert {each: found[each] for each in differing} == {
        ticket: difference.ours for ticket, difference in DIFFERENT.items()
    }
    for ticket in DIFFERENT:  # they agree on the first resolution
        assert found[ticket][:2] == expected[ticket][:2]


async def test_spans_on_the_calendar_are_those_of_the_other_implementation(
    tickets: list[dict[str, Any]],
    help_desk: Engagement,
    client: httpx.AsyncClient,
    key: MakeKey,
    database: Database,
    clock: StoppedClock,
) -> None:
    calendar = POLICY.replace('clock = "business"', 'clock = "calendar"')
    async with database.write(help_desk.scope) as connection:
        await policies.set_policy(connection, help_desk.scope, calendar, clock())
    client.headers["Authorization"] = f"Bearer {await key('upload', 'score', of=help_desk)}"
    await _upload(client, tickets)
    spans = await _spans(client)
    expected = {
        row["ticket_id"]: DIFFERENT[row["ticket_id"]].ours.final_calendar
        if row["ticket_id"] in DIFFERENT
        else _minutes(row["final_resolution_calendar_minutes"])
        for row in rows("expected_ticket_metrics.csv")
    }
    assert spans == expected


async def test_the_log_has_what_makes_the_comparison_worth_it(
    tickets: list[dict[str, Any]],
) -> None:
    """Reopened tickets, spans over the change to summer time and over a holiday, long ones."""
    expected = [_theirs(row) for row in rows("expected_ticket_metrics.csv")]
    assert Counter(each.reopens > 0 for each in expected) == {False: 337, True: 59}
    changes = [parse_instant(text) for text in ("2016-03-13T07:00Z", "2016-05-30T13:00Z")]
    over = [
        sum(
            parse_instant(ticket["opened_at"]) < change < parse_instant(resolving[-1])
            for ticket in tickets
            if (resolving := _resolving(ticket))
        )
        for change in changes
    ]
    assert min(over) > 0, over
    assert max(each.final_business for each in expected) > 30 * 480


async def _upload(client: httpx.AsyncClient, tickets: list[dict[str, Any]]) -> None:
    body = b"\n".join(map(msgspec.json.encode, tickets))
    answer = await client.post(
        "/v1/uploads", content=body, headers={"Content-Type": "application/x-ndjson"}
    )
    assert answer.status_code == 201, answer.text
    assert answer.json()["created"] == len(tickets)


async def _in_force(client: httpx.AsyncClient) -> Any:
    address = "/v1/interactions?limit=500"
    while address:
        answer = await client.get(address)
        for each in answer.json():
            yield each
        address = answer.links["next"]["url"] if "next" in answer.links else ""


async def _spans(client: httpx.AsyncClient) -> dict[str, int]:
    """Whole minutes to the final resolution, as the scorecards have them."""
    spans: dict[str, int] = {}
    for month in MONTHS:
        answer = await client.post("/v1/scorecards", json={"month": month})
        assert answer.status_code == 201, answer.text
        for agent in answer.json()["agents"]:
            median = agent["metrics"]["resolution_p50"]
            assert (median["denominator"], median["missing"]) == (1, 0)
            spans[agent["agent_id"]] = _minutes(median["value"], of=60)
    return spans


def _figures(ticket: dict[str, Any], stored: dict[str, Any], final_business: int) -> Figures:
    """The first resolution is none of our metrics: its instant is the first resolving event's."""
    opened, first = parse_instant(stored["opened_at"]), parse_instant(_resolving(ticket)[0])
    resolved = parse_instant(stored["resolved_at"])
    clocks = Clocks(
        [(Month(2016, 1), parse_policy(POLICY).hours)], load_zone(ZONE), opened, resolved
    )
    clock = clocks.by_channel["other"]
    first_business = clock.reading_at(first) - clock.reading_at(opened)
    assert _whole_minutes(clock.reading_at(resolved) - clock.reading_at(opened)) == final_business
    return Figures(
        first_calendar=_whole_minutes(first - opened),
        first_business=_whole_minutes(first_business),
        final_calendar=_whole_minutes(resolved - opened),
        final_business=final_business,
        reopens=stored["reopens"],
    )


def _resolving(ticket: dict[str, Any]) -> list[str]:
    return [each["at"] for each in ticket["events"] if each["to"] in {"resolved", "closed"}]


def _theirs(row: dict[str, str]) -> Figures:
    return Figures(
        first_calendar=_minutes(row["first_resolution_calendar_minutes"]),
        first_business=_minutes(row["first_resolution_business_minutes"]),
        final_calendar=_minutes(row["final_resolution_calendar_minutes"]),
        final_business=_minutes(row["full_resolution_business_minutes"]),
        reopens=int(float(row["count_reopens"])),
    )


def _minutes(text: str, *, of: int = 1) -> int:
    """Fails where it is not a whole number of them."""
    whole, rest = divmod(float(text), of)
    assert rest == 0, text
    return int(whole)


def _whole_minutes(span: int) -> int:
    whole, rest = divmod(span, 60 * SECOND)
    assert rest == 0, span
    return whole
