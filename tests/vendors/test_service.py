"""Engagements and rosters, on the real databases."""

import asyncio

import pytest

from stopped_clock import StoppedClock
from vendorwatch.db.engine import Database
from vendorwatch.errors import NotFound
from vendorwatch.vendors import service
from vendorwatch.vendors.model import (
    BadRoster,
    Engagement,
    EngagementConflict,
    RosterEntry,
    RosterReceipt,
)


async def create(database: Database, merchant: str, vendor: str, zone: str) -> Engagement:
    async with database.write_as_operator() as connection:
        return await service.create_engagement(
            connection, merchant=merchant, vendor=vendor, time_zone=zone, now=0
        )


async def put(database: Database, engagement: Engagement, *entries: RosterEntry) -> RosterReceipt:
    async with database.write(engagement.scope) as connection:
        return await service.put_roster(connection, engagement.scope, list(entries), now=0)


async def roster(database: Database, engagement: Engagement) -> dict[str, tuple[str | None, bool]]:
    async with database.read(engagement.scope) as connection:
        agents = await service.agents(connection, engagement.scope)
    return {agent.agent_id: (agent.name, agent.on_roster) for agent in agents}


async def test_the_same_names_are_the_same_engagement(database: Database) -> None:
    first = await create(database, "Trà Sen", "Hoa Sen BPO", "Asia/Ho_Chi_Minh")
    again = await create(database, " Tra\u0300 Sen ", "Hoa Sen BPO", "Asia/Ho_Chi_Minh")
    assert again == first
    assert len(first.pseudonym_key) == 32


async def test_another_zone_is_a_conflict_and_changes_nothing(database: Database) -> None:
    first = await create(database, "Merchant", "Vendor", "Asia/Ho_Chi_Minh")
    with pytest.raises(EngagementConflict, match="Asia/Ho_Chi_Minh, not Asia/Bangkok"):
        await create(database, "Merchant", "Vendor", "Asia/Bangkok")
    async with database.read_as_operator() as connection:
        assert await service.engagements(connection) == [first]


async def test_two_at_once_are_one(database: Database) -> None:
    made = await asyncio.gather(*(create(database, "M", "V", "UTC") for _ in range(5)))
    assert len({engagement.engagement_id for engagement in made}) == 1


async def test_merchants_share_nothing(database: Database) -> None:
    ours = await create(database, "Ours", "Vendor", "UTC")
    theirs = await create(database, "Theirs", "Vendor", "UTC")
    assert ours.vendor_id != theirs.vendor_id
    assert ours.pseudonym_key != theirs.pseudonym_key
    second = await create(database, "Ours", "Rival", "UTC")
    assert second.merchant_id == ours.merchant_id
    assert second.pseudonym_key == ours.pseudonym_key
    async with database.read_as_operator() as connection:
        siblings = await service.sibling_engagements(connection, ours.merchant_id)
    assert sorted(siblings) == sorted(
        (engagement.engagement_id, engagement.vendor_id) for engagement in (ours, second)
    )


async def test_an_engagement_is_found_by_its_id(database: Database, engagement: Engagement) -> None:
    async with database.read_as_operator() as connection:
        found = await service.find_engagement(connection, engagement.engagement_id)
        assert found == engagement
        for unknown in ("", "nothing", "00000000-0000-0000-0000-000000000000", "\0"):
            with pytest.raises(NotFound):
                await service.find_engagement(connection, unknown)


async def test_a_roster_adds_updates_and_keeps(database: Database, engagement: Engagement) -> None:
    first = await put(
        database,
        engagement,
        RosterEntry(agent_id="a", name="An", languages=("vi",), aliases=("zd-1",)),
        RosterEntry(agent_id="b", name="Binh"),
    )
    assert first == RosterReceipt(received=2, created=2, updated=0)
    second = await put(
        database,
        engagement,
        RosterEntry(agent_id="c", name="Chi"),
        RosterEntry(agent_id="a", name="An Nguyen"),
    )
    assert second == RosterReceipt(received=2, created=1, updated=1)
    assert await roster(database, engagement) == {
        "a": ("An Nguyen", True),
        "b": ("Binh", True),
        "c": ("Chi", True),
    }
    async with database.read(engagement.scope) as connection:
        [changed] = await service.agents(connection, engagement.scope, limit=1)
    assert (changed.languages, changed.aliases) == ((), ())


