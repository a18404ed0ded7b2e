"""What a person decides: a month that is held, and revisions; what a rule decides; who is told."""

import asyncio
import json
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from closing.conftest import DUE, OCTOBER, Office
from sample_logs import row
from stopped_clock import StoppedClock
from vendorwatch.audit.model import Actor
from vendorwatch.closing import issuing, months, service
from vendorwatch.closing.refusals import MonthNotDue, MonthNotFrozen, NothingToRevise
from vendorwatch.db.engine import Database
from vendorwatch.mailing import service as mailing
from vendorwatch.mailing.model import Asked
from vendorwatch.periods import DAY, Month
from vendorwatch.policies import service as policies

LATER = {"source_updated_at": "2026-11-08T00:00:00Z"}
KEY = Actor("key", "request")
REASON = "the vendor sent the night shift"


@pytest.fixture
async def issued(office: Office, clock: StoppedClock) -> Office:
    clock.set(DUE)
    await office.close()
    return office


async def revise(office: Office, reason: str = REASON) -> Any:
    return await service.revise(
        office.database, office.scope, OCTOBER, by=KEY, reason=reason, now=office.clock()
    )


async def approve(office: Office) -> Any:
    async with office.database.write(office.scope) as connection:
        return await issuing.approve(
            connection, office.scope, OCTOBER, by=KEY, reason="seen", now=office.clock()
        )


async def test_a_held_month_is_frozen_and_goes_out_when_it_is_approved(
    office: Office, clock: StoppedClock
) -> None:
    await office.rules(approval="hold")
    with pytest.raises(MonthNotFrozen):
        await approve(office)
    clock.set(DUE)
    [closed] = await office.close()
    assert closed.outcome == "held"
    [held] = await office.revisions()
    assert (held.state, held.issued_at, held.decided_by) == ("held", None, None)
    frozen = await office.bytes_of(held)
    await office.upload(row(70))  # what comes meanwhile does not get into it
    clock.advance(seconds=7_200)
    approved = await approve(office)
    assert (approved.state, approved.decided_by, approved.reason) == ("issued", "key", "seen")
    assert (approved.frozen_at, approved.issued_at) == (clock() - 7_200_000_000, clock())
    assert await office.bytes_of(approved) == frozen
    clock.advance(seconds=60)
    assert await approve(office) == approved  # once
    assert await office.revisions() == [approved]


async def test_approved_twice_at_once_it_goes_out_once(office: Office, clock: StoppedClock) -> None:
    await office.rules(approval="hold")
    clock.set(DUE)
    await office.close()
    found = await asyncio.gather(*(approve(office) for _ in range(4)))
    assert len({each.issued_at for each in found}) == 1


async def test_a_reminder_is_due_once_after_three_days(office: Office, clock: StoppedClock) -> None:
    await office.rules(approval="hold")
    clock.set(DUE)
    await office.close()
    clock.now += 3 * DAY - 1
    assert [each.action for each in await office.close()] == []
    clock.now += 1
    both = await asyncio.gather(office.close(), office.close())
    assert sorted(each.outcome for done in both for each in done) == ["stood", "told"]
    assert await office.close() == []
    told = [each for each in await office.rows_of("notices") if each["kind"] != "missing_data"]
    assert [(each["month"], each["kind"]) for each in told] == [("2026-10", "approval_reminder")]
    await approve(office)
    clock.now += 30 * DAY
    assert "remind" not in [each.action for each in await office.close()]


async def test_late_data_makes_a_revision_and_alters_nothing_before_it(
    issued: Office, clock: StoppedClock
) -> None:
    [first] = await issued.revisions()
    frozen = await issued.bytes_of(first)
    clock.now += DAY
    assert [each.outcome for each in await issued.compare()] == ["same"]
    await issued.upload(
        row(1, csat=1, agent_id="hs-01", **LATER),
        row(2, status="withdrawn", agent_id="hs-02", csat=4, **LATER),
        row(3, opened_at="2026-09-30T09:00:00+07:00", agent_id="hs-00", csat=4, **LATER),
        row(30, agent_id="hs-01"),
        row(31, agent_id="hs-01", opened_at="2026-11-05T09:00:00+07:00",
            first_reply_at="2026-11-05T10:00:00+07:00", resolved_at="2026-11-05T11:00:00+07:00"),
    )  # fmt: skip
    assert await issued.compare() == []  # once a day
    clock.now += DAY
    assert [each.outcome for each in await issued.compare()] == ["differs"]
    [standing] = await issued.revisions()
    assert (standing.differs, standing.compared_at) == (("records",), clock())
    assert await issued.bytes_of(standing) == frozen

    second = await revise(issued)
    assert (second.revision, second.state, second.reason) == (2, "issued", REASON)
    old, new = await issued.revisions()
    assert await issued.bytes_of(old) == frozen
    documents: list[Any] = [(await issued.card(each)).document for each in (old, new)]
    assert [each["revision"] for each in documents] == [1, 2]
    assert documents[0]["as_of"] == documents[1]["as_of"]
    assert [each["status"] for each in documents] == ["final"] * 2
    assert [(await issued.verify(each)).result for each in (old, new)] == ["identical"] * 2

    changes = new.changes
    assert changes is not None
    assert changes.rows == {"created": 1, "revised": 1, "withdrawn": 1, "moved": 1}
    assert changes.withdrawn == ["T-2"]
    assert changes.terms == []
    volume = {each.name: (each.old, each.new) for each in changes.volume}
    assert volume["in_month"] == (8, 8)
    assert volume["scored"] == (8, 7)
    assert volume["excluded_withdrawn"] == (0, 1)
    metrics = {
        each.metric: {f.name: (f.old, f.new) for f in each.figures} for each in changes.metrics
    }
    assert metrics["csat"]["numerator"] == (8, 5)
    assert metrics["csat"]["value"] == ("1.000000", "0.833333")
    assert "handover_rate" not in metrics  # nothing of it changed
    assert set(changes.agents) == {"hs-00", "hs-01", "hs-02"}


