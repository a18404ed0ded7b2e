"""The operators get what is overdue by mail: once, from whichever worker, and also after an outage."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
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


@dataclass
class Watch:
    """Whoever runs the server, with one engagement and the mail server that takes their mail."""

    settings: Settings
    database: Database
    clock: StoppedClock
    engagement: Engagement
    server: MailServer

    async def work(self, **instead: str) -> None:
        """Until nothing is due; a piece that failed is tried once. With other settings `instead`."""
        settings = replace(self.settings, **instead)
        async with duties(settings, self.database, self.clock) as found:
            work = Round(found, self.clock)
            while await work.run():
                pass

    async def tell(self) -> None:
        """What one of many workers does, and nothing else of what is due."""
        await service.raise_due(self.database, self.clock())
        mailer = SmtpMailer(server_of(self.settings.smtp_url), command_seconds=1.0)
        await service.tell(self.database, mailer, Sender.of(self.settings), clock=self.clock)

    async def overdue(self) -> Mapping[str, int]:
        return await service.overdue(self.database, self.clock())

    def a_day_late(self) -> None:
        self.clock.set(DUE)
        self.clock.now += DAY

    async def break_months(self) -> None:
        """Behind the product's back: they can be neither computed nor closed."""
        async with self.database.write_as_owner() as connection:
            await connection.execute(text("ALTER TABLE assignments RENAME TO gone"))

    async def queue(self, *to: str, month: str = "2026-10") -> None:
        """Those addresses get notices from now on; and one of the month."""
        scope = self.engagement.scope
        async with self.database.write(scope.of_merchant()) as connection:
            for email in to:
                asked = Asked(
                    email=email, name="Linh", language="vi", side="merchant", kind="scorecard"
                )
                await mailing.add_recipient(connection, scope, asked, self.clock())
            key = f"{month}/no-upload"
            await mailing.queue_notice(connection, scope, key, "no_upload", self.clock())


@pytest.fixture
def watch(
    settings: Settings,
    database: Database,
    clock: StoppedClock,
    engagement: Engagement,
    server: MailServer,
) -> Watch:
    watched = replace(settings, smtp_url=server.url, operators=OPERATORS)
    return Watch(watched, database, clock, engagement, server)


def told(mail: Received) -> str:
    return body(mail, "plain").replace("\r\n", "\n")


async def test_a_month_that_cannot_be_closed_is_told_once_with_its_error(
    watch: Watch, capsys: pytest.CaptureFixture[str]
) -> None:
    await watch.break_months()
    watch.clock.set(DUE)
    await watch.work()
    watch.clock.now += DAY - SECOND
    await watch.work()
    assert watch.server.received == []
    watch.clock.now += SECOND
    capsys.readouterr()
    await watch.work()
    [mail] = watch.server.received
    assert mail.to == [OPERATORS]
    assert str(mail.message["Subject"]) == "vendorwatch: 1 month not issued"
    read = told(mail)
    assert "Hoa Sen BPO for Trà Sen, 2026-11\n  due since 2026-12-07 17:00 UTC\n" in read
    assert "Error (the log has the place) (failed 3 times, last on 2026-12-08 17:00 UTC)" in read
    command = (
        f"vendorwatch close-month --engagement {watch.engagement.engagement_id} --month 2026-11"
    )
    assert command in read
    logged = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    [alarm] = [each for each in logged if each["event"] == "alarm"]
    assert (alarm["level"], alarm["kind"], alarm["subject"]) == (
        "error",
        "month_overdue",
        "2026-11",
    )
    for _ in range(3):
        watch.clock.now += DAY
        await watch.work()
    assert len(watch.server.received) == 1
    assert (await watch.overdue())["months"] == 1  # it is visible all the same


async def test_what_nobody_knows_of_is_told_as_well(watch: Watch) -> None:
    """The state of its months cannot even be read: nothing of it would ever be overdue."""
    async with watch.database.write(watch.engagement.scope) as connection:
        source = policies.default_policy().source
        await policies.set_policy(connection, watch.engagement.scope, source, watch.clock())
    async with watch.database.write_as_owner() as connection:
        await connection.execute(text("UPDATE policies SET source = 'name = '"))
    for _ in range(3):
        await watch.work()
        watch.clock.now += DAY
    [mail] = watch.server.received
    assert str(mail.message["Subject"]) == "vendorwatch: 1 engagement unreadable"
    assert "Hoa Sen BPO for Trà Sen" in told(mail)
    assert "  The policy cannot be used: Line 1: the file is not TOML" in told(mail)
    assert await watch.overdue() == {"months": 1, "mails": 0}


async def test_a_month_that_is_caught_up_at_once_is_no_alarm(watch: Watch) -> None:
    watch.clock.set(DUE)
    watch.clock.now += 40 * DAY
    await watch.work()
    assert watch.server.received == []
    assert await watch.overdue() == {"months": 0, "mails": 0}


