"""The operators get what is overdue by mail: once, from whichever worker, and also after an outage."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy import text

from conftest import running
from mailing.desk import body
from mailing.mail_server import MailServer, Received, mail_server
from stopped_clock import StoppedClock
from vendorwatch import app
from vendorwatch.alarms import service
from vendorwatch.alarms.model import GATHERED
from vendorwatch.db.engine import Database
from vendorwatch.mailing import service as mailing
from vendorwatch.mailing.model import Asked
from vendorwatch.mailing.schedule import LEASE
from vendorwatch.mailing.sender import Sender
from vendorwatch.mailing.smtp import SmtpMailer, server_of
from vendorwatch.periods import DAY, SECOND
from vendorwatch.policies import service as policies
from vendorwatch.settings import Settings
from vendorwatch.vendors.model import Engagement
from vendorwatch.worker.composition import duties
from vendorwatch.worker.duties import Round

OPERATORS = "ops@example.org"
DUE = "2026-12-07T17:00:00+00:00"  # of November, the month in which the engagement was made


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    async with mail_server() as made:
        yield made


@pytest.fixture
def watched(settings: Settings, server: MailServer) -> Settings:
    return replace(settings, smtp_url=server.url, operators=OPERATORS)


async def work(settings: Settings, database: Database, clock: StoppedClock) -> None:
    """Until nothing is due; a piece that failed is tried once."""
    async with duties(settings, database, clock) as found:
        work = Round(found, clock)
        while await work.run():
            pass


def told(mail: Received) -> str:
    return body(mail, "plain").replace("\r\n", "\n")


async def break_months(database: Database, engagement: Engagement) -> None:
    """Behind the product's back: they can be neither computed nor closed."""
    async with database.write_as_owner() as connection:
        await connection.execute(text("ALTER TABLE assignments RENAME TO gone"))


async def add_operator_mail(database: Database, settings: Settings, clock: StoppedClock) -> None:
    await service.raise_due(database, clock())
    mailer = SmtpMailer(server_of(settings.smtp_url), command_seconds=1.0)
    await service.tell(database, mailer, Sender.of(settings), clock=clock)


async def test_a_month_that_cannot_be_closed_is_told_once_with_its_error(
    watched: Settings,
    database: Database,
    clock: StoppedClock,
    engagement: Engagement,
    server: MailServer,
    capsys: pytest.CaptureFixture[str],
) -> None:
    await break_months(database, engagement)
    clock.set(DUE)
    await work(watched, database, clock)
    clock.now += DAY - SECOND
    await work(watched, database, clock)
    assert server.received == []
    clock.now += SECOND
    capsys.readouterr()
    await work(watched, database, clock)
    [mail] = server.received
    assert mail.to == [OPERATORS]
    assert str(mail.message["Subject"]) == "vendorwatch: 1 month not issued"
    read = told(mail)
    assert "Hoa Sen BPO for Trà Sen, 2026-11\n  due since 2026-12-07 17:00 UTC\n" in read
    assert "Error (the log has the place) (failed 3 times, last on 2026-12-08 17:00 UTC)" in read
    command = f"vendorwatch close-month --engagement {engagement.engagement_id} --month 2026-11"
    assert command in read
    logged = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    [alarm] = [each for each in logged if each["event"] == "alarm"]
    assert (alarm["level"], alarm["kind"], alarm["subject"]) == (
        "error",
        "month_overdue",
        "2026-11",
    )
    for _ in range(3):
        clock.now += DAY
        await work(watched, database, clock)
    assert len(server.received) == 1
    assert (await service.overdue(database, clock()))["months"] == 1  # it is visible all the same


async def test_what_nobody_knows_of_is_told_as_well(
    watched: Settings,
    database: Database,
    clock: StoppedClock,
    engagement: Engagement,
    server: MailServer,
) -> None:
    """The state of its months cannot even be read: nothing of it would ever be overdue."""
    async with database.write(engagement.scope) as connection:
        source = policies.default_policy().source
        await policies.set_policy(connection, engagement.scope, source, clock())
    async with database.write_as_owner() as connection:
        await connection.execute(text("UPDATE policies SET source = 'name = '"))
    for _ in range(3):
        await work(watched, database, clock)
        clock.now += DAY
    [mail] = server.received
    assert str(mail.message["Subject"]) == "vendorwatch: 1 engagement unreadable"
    assert "Hoa Sen BPO for Trà Sen" in told(mail)
    assert "  The policy cannot be used: Line 1: the file is not TOML" in told(mail)
    assert await service.overdue(database, clock()) == {"months": 1, "mails": 0}


async def test_a_month_that_is_caught_up_at_once_is_no_alarm(
    watched: Settings,
    database: Database,
    clock: StoppedClock,
    engagement: Engagement,
    server: MailServer,
) -> None:
    clock.set(DUE)
    clock.now += 40 * DAY
    await work(watched, database, clock)
    assert server.received == []
    assert await service.overdue(database, clock()) == {"months": 0, "mails": 0}


async def queue(
    database: Database,
    engagement: Engagement,
    clock: StoppedClock,
    *to: str,
    month: str = "2026-10",
) -> None:
    """Those addresses get notices from now on; and one of the month."""
    async with database.write(engagement.scope.of_merchant()) as connection:
        for email in to:
            asked = Asked(
                email=email, name="Linh", language="vi", side="merchant", kind="scorecard"
            )
            await mailing.add_recipient(connection, engagement.scope, asked, clock())
        key = f"{month}/no-upload"
        await mailing.queue_notice(connection, engagement.scope, key, "no_upload", clock())