async def test_without_a_difference_there_is_no_revision(
    issued: Office, clock: StoppedClock
) -> None:
    await issued.upload(row(80, opened_at="2026-11-06T09:00:00+07:00",
        first_reply_at=None, resolved_at=None, status="open"))  # fmt: skip
    with pytest.raises(NothingToRevise):
        await revise(issued)
    assert len(await issued.revisions()) == 1


async def test_of_two_who_revise_at_once_one_does(issued: Office) -> None:
    await issued.upload(row(50))
    found = await asyncio.gather(
        *(revise(issued, f"reason {n}") for n in range(3)), return_exceptions=True
    )
    made = [each for each in found if not isinstance(each, BaseException)]
    assert {each.revision for each in made} == {2}
    assert len({each.scorecard_id for each in made}) == 1
    assert all(isinstance(each, NothingToRevise) for each in found if each not in made)
    assert len(await issued.revisions()) == 2


@pytest.mark.parametrize("engine_name", ["postgresql"])
async def test_a_mail_is_cancelled_while_its_month_is_revised(
    office: Office, clock: StoppedClock, database: Database
) -> None:
    """Each would hold what the other needs next, if closing told the audit before it queues mail."""
    asked = Asked(
        email="linh@example.org", name="Linh", language="vi", side="merchant", kind="scorecard"
    )
    async with database.write(office.scope.of_merchant()) as connection:
        await mailing.add_recipient(connection, office.scope, asked, clock())
    clock.set(DUE)
    await office.close()
    await office.upload(row(50))
    async with database.write(office.scope.of_merchant()) as connection:
        [mail] = await mailing.deliveries(connection, office.scope)
        await connection.execute(text("SELECT 1 FROM deliveries FOR UPDATE"))
        revising = asyncio.create_task(revise(office))
        await asyncio.wait_for(until_somebody_waits(database), 30)
        await mailing.cancel(connection, office.scope, mail.delivery_id, clock())
    assert (await revising).revision == 2


async def until_somebody_waits(database: Database) -> None:
    """For a lock of PostgreSQL."""
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    found = 0
    while not found:
        async with database.read_as_operator() as connection:
            found = await connection.scalar(waiting) or 0


async def test_by_rule_late_data_makes_a_revision_once_a_day(
    issued: Office, clock: StoppedClock
) -> None:
    await issued.rules(late_data="automatic")
    outcomes = []
    for number in (50, 51):
        await issued.upload(row(number))
        outcomes += [each.outcome for each in await issued.compare()]
        clock.now += DAY
        outcomes += [each.outcome for each in await issued.compare()]
    assert outcomes == ["revised", "revised"]
    clock.now += DAY
    assert [each.outcome for each in await issued.compare()] == ["same"]
    found = await issued.revisions()
    assert [(each.revision, each.decided_by) for each in found] == [(n, "rule") for n in (1, 2, 3)]
    assert found[1].reason == service.LATE_DATA


async def test_by_rule_a_revision_is_held_where_months_are(
    issued: Office, clock: StoppedClock
) -> None:
    await issued.rules(approval="hold", late_data="automatic")
    await issued.upload(row(50))
    clock.now += DAY
    assert [each.outcome for each in await issued.compare()] == ["revised"]
    await issued.upload(row(51))
    clock.now += DAY
    assert [each.outcome for each in await issued.compare()] == ["differs"]  # one waits already
    assert [each.state for each in await issued.revisions()] == ["issued", "held"]
    await approve(issued)
    assert [each.state for each in await issued.revisions()] == ["issued", "issued"]


