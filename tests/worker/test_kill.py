"""A worker is killed at every point at which it could leave something half done; the next one goes on."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from mailing.mail_server import mail_server
from stopped_clock import StoppedClock
from vendorwatch.closing import store as closing
from vendorwatch.db.engine import Database
from vendorwatch.db.scope import Scope
from vendorwatch.mailing import keys
from vendorwatch.mailing import service as mailing
from vendorwatch.mailing.model import Asked, Delivery
from vendorwatch.mailing.schedule import LEASE
from vendorwatch.periods import Month
from vendorwatch.scorecards import store as scorecards
from vendorwatch.settings import Settings
from vendorwatch.vendors.model import Engagement
from vendorwatch.worker import queue
from worker import mortals

DUE = "2026-12-07T17:00:00+00:00"  # of November in Asia/Ho_Chi_Minh, settled for 7 days
NOVEMBER = Month(2026, 11)
ADDRESSES = ("an@example.org", "binh@example.org")
_PATIENCE = 60.0  # seconds; a busy machine starts Python and Pango slowly


class Mortals:
    """See tests/worker/mortals.py: one worker at a time."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(mortals.__file__))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # so that whoever is alive at the end is ended, too
        )
        self.points: list[str] = self._line()

    def _line(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    async def told(self) -> Any:
        try:
            return await asyncio.wait_for(asyncio.to_thread(self._line), _PATIENCE)
        except TimeoutError:
            self.kill()  # or else the thread would wait for ever
            raise

    async def start(self, environment: dict[str, str], now: int, point: str | None) -> int:
        """Its process id."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([environment, now, point]) + "\n")
        self._process.stdin.flush()
        return int(await self.told())

    def kill(self) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def close(self) -> None:
        self.kill()
        self._process.communicate()


@pytest.fixture(scope="module")
def worker() -> Iterator[Mortals]:
    made = Mortals()
    yield made
    made.close()


async def readers(database: Database, engagement: Engagement, clock: StoppedClock) -> set[str]:
    """A notice waits for each of them already. The Message-IDs that must arrive."""
    expected = set()
    scope = engagement.scope
    async with database.write(scope.of_merchant()) as connection:
        for email in ADDRESSES:
            asked = Asked(
                email=email, name="Linh", language="en", side="merchant", kind="scorecard"
            )
            made, _ = await mailing.add_recipient(connection, scope, asked, clock())
            for about, kind in (
                (f"{NOVEMBER}/no-upload", "no_upload"),
                (f"{NOVEMBER}/r1", "scorecard"),
            ):
                key = (scope.engagement_id, about, made.recipient_id, kind)
                expected.add(keys.message_id([key], "127.0.0.1"))
        await mailing.queue_notice(connection, scope, f"{NOVEMBER}/no-upload", "no_upload", clock())
    return expected


async def kept(database: Database, scope: Scope) -> tuple[int, int, list[Delivery]]:
    """Scorecards, issuances, and mails."""
    async with database.read(scope.of_merchant()) as connection:
        cards = await scorecards.scorecard_ids(connection, scope, month=str(NOVEMBER))
        issued = await closing.revisions(connection, scope, NOVEMBER)
        return len(cards), len(issued), await mailing.deliveries(connection, scope)


def the_dead_are_noticed(url: str) -> None:
    """As if a minute had gone by, in which the queue did not hear of them."""
    with psycopg.connect(url, autocommit=True) as connection:
        workers = sql.Identifier(queue.SCHEMA, "procrastinate_workers")
        earlier = sql.SQL("UPDATE {} SET last_heartbeat = now() - interval '1 hour'")
        connection.execute(earlier.format(workers))


async def until_sent(database: Database, scope: Scope) -> None:
    async with asyncio.timeout(_PATIENCE):
        while {row.state for row in (await kept(database, scope))[2]} != {"sent"}:  # noqa: ASYNC110  another process has no event of ours
            await asyncio.sleep(0.05)


async def test_killed_at_every_point_it_loses_and_doubles_nothing(
    worker: Mortals,
    database: Database,
    database_url: str,
    clock: StoppedClock,
    engagement: Engagement,
    settings: Settings,
) -> None:
    expected = await readers(database, engagement, clock)
    scope = engagement.scope
    clock.set(DUE)
    async with mail_server() as server:
        environment = settings.environment() | {"VENDORWATCH_SMTP_URL": server.url}
        for point in worker.points:
            await worker.start(environment, clock(), point)
            assert await worker.told() == -signal.SIGKILL, point
            cards, issued, mails = await kept(database, scope)
            # A month is issued with its mail, or not at all.
            assert (cards, issued, len(mails)) in {(0, 0, 2), (1, 1, 4)}, point
            if point == "after the final dot":  # nobody knows of it
                assert len(server.received) == 1
                assert "sent" not in {row.state for row in mails}
            clock.now += LEASE
            if database.is_postgresql:
                the_dead_are_noticed(database_url)
        last = await worker.start(environment, clock(), None)
        await until_sent(database, scope)
        os.kill(last, signal.SIGTERM)
        assert await worker.told() == 0
    assert {mail.message_id for mail in server.received} == expected
    assert len(server.received) == len(expected) + 1
    for address in ADDRESSES:
        assert len({mail.content for mail in server.messages_to(address)}) == 2
    cards, issued, mails = await kept(database, scope)
    assert (cards, issued, len(mails)) == (1, 1, 4)