async def test_a_mail_server_that_is_down_is_told_when_it_is_back(
    watched: Settings,
    database: Database,
    clock: StoppedClock,
    engagement: Engagement,
) -> None:
    await queue(database, engagement, clock, "an@example.org", "binh@example.org")
    async with mail_server() as gone:
        pass
    down = replace(watched, smtp_url=gone.url)
    for _ in range(2):
        await work(down, database, clock)
        clock.now += DAY
    assert await service.overdue(database, clock()) == {"months": 0, "mails": 2}
    async with mail_server() as back:
        await work(replace(watched, smtp_url=back.url), database, clock)
        clock.now += 3_600 * SECOND
        await work(replace(watched, smtp_url=back.url), database, clock)
    [mail] = back.messages_to(OPERATORS)
    assert str(mail.message["Subject"]) == "vendorwatch: 2 mails not sent"
    assert "Hoa Sen BPO for Trà Sen: 2 mails\n  due since 2026-11-02 08:00 UTC\n" in told(mail)
    assert "  unreachable: " in told(mail)
    assert len(back.received) == 3


async def test_what_nobody_will_get_is_told_with_how_to_try_again(
    watched: Settings,
    database: Database,
    clock: StoppedClock,
    engagement: Engagement,
    server: MailServer,
) -> None:
    await queue(database, engagement, clock, "binh@example.org")
    server.fault("RCPT", "550 5.1.1 No such user", to="binh@example.org")
    await work(watched, database, clock)
    [mail] = server.received
    assert mail.to == [OPERATORS]
    assert "550 5.1.1 No such user" in told(mail)
    async with database.read_as_operator() as connection:
        [row] = await mailing.deliveries(connection, None)
    retry = f"vendorwatch deliver retry {row.delivery_id}"
    assert retry in told(mail)
    assert retry in body(mail, "html")


async def test_what_comes_within_the_hour_is_gathered(
    watched: Settings,
    database: Database,
    clock: StoppedClock,
    engagement: Engagement,
    server: MailServer,
) -> None:
    async with duties(watched, database, clock) as found:
        server.fault("RCPT", *["550 5.1.1 No such user"] * 9, to="an@example.org")
        server.fault("RCPT", *["550 5.1.1 No such user"] * 9, to="binh@example.org")
        for address, month in (("an@example.org", "2026-09"), ("binh@example.org", "2026-10")):
            await queue(database, engagement, clock, address, month=month)
            await Round(found, clock).run()
            clock.now += 60 * SECOND
        assert len(server.messages_to(OPERATORS)) == 1
        clock.now += GATHERED
        await Round(found, clock).run()
    subjects = [str(each.message["Subject"]) for each in server.messages_to(OPERATORS)]
    assert subjects == ["vendorwatch: 1 mail given up", "vendorwatch: 2 mails given up"]


async def test_of_many_workers_one_tells(
    watched: Settings,
    database: Database,
    clock: StoppedClock,
    engagement: Engagement,
    server: MailServer,
) -> None:
    clock.set(DUE)
    clock.now += DAY
    await asyncio.gather(*(add_operator_mail(database, watched, clock) for _ in range(4)))
    assert len(server.received) == 1


async def test_whoever_dies_while_telling_is_replaced_and_the_mail_is_the_same(
    watched: Settings,
    database: Database,
    clock: StoppedClock,
    engagement: Engagement,
    server: MailServer,
) -> None:
    clock.set(DUE)
    clock.now += DAY
    arrived = asyncio.Event()
    server.fault("DATA", "hang")
    server.before_answer = _set(arrived)
    telling = asyncio.create_task(add_operator_mail(database, watched, clock))
    await asyncio.wait_for(arrived.wait(), 30)
    telling.cancel()
    await asyncio.gather(telling, return_exceptions=True)
    server.before_answer = None
    await add_operator_mail(database, watched, clock)
    assert len(server.received) == 1  # the lease is not over
    clock.now += LEASE
    await add_operator_mail(database, watched, clock)
    assert len(server.received) == 2
    assert len({each.content for each in server.received}) == 1
    clock.now += 2 * GATHERED
    await add_operator_mail(database, watched, clock)
    assert len(server.received) == 2


def _set(event: asyncio.Event):
    async def note() -> None:
        event.set()

    return note


async def test_without_an_address_it_is_in_the_log_and_waits_for_one(
    watched: Settings,
    database: Database,
    clock: StoppedClock,
    engagement: Engagement,
    server: MailServer,
) -> None:
    await break_months(database, engagement)
    clock.set(DUE)
    clock.now += DAY
    await work(replace(watched, operators=""), database, clock)
    assert server.received == []
    await work(watched, database, clock)
    assert len(server.received) == 1


async def test_the_server_tells_where_no_worker_runs(
    watched: Settings,
    database: Database,
    clock: StoppedClock,
    engagement: Engagement,
    server: MailServer,
) -> None:
    clock.set(DUE)
    clock.now += DAY
    arrived = asyncio.Event()
    server.before_answer = _set(arrived)
    watching = partial(app.watched, every_seconds=0.01)
    async with running(app.create_app(watched, clock=clock, lifespans=[watching])):
        await asyncio.wait_for(arrived.wait(), 30)
    [mail] = server.received
    assert "No error is known: no worker has come to it" in told(mail)
