"""A month is frozen once, at its instant, whatever happens meanwhile."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from sqlalchemy import Uuid, bindparam, text

from closing.conftest import DUE, OCTOBER, Office
from conftest import MakeKey
from sample_logs import row
from stopped_clock import StoppedClock
from vendorwatch.closing import issuing, service
from vendorwatch.closing.refusals import MonthNotDue
from vendorwatch.db.engine import Database
from vendorwatch.periods import Month, format_instant
from vendorwatch.policies import service as policies
from vendorwatch.settings import Settings
from vendorwatch.vendors.model import Engagement
from vendorwatch.worker.composition import duties
from vendorwatch.worker.duties import Round


async def test_a_month_is_issued_as_of_the_instant_at_which_it_is_final(
    office: Office, clock: StoppedClock
) -> None:
    clock.set(DUE)
    clock.now -= 1
    assert [each.action for each in await office.close()] == ["notice"]
    clock.set(DUE)
    [closed] = await office.close()
    assert (closed.action, closed.outcome, closed.month) == ("close", "issued", OCTOBER)
    [issued] = await office.revisions()
    assert (issued.state, issued.revision, issued.is_late) == ("issued", 1, False)
    assert (issued.issued_at, issued.due_at, issued.decided_by) == (clock(), clock(), "rule")
    document = (await office.card(issued)).document
    assert document["as_of"] == "2026-11-07T17:00:00Z"
    assert (document["status"], document["revision"]) == ("final", 1)
    assert (await office.verify(issued)).result == "identical"
    assert await office.close() == []  # it stands


async def test_computed_by_hand_before_and_after_it_is_another_scorecard(
    office: Office, clock: StoppedClock
) -> None:
    """A revision is a scorecard of its own, with its own link and bytes."""
    clock.set(DUE)
    headers = await office.headers()
    asked = {"month": "2026-10"}
    before = (await office.client.post("/v1/scorecards", json=asked, headers=headers)).json()
    await office.close()
    [issued] = await office.revisions()
    after = (await office.client.post("/v1/scorecards", json=asked, headers=headers)).json()
    assert before["id"] == after["id"] != issued.scorecard_id
    assert before["revision"] == 0
    listed = (await office.client.get("/v1/scorecards?month=2026-10", headers=headers)).json()
    assert sorted(each["revision"] for each in listed) == [0, 1]


async def test_of_many_closers_at_once_one_issues(office: Office, clock: StoppedClock) -> None:
    clock.set(DUE)
    found = await asyncio.gather(*(office.close() for _ in range(4)))
    outcomes = sorted(each.outcome for done in found for each in done)
    assert outcomes == ["issued", "stood", "stood", "stood"]
    assert len(await office.rows_of("issuances")) == 1
    assert [each["revision"] for each in await office.rows_of("scorecards")] == [1]


async def test_whoever_computed_and_comes_second_finds_the_winners(
    office: Office, clock: StoppedClock, database: Database
) -> None:
    """Whatever came between: the second one's card, with other records, is not kept."""
    clock.set(DUE)
    prepared = await prepare(office)
    await office.upload(row(50))
    [closed] = await office.close()
    async with database.write(office.scope) as connection:
        standing, is_new = await issuing.freeze(connection, prepared, now=clock())
    assert not is_new
    assert closed.outcome == "issued"
    assert await office.revisions() == [standing]
    assert len(await office.rows_of("scorecards")) == 1


async def prepare(office: Office) -> issuing.Prepared:
    async with office.database.read(office.scope) as connection:
        prepared = await issuing.prepare(connection, office.scope, OCTOBER, office.clock())
    assert isinstance(prepared, issuing.Prepared)
    return prepared


async def test_an_upload_meanwhile_is_entirely_late_and_one_before_entirely_in(
    office: Office, clock: StoppedClock, database: Database
) -> None:
    clock.set(DUE)
    before = await office.upload(row(40), row(41))
    prepared = await prepare(office)
    late = await office.upload(*(row(n) for n in range(50, 60)), row(1, csat=1))
    async with database.write(office.scope) as connection:
        issued, is_new = await issuing.freeze(connection, prepared, now=clock())
    assert is_new
    document: Any = (await office.card(issued)).document
    assert document["volume"]["in_month"] == 8 + 2
    assert document["vendor_scores"]["metrics"]["csat"]["numerator"] == 8
    # The numbers of the receipts tell which is which.
    assert before["sequence"] <= issued.uploads < late["sequence"]
    assert (await office.verify(issued)).result == "identical"
    preview = await service.preview(database, office.scope, OCTOBER, now=clock())
    assert preview.differs == ("records",)
    assert (preview.changes.rows["created"], preview.changes.rows["revised"]) == (10, 1)


