"""What decides what is due, of all engagements in one look."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from sqlalchemy import event

from closing.conftest import DUE, Office
from conftest import MakeKey
from sample_logs import row
from stopped_clock import StoppedClock
from vendorwatch.audit.model import COMMAND
from vendorwatch.closing import service, store
from vendorwatch.closing.states import everybodys_states
from vendorwatch.db.engine import Database
from vendorwatch.periods import Month
from vendorwatch.policies import service as policies
from vendorwatch.vendors.model import Engagement
from vendorwatch.vendors.service import create_engagement


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(*told: object) -> None:
        seen.append(str(told[2]))

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def test_each_engagements_state_is_what_it_says_of_itself(
    office: Office,
    client: httpx.AsyncClient,
    database: Database,
    clock: StoppedClock,
    key: MakeKey,
    rival: Engagement,
    stranger: Engagement,
) -> None:
    """Rules, policies, months of several revisions and notices, each with whom it belongs to."""
    others = [Office(client, database, clock, key, each) for each in (rival, stranger)]
    await others[0].rules(approval="hold", last_month=Month(2027, 1))
    await others[0].upload(row(3))
    default = policies.default_policy().source
    async with database.write(office.scope) as connection:
        for days in (3, 4):
            source = default.replace("settling_days = 7", f"settling_days = {days}")
            await policies.set_policy(connection, office.scope, source, clock())
    clock.set(DUE)
    await office.close()
    await office.upload(row(2))
    await service.revise(
        database, office.scope, Month(2026, 10), by=COMMAND, reason="late", now=clock()
    )
    async with database.write(stranger.scope) as connection:
        found = {"days": []}
        month = Month(2026, 10)
        await store.add_notice(connection, stranger.scope, month, "missing_data", found, clock())
    async with database.read_as_operator() as connection:
        states = dict(await everybodys_states(connection))
        kept = await store.everybodys(connection)
    # Of two revisions of one month, the older one is nobody's newest.
    assert len(kept[office.scope.engagement_id].newest) == 1
    alone = {each.scope: await each.state() for each in (office, *others)}
    assert states == alone
    assert [len(state.newest) for state in alone.values()] == [1, 1, 0]
    assert [len(state.policies) for state in alone.values()] == [2, 0, 0]


async def test_many_engagements_are_looked_at_in_as_many_statements_as_one(
    office: Office, database: Database, clock: StoppedClock
) -> None:
    counts = []
    for number in range(2):
        with statements(database) as seen:
            await service.due_now(database, now=clock())
            await service.overdue_months(database, now=clock())
        counts.append(len(seen))
        async with database.write_as_operator() as connection:
            for vendor in ("A", "B", "C"):
                await create_engagement(
                    connection, merchant=f"Shop {number}", vendor=vendor, time_zone="UTC",
                    now=clock(),
                )  # fmt: skip
    assert counts[0] == counts[1] > 0