async def test_a_mail_server_that_is_down_is_told_when_it_is_back(watch: Watch) -> None:
    await watch.queue("an@example.org", "binh@example.org")
    async with mail_server() as gone:
        pass
    for _ in range(2):
        await watch.work(smtp_url=gone.url)
        watch.clock.now += DAY
    assert await watch.overdue() == {"months": 0, "mails": 2}
    async with mail_server() as back:
        await watch.work(smtp_url=back.url)
        watch.clock.now += 3_600 * SECOND
        await watch.work(smtp_url=back.url)
    [mail] = back.messages_to(OPERATORS)
    assert str(mail.message["Subject"]) == "vendorwatch: 2 mails not sent"
    assert "Hoa Sen BPO for Trà Sen: 2 mails\n  due since 2026-11-02 08:00 UTC\n" in told(mail)
    assert "  unreachable: " in told(mail)
    assert len(back.received) == 3


async def test_what_nobody_will_get_is_told_with_how_to_try_again(watch: Watch) -> None:
    await watch.queue("binh@example.org")
    watch.server.fault("RCPT", "550 5.1.1 No such user", to="binh@example.org")
    await watch.work()
    [mail] = watch.server.received
    assert mail.to == [OPERATORS]
    assert "550 5.1.1 No such user" in told(mail)
    async with watch.database.read_as_operator() as connection:
        [row] = await mailing.deliveries(connection, None)
    retry = f"vendorwatch deliver retry {row.delivery_id}"
    assert retry in told(mail)
    assert retry in body(mail, "html")


async def test_what_comes_within_the_hour_is_gathered(watch: Watch) -> None:
    async with duties(watch.settings, watch.database, watch.clock) as found:
        watch.server.fault("RCPT", *["550 5.1.1 No such user"] * 9, to="an@example.org")
        watch.server.fault("RCPT", *["550 5.1.1 No such user"] * 9, to="binh@example.org")
        for address, month in (("an@example.org", "2026-09"), ("binh@example.org", "2026-10")):
            await watch.queue(address, month=month)
            await Round(found, watch.clock).run()
            watch.clock.now += 60 * SECOND
        assert len(watch.server.messages_to(OPERATORS)) == 1
        watch.clock.now += GATHERED
        await Round(found, watch.clock).run()
    subjects = [str(each.message["Subject"]) for each in watch.server.messages_to(OPERATORS)]
    assert subjects == ["vendorwatch: 1 mail given up", "vendorwatch: 2 mails given up"]


async def test_of_many_workers_one_tells(watch: Watch) -> None:
    watch.a_day_late()
    await asyncio.gather(*(watch.tell() for _ in range(4)))
    assert len(watch.server.received) == 1


async def test_whoever_dies_while_telling_is_replaced_and_the_mail_is_the_same(
    watch: Watch,
) -> None:
    watch.a_day_late()
    arrived = asyncio.Event()
    watch.server.fault("DATA", "hang")
    watch.server.before_answer = _set(arrived)
    telling = asyncio.create_task(watch.tell())
    await asyncio.wait_for(arrived.wait(), 30)
    telling.cancel()
    await asyncio.gather(telling, return_exceptions=True)
    watch.server.before_answer = None
    await watch.tell()
    assert len(watch.server.received) == 1  # the lease is not over
    watch.clock.now += LEASE
    await watch.tell()
    assert len(watch.server.received) == 2
    assert len({each.content for each in watch.server.received}) == 1
    watch.clock.now += 2 * GATHERED
    await watch.tell()
    assert len(watch.server.received) == 2


async def test_a_mail_that_was_begun_stays_the_same_under_another_address(watch: Watch) -> None:
    watch.a_day_late()
    watch.server.fault("DATA", "drop")  # nobody knows whether it arrived
    await watch.tell()
    watch.settings = replace(watch.settings, public_url="https://elsewhere.example")
    watch.clock.now += DAY
    await watch.tell()
    assert len(watch.server.received) == 2
    assert len({each.message["Message-ID"] for each in watch.server.received}) == 1


def _set(event: asyncio.Event):
    async def note() -> None:
        event.set()

    return note


async def test_without_an_address_it_is_in_the_log_and_waits_for_one(watch: Watch) -> None:
    await watch.break_months()
    watch.a_day_late()
    await watch.work(operators="")
    assert watch.server.received == []
    await watch.work()
    assert len(watch.server.received) == 1


async def test_the_server_tells_where_no_worker_runs(watch: Watch) -> None:
    watch.a_day_late()
    arrived = asyncio.Event()
    watch.server.before_answer = _set(arrived)
    watching = partial(app.watched, every_seconds=0.01)
    async with running(app.create_app(watch.settings, clock=watch.clock, lifespans=[watching])):
        await asyncio.wait_for(arrived.wait(), 30)
    [mail] = watch.server.received
    assert "No error is known: no worker has come to it" in told(mail)