async def test_a_policy_that_is_set_meanwhile_does_not_count(
    office: Office, clock: StoppedClock, database: Database
) -> None:
    clock.set(DUE)
    prepared = await prepare(office)
    source = policies.default_policy().source.replace("settling_days = 7", "settling_days = 30")
    assert "settling_days = 30" in source
    async with database.write(office.scope) as connection:
        await policies.set_policy(connection, office.scope, source, clock())
        issued, _ = await issuing.freeze(connection, prepared, now=clock())
    document: Any = (await office.card(issued)).document
    assert (document["policy"]["version"], document["status"]) == (0, "final")
    assert (await office.verify(issued)).result == "identical"
    # Set before, it keeps the month from being due.
    november = await office.state()
    assert format_instant(november.due_at(Month(2026, 11))) == "2026-12-30T17:00:00Z"


async def test_after_downtime_each_month_is_closed_in_order_and_marked_late(
    office: Office, clock: StoppedClock
) -> None:
    await office.rules(first_month=Month(2026, 8))
    clock.set("2026-11-20T00:00:00+00:00")
    done = [each for each in await office.close() if each.action == "close"]
    assert [str(each.month) for each in done] == ["2026-08", "2026-09", "2026-10"]
    issued = [each for month in done for each in await office.revisions(month.month)]
    assert [each.is_late for each in issued] == [True] * 3
    cards = [await office.card(each) for each in issued]
    assert [card.document["as_of"] for card in cards] == [
        "2026-09-07T17:00:00Z",
        "2026-10-07T17:00:00Z",
        "2026-11-07T17:00:00Z",
    ]
    # In order: each stands beside the ones before it.
    ids = [each.scorecard_id for each in issued]
    assert [list(card.history) for card in cards] == [ids[:0], ids[:1], ids[:2]]
    assert await office.close() == []


BROKEN = {  # behind the product's back
    "its policy": "UPDATE policies SET source = 'name = '",
    "one of its rows": "UPDATE interactions SET next_replies = 'x'",
}


@pytest.mark.parametrize("what", BROKEN)
async def test_what_fails_for_one_keeps_none_of_the_others(
    office: Office,
    client: httpx.AsyncClient,
    key: MakeKey,
    clock: StoppedClock,
    database: Database,
    stranger: Engagement,
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
    what: str,
) -> None:
    other = Office(client, database, clock, key, stranger)
    night = {"opened_at": 21, "first_reply_at": 22, "resolved_at": 23}
    await other.upload(
        row(1, **{name: f"2026-09-30T{hour}:00:00+02:00" for name, hour in night.items()})
    )
    await other.rules(first_month=Month(2026, 9))  # was due before
    async with database.write(stranger.scope) as connection:
        source = policies.default_policy().source
        await policies.set_policy(connection, stranger.scope, source, clock())
    async with database.write_as_owner() as connection:
        where = text(f"{BROKEN[what]} WHERE engagement_id = :engagement").bindparams(
            bindparam("engagement", type_=Uuid(as_uuid=False))
        )
        await connection.execute(where, {"engagement": stranger.engagement_id})
    clock.set("2026-11-09T00:00:00+00:00")
    # A worker: it stays due, and is tried again.
    async with duties(settings, database, clock) as found:
        for _ in range(2):
            await Round(found, clock).run()
            logged = [json.loads(each) for each in capsys.readouterr().err.splitlines()]
            wrong = [
                each for each in logged if each["event"] in {"state unreadable", "duty failed"}
            ]
            assert {each["engagement_id"] for each in wrong} == {stranger.engagement_id}
    assert [each.state for each in await office.revisions()] == ["issued"]
    # Where one month cannot be computed, the next one can.
    others = [each["month"] for each in await other.rows_of("issuances")]
    assert others == ([] if what == "its policy" else ["2026-10"])


async def test_a_month_that_is_not_due_is_refused(
    office: Office, clock: StoppedClock, database: Database
) -> None:
    for month, why in ((OCTOBER, "2026-11-07T17:00:00Z"), (Month(2026, 9), "outside")):
        with pytest.raises(MonthNotDue, match=why):
            await service.close_month(database, office.scope, month, now=clock())
    assert await office.rows_of("issuances") == []
