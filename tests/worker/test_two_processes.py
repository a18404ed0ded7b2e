"""`vendorwatch worker` twice on PostgreSQL, as operators run it; one of them dies in the middle."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import text

from mailing.mail_server import MailServer, mail_server
from vendorwatch.closing import issuing
from vendorwatch.closing import store as closing
from vendorwatch.closing.model import Rules
from vendorwatch.db.engine import Database
from vendorwatch.mailing import keys
from vendorwatch.mailing import service as mailing
from vendorwatch.mailing.model import Asked
from vendorwatch.periods import DAY, Micros, Month, load_zone
from vendorwatch.scorecards import store as scorecards
from vendorwatch.settings import Settings
from vendorwatch.telemetry import system_clock
from vendorwatch.vendors import service as vendors
from vendorwatch.vendors.model import Engagement
from vendorwatch.worker import queue
from vendorwatch.worker.composition import duties

PROGRAM = str(Path(sys.executable).with_name("vendorwatch"))
ENGAGEMENTS, READERS = 6, 3
_PATIENCE = 60.0  # seconds
_WORKERS = sql.Identifier(queue.SCHEMA, "procrastinate_workers")
_JOBS = sql.Identifier(queue.SCHEMA, "procrastinate_jobs")


@pytest.fixture
def engine_name() -> str:
    return "postgresql"


def settled(now: Micros) -> Month:
    """The newest month that is surely over and settled."""
    return Month.of(now - 45 * DAY, load_zone("UTC"))


async def engage(database: Database, number: int, now: Micros) -> Engagement:
    """A merchant of its own, whose one month is due."""
    async with database.write_as_operator() as connection:
        made = await vendors.create_engagement(
            connection, merchant=f"Shop {number}", vendor="Hoa Sen BPO", time_zone="UTC",
            now=now - 90 * DAY,
        )  # fmt: skip
    async with database.write(made.scope) as connection:
        rules = Rules(first_month=settled(now), last_month=settled(now))
        await issuing.set_rules(connection, made.scope, rules, now)
    return made


async def add_reader(database: Database, engagement: Engagement, now: Micros) -> set[str]:
    """A notice waits for them already. The Message-IDs of what they must get."""
    scope, month = engagement.scope, settled(now)
    asked = Asked(
        email=f"reader@{engagement.engagement_id}.example", name="Linh", language="en",
        side="merchant", kind="scorecard",
    )  # fmt: skip
    async with database.write(scope.of_merchant()) as connection:
        made, _ = await mailing.add_recipient(connection, scope, asked, now)
        await mailing.queue_notice(connection, scope, f"{month}/no-upload", "no_upload", now)
    subjects = ((f"{month}/no-upload", "no_upload"), (f"{month}/r1", "scorecard"))
    return {
        keys.message_id([(scope.engagement_id, about, made.recipient_id, kind)], "127.0.0.1")
        for about, kind in subjects
    }


@dataclass
class Worker:
    """The mail that it sends comes `from_`, so that the mail server can tell one from the other."""

    from_: str
    log: Path
    process: asyncio.subprocess.Process

    def done(self, duty: str) -> int:
        lines = [json.loads(each) for each in self.log.read_text("utf-8").splitlines()]
        return sum((each["event"], each.get("duty")) == ("duty done", duty) for each in lines)


@asynccontextmanager
async def started(settings: Settings, server: MailServer, name: str) -> AsyncIterator[Worker]:
    log, from_ = settings.data_dir / f"{name}.log", f"{name}@example.org"
    told = {"VENDORWATCH_SMTP_URL": server.url, "VENDORWATCH_MAIL_FROM": from_}
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            PROGRAM, "worker", env=settings.environment() | told, stderr=output
        )
    try:
        yield Worker(from_, log, process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


class Queue:
    """What is in it, seen from outside."""

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self._connection = connection

    async def workers(self) -> int:
        return len(await self._rows("SELECT id FROM {workers}"))

    async def jobs(self, *states: str) -> int:
        found = await self._rows("SELECT status::text FROM {jobs}")
        return sum(state in states for (state,) in found)

    async def notice_the_dead(self) -> None:
        """As if a minute had gone by: the one job that is begun is that of the dead worker."""
        await self._rows(
            "UPDATE {workers} SET last_heartbeat = now() - interval '1 hour' "
            "WHERE id IN (SELECT worker_id FROM {jobs} WHERE status = 'doing') RETURNING id"
        )

    async def _rows(self, query: str) -> list[Any]:
        names = {"jobs": _JOBS, "workers": _WORKERS}
        return await (await self._connection.execute(sql.SQL(query).format(**names))).fetchall()


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(_PATIENCE):
        while not await condition():  # noqa: ASYNC110  other processes have no event of ours
            await asyncio.sleep(0.05)


async def issued(database: Database, engagements: Sequence[Engagement], month: Month) -> list[int]:
    """How many revisions of each, which are as many as there are scorecards."""
    found = []
    for each in engagements:
        async with database.read(each.scope) as connection:
            cards = await scorecards.scorecard_ids(connection, each.scope, month=str(month))
            revisions = await closing.revisions(connection, each.scope, month)
        assert len(cards) == len(revisions)
        found.append(len(revisions))
    return found


async def sent(database: Database) -> Counter[str]:
    async with database.read_as_operator() as connection:
        return Counter(row.state for row in await mailing.deliveries(connection, None))


async def end_leases(database: Database) -> None:
    """As if half an hour had gone by."""
    async with database.write_as_owner() as connection:
        await connection.execute(
            text("UPDATE deliveries SET leased_until = 0 WHERE state = 'sending'")
        )


async def test_they_share_the_work_and_whoever_lives_takes_over(
    database: Database, database_url: str, settings: Settings
) -> None:
    settings.data_dir.mkdir(parents=True)
    now = system_clock()
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        server = await enter(mail_server())
        asking = await psycopg.AsyncConnection.connect(database_url, autocommit=True)
        inside = Queue(await enter(asking))
        # The test wakes them, as they do themselves on the minute.
        found = await enter(duties(replace(settings, smtp_url=server.url), database, system_clock))
        await queue.prepare(database.url)
        waking = queue.Queue(database.url, found, system_clock)
        await enter(waking.app.open_async())
        both = [await enter(started(settings, server, name)) for name in ("a", "b")]

        async def are_there() -> bool:
            return await inside.workers() == len(both)

        async def is_idle() -> bool:
            return await inside.jobs("todo", "doing") == 0

        async def has_one_left() -> bool:
            return await inside.jobs("todo", "doing") == 1

        async def hangs() -> bool:
            return bool(server.hanging)

        await until(are_there)
        made = [await engage(database, number, now) for number in range(ENGAGEMENTS)]
        expected = set[str]().union(
            *[await add_reader(database, each, now) for each in made[:READERS]]
        )
        server.fault("RCPT", "hang")
        await waking.wake()
        await until(hangs)
        [dead, alive] = sorted(both, key=lambda each: each.from_ not in server.hanging)
        dead.process.kill()
        await dead.process.wait()
        await until(has_one_left)
        await waking.wake()  # for the mail of what was closed meanwhile
        await until(has_one_left)
        assert await sent(database) == {"sent": len(expected) - 1, "sending": 1}
        await inside.notice_the_dead()
        await end_leases(database)
        await waking.wake()
        await until(is_idle)
        assert await sent(database) == {"sent": len(expected)}
        assert {mail.mail_from for mail in server.received} == {alive.from_}
        assert sorted(mail.message_id for mail in server.received) == sorted(expected)
        assert await issued(database, made, settled(now)) == [1] * ENGAGEMENTS
        assert all(each.done("close") for each in both)
        assert sum(each.done("close") for each in both) == ENGAGEMENTS
        alive.process.terminate()
        assert await alive.process.wait() == 0