async def test_a_held_month_may_be_revised_instead_of_approved(
    office: Office, clock: StoppedClock
) -> None:
    await office.rules(approval="hold")
    clock.set(DUE)
    await office.close()
    await office.upload(row(50))
    await revise(office)
    assert [each.state for each in await office.revisions()] == ["held", "issued"]


async def test_a_name_or_a_policy_is_for_a_person_to_decide(
    issued: Office, clock: StoppedClock, database: Database
) -> None:
    await issued.rules(late_data="automatic")
    headers = await issued.headers()
    roster = [{"agent_id": "hs-01", "name": "Linh"}]
    await issued.client.put("/v1/agents", json=roster, headers=headers)
    preview = await service.preview(database, issued.scope, OCTOBER, now=clock())
    assert preview.differs == ("names",)
    source = policies.default_policy().source.replace("balance = true", "balance = false")
    async with database.write(issued.scope) as connection:
        await policies.set_policy(connection, issued.scope, source, clock())
    await issued.upload(row(50))
    clock.now += DAY
    assert [each.outcome for each in await issued.compare()] == ["differs"]
    second = await revise(issued)
    assert second.changes is not None
    terms = {each.name: (each.old, each.new) for each in second.changes.terms}
    assert terms == {"policy_version": (0, 1)}


async def test_under_a_longer_settling_time_a_month_is_not_revised_before_it(
    issued: Office, clock: StoppedClock, database: Database
) -> None:
    source = policies.default_policy().source.replace("settling_days = 7", "settling_days = 10")
    async with database.write(issued.scope) as connection:
        await policies.set_policy(connection, issued.scope, source, clock())
    with pytest.raises(MonthNotDue, match="2026-11-10T17:00:00Z"):
        await revise(issued)
    clock.now += DAY
    assert [each.outcome for each in await issued.compare()] == ["differs"]
    assert [each.differs for each in await issued.revisions()] == [("policy",)]
    clock.now += 2 * DAY
    second = await revise(issued)
    document: Any = (await issued.card(second)).document
    assert (document["as_of"], document["status"]) == ("2026-11-10T17:00:00Z", "final")


async def test_another_way_to_hash_records_is_no_difference_of_records(
    issued: Office, clock: StoppedClock, database: Database
) -> None:
    """After an upgrade of vendorwatch no rule revises a year of months."""
    [first] = await issued.revisions()
    document = await issued.bytes_of(first)
    hashed = json.loads(document)["records_sha256"]
    older = document.replace(hashed, "0" * 64).replace('code_version":"', 'code_version":"0.0.')
    async with database.write_as_owner() as connection:
        changed = await connection.execute(
            text("UPDATE scorecards SET document = :older"), {"older": older}
        )
        assert changed.rowcount == 1
    preview = await service.preview(database, issued.scope, OCTOBER, now=clock())
    assert preview.differs == ()
    await issued.upload(row(50))
    preview = await service.preview(database, issued.scope, OCTOBER, now=clock())
    assert preview.differs == ("records",)


async def test_holes_are_told_once_before_the_month_closes(
    office: Office, clock: StoppedClock
) -> None:
    """Rows of the log are all of the 1st."""
    clock.set("2026-11-02T16:59:59+00:00")
    assert await office.close() == []
    clock.set("2026-11-02T17:00:00+00:00")
    both = await asyncio.gather(office.close(), office.close())
    assert sorted(each.outcome for done in both for each in done) == ["stood", "told"]
    [notice] = await office.rows_of("notices")
    assert (notice["month"], notice["kind"]) == ("2026-10", "missing_data")
    detail = json.loads(notice["detail"])
    assert detail["days"] == [f"2026-10-{n:02}" for n in range(2, 32)]
    assert detail["no_upload"] is False  # it came on the 2nd of November
    clock.now += DAY
    assert await office.close() == []


async def test_where_nothing_is_missing_nobody_is_told(office: Office, clock: StoppedClock) -> None:
    await office.upload(
        *(row(100 + n, opened_at=f"2026-10-{n:02}T23:30:00+07:00", first_reply_at=None,
              resolved_at=None, status="open") for n in range(1, 32))
    )  # fmt: skip
    clock.set("2026-11-03T00:00:00+00:00")
    assert [each.outcome for each in await office.close()] == ["nothing"]
    assert await office.close() == []


async def test_days_without_an_interaction_are_listed_while_they_can_be_mended(
    office: Office, clock: StoppedClock
) -> None:
    async with office.database.read(office.scope) as connection:
        november, october = await months.closings(connection, office.scope, now=clock())
    assert (october.state, november.state) == ("open", "open")
    assert october.missing_days == tuple(date(2026, 10, n) for n in range(2, 32))
    assert november.missing_days == (date(2026, 11, 1),)  # the 2nd is not over
    clock.set(DUE)
    async with office.database.read(office.scope) as connection:
        found = await months.closings(connection, office.scope, now=clock(), before=Month(2026, 11))
    assert [(each.state, each.missing_days) for each in found] == [("due", ())]
