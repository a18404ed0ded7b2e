"""Fourteen months close themselves and reach their readers, each once, whoever else is at work."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

from mailing.mail_server import MailServer, mail_server
from stopped_clock import StoppedClock
from vendorwatch.closing import store as closing
from vendorwatch.closing.model import Issuance
from vendorwatch.closing.states import read_state
from vendorwatch.db.engine import Database
from vendorwatch.mailing import service as mailing
from vendorwatch.mailing.model import Asked, Delivery
from vendorwatch.periods import DAY, SECOND, Micros, Month
from vendorwatch.scorecards import service as scorecards
from vendorwatch.settings import Settings
from vendorwatch.vendors import service as vendors
from vendorwatch.vendors.model import Engagement
from vendorwatch.worker.composition import duties
from vendorwatch.worker.duties import Round

BEGAN = "2026-01-15T00:00:00+00:00"
MONTHS = 14
# Days ahead and behind, and clocks that change in spring and in autumn.
ZONES = ("Pacific/Kiritimati", "Pacific/Pago_Pago", "America/New_York")


async def engage(database: Database, zone: str, clock: StoppedClock) -> Engagement:
    """A merchant of its own, with one reader."""
    async with database.write_as_operator() as connection:
        made = await vendors.create_engagement(
            connection,
            merchant=f"Shop in {zone}",
            vendor="Hoa Sen BPO",
            time_zone=zone,
            now=clock(),
        )
    asked = Asked(
        email=f"reader@{zone.split('/')[1].replace('_', '-').lower()}.example",
        name="Chị Linh",
        language="en",
        side="merchant",
        kind="scorecard",
    )
    async with database.write(made.scope.of_merchant()) as connection:
        await mailing.add_recipient(connection, made.scope, asked, clock())
    return made


@asynccontextmanager
async def workers(
    number: int, settings: Settings, server: MailServer, clock: StoppedClock
) -> AsyncIterator[list[Round]]:
    """So many at once, each with connections of its own."""
    mailed = replace(settings, smtp_url=server.url)
    async with AsyncExitStack() as stack:
        made = []
        for _ in range(number):
            database = Database(settings.database_url)
            stack.push_async_callback(database.close)
            found = await stack.enter_async_context(duties(mailed, database, clock))
            made.append(Round(found, clock))
        yield made


async def all_at_once(rounds: list[Round]) -> None:
    while any(await asyncio.gather(*(each.run() for each in rounds))):
        pass


async def due_moments(database: Database, engagement: Engagement) -> dict[Month, Micros]:
    async with database.read(engagement.scope) as connection:
        state = await read_state(connection, engagement.scope)
    month, found = state.first_month, {}
    for _ in range(MONTHS):
        found[month] = state.due_at(month)
        month = month.next()
    return found


async def revisions(database: Database, engagement: Engagement) -> dict[Month, list[Issuance]]:
    async with database.read(engagement.scope) as connection:
        newest = await closing.newest(connection, engagement.scope)
        return {
            month: await closing.revisions(connection, engagement.scope, month) for month in newest
        }


async def delivered(database: Database, engagement: Engagement) -> list[Delivery]:
    async with database.read(engagement.scope.of_merchant()) as connection:
        return await mailing.deliveries(connection, engagement.scope)


async def test_two_schedulers_close_and_mail_every_month_once(
    database: Database, settings: Settings, clock: StoppedClock
) -> None:
    clock.set(BEGAN)
    engagements = [await engage(database, zone, clock) for zone in ZONES]
    due = [await due_moments(database, each) for each in engagements]
    async with mail_server() as server, workers(2, settings, server, clock) as rounds:
        for moment in sorted({moment for each in due for moment in each.values()}):
            clock.now = moment - SECOND
            await all_at_once(rounds)
            for engagement, moments in zip(engagements, due, strict=True):
                closed = {month for month, at in moments.items() if at < moment}
                assert set(await revisions(database, engagement)) == closed
            clock.now = moment
            await all_at_once(rounds)
        received = [mail.message["Message-ID"] for mail in server.received]
    expected: set[str] = set()
    for engagement, moments in zip(engagements, due, strict=True):
        found = await revisions(database, engagement)
        assert {month: [each.revision for each in made] for month, made in found.items()} == {
            month: [1] for month in moments
        }
        for month, [made] in found.items():
            assert (made.state, made.is_late, made.due_at) == ("issued", False, moments[month])
            assert made.frozen_at == moments[month]
        mails = [each for each in await delivered(database, engagement) if each.scorecard_id]
        assert {each.state for each in mails} == {"sent"}
        assert len(mails) == MONTHS
        expected |= {str(each.message_id) for each in mails}
    notices = {
        str(each.message_id)
        for engagement in engagements
        for each in await delivered(database, engagement)
        if not each.scorecard_id
    }
    assert set(received) == expected | notices
    assert len(received) == len(set(received))


async def test_three_months_of_downtime_are_caught_up_in_order_and_marked_late(
    database: Database, settings: Settings, clock: StoppedClock
) -> None:
    clock.set(BEGAN)
    engagement = await engage(database, "Europe/Budapest", clock)
    moments = list((await due_moments(database, engagement)).values())
    async with mail_server() as server, workers(5, settings, server, clock) as rounds:
        clock.now = moments[0] - 8 * DAY  # down from the 30th ...
        await all_at_once(rounds)
        clock.now = moments[0] + 10 * SECOND
        await all_at_once(rounds)
        assert [made.is_late for [made] in (await revisions(database, engagement)).values()] == [
            False
        ]
        clock.now = moments[3] + 2 * DAY  # ... and for three months
        await all_at_once(rounds)
        subjects = [str(mail.message["Subject"]) for mail in server.received]
    found = await revisions(database, engagement)
    assert [[made.revision for made in each] for each in found.values()] == [[1]] * 4
    assert [found[month][0].is_late for month in sorted(found)] == [False, True, True, True]
    mailed = [text for text in subjects if "target" in text]
    assert len(mailed) == len(set(mailed)) == 4
    async with database.read(engagement.scope) as connection:
        cards = [
            await scorecards.find_scorecard(connection, engagement.scope, made.scorecard_id)
            for _, [made] in sorted(found.items())
        ]
    # Each stands beside the months before it: they were there when it was issued.
    ids = [card.scorecard_id for card in cards]
    assert [list(card.history) for card in cards] == [ids[:number] for number in range(4)]