async def test_an_empty_roster_changes_nothing(database: Database, engagement: Engagement) -> None:
    await put(database, engagement, RosterEntry(agent_id="a"))
    assert await put(database, engagement) == RosterReceipt(received=0, created=0, updated=0)
    assert await roster(database, engagement) == {"a": (None, True)}


async def test_a_refused_roster_stores_nothing(database: Database, engagement: Engagement) -> None:
    with pytest.raises(BadRoster):
        await put(database, engagement, RosterEntry(agent_id="a"), RosterEntry(agent_id=" "))
    assert await roster(database, engagement) == {}


async def test_an_agent_seen_in_a_log_is_not_on_the_roster(
    database: Database, engagement: Engagement, clock: StoppedClock
) -> None:
    await put(database, engagement, RosterEntry(agent_id="a", name="An"))
    for _ in range(2):
        async with database.write(engagement.scope) as connection:
            await service.agents_seen(connection, engagement.scope, ["b", "a", "b"], clock())
    assert await roster(database, engagement) == {"a": ("An", True), "b": (None, False)}
    await put(database, engagement, RosterEntry(agent_id="b", name="Binh"))
    assert await roster(database, engagement) == {"a": ("An", True), "b": ("Binh", True)}


async def test_nobody_seen_is_fine(database: Database, engagement: Engagement) -> None:
    async with database.write(engagement.scope) as connection:
        await service.agents_seen(connection, engagement.scope, [], 0)
    assert await roster(database, engagement) == {}


async def test_rivals_may_use_the_same_ids(
    database: Database, engagement: Engagement, rival: Engagement
) -> None:
    await put(database, engagement, RosterEntry(agent_id="7", name="Ours"))
    await put(database, rival, RosterEntry(agent_id="7", name="Theirs"))
    assert await roster(database, engagement) == {"7": ("Ours", True)}
    assert await roster(database, rival) == {"7": ("Theirs", True)}


async def test_two_rosters_at_once_both_arrive(database: Database, engagement: Engagement) -> None:
    entries = [RosterEntry(agent_id=f"{number:03}") for number in range(200)]
    await asyncio.gather(
        put(database, engagement, *entries), put(database, engagement, *reversed(entries))
    )
    assert len(await roster(database, engagement)) == 200


@pytest.mark.parametrize(
    "roster",
    [
        [RosterEntry(agent_id="new", aliases=("ann",))],  # on the roster herself
        [RosterEntry(agent_id="new", aliases=("ann-2",))],  # stands for ann
        [RosterEntry(agent_id="new", aliases=("new",))],
        [RosterEntry(agent_id="x", aliases=("z",)), RosterEntry(agent_id="y", aliases=("z",))],
    ],
)
async def test_an_alias_is_one_agents_alone(
    database: Database, engagement: Engagement, roster: list[RosterEntry]
) -> None:
    standing = [RosterEntry(agent_id="ann", aliases=("ann-2",))]
    async with database.write(engagement.scope) as connection:
        await service.put_roster(connection, engagement.scope, standing, 1)
    with pytest.raises(BadRoster) as raised:
        async with database.write(engagement.scope) as connection:
            await service.put_roster(connection, engagement.scope, roster, 1)
    assert {fault.code for fault in raised.value.faults} == {"alias_taken"}


async def test_who_was_only_seen_may_turn_out_to_be_an_alias(
    database: Database, engagement: Engagement
) -> None:
    async with database.write(engagement.scope) as connection:
        await service.agents_seen(connection, engagement.scope, ["ann-2"], 1)
        found = [RosterEntry(agent_id="ann", aliases=("ann-2",))]
        await service.put_roster(connection, engagement.scope, found, 1)
        await service.put_roster(connection, engagement.scope, found, 1)
