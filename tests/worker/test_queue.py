"""The queue on PostgreSQL only wakes: lost or doubled messages change nothing."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence

import psycopg
import pytest
from psycopg import sql

from conftest import database_on
from stopped_clock import StoppedClock
from vendorwatch.db.engine import DatabaseUnavailable, driver_url
from vendorwatch.db.migrate import MigrationRefused
from vendorwatch.periods import Micros
from vendorwatch.worker import queue
from vendorwatch.worker.duties import Duty, Piece


class Ledger:
    """Work whose state decides: a page is due until it is written. Doing it again does nothing."""

    def __init__(self, pages: int) -> None:
        self.left = [f"{number:02}" for number in range(pages)]
        self.written: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()

    async def due(self, now: Micros) -> Sequence[Piece]:
        return [{"page": page} for page in self.left]

    async def do(self, piece: Piece, now: Micros) -> bool:
        page = piece["page"]
        if self.refusals[page]:
            self.refusals[page] -= 1
            raise RuntimeError("not now")
        await asyncio.sleep(0)
        if page in self.left:
            self.left.remove(page)
            self.written[page] += 1
            return True
        return False

    @property
    def duty(self) -> Duty:
        return Duty("write", self.due, self.do)


@pytest.fixture
def url(postgresql_server: str, postgresql_template: str) -> Iterator[str]:
    yield from database_on(postgresql_server, template=postgresql_template)


async def worker(url: str, ledger: Ledger, clock: StoppedClock) -> queue.Queue:
    address = driver_url(url)
    await queue.prepare(address)
    return queue.Queue(address, [ledger.duty], clock)


async def test_what_is_due_is_done_once(url: str, clock: StoppedClock) -> None:
    ledger = Ledger(12)
    await (await worker(url, ledger, clock)).work(until_empty=True)
    assert ledger.left == []
    assert set(ledger.written.values()) == {1}


async def test_two_workers_at_once_share_it(url: str, clock: StoppedClock) -> None:
    ledger = Ledger(30)
    workers = [await worker(url, ledger, clock) for _ in range(2)]
    await asyncio.gather(*(each.work(until_empty=True) for each in workers))
    assert ledger.left == []
    assert set(ledger.written.values()) == {1}


async def test_messages_that_get_lost_are_sent_again(url: str, clock: StoppedClock) -> None:
    ledger = Ledger(5)
    first = await worker(url, ledger, clock)
    async with first.app.open_async():
        assert await first.wake() == 5
        assert await first.wake() == 0  # they are in the queue already
    with psycopg.connect(url, autocommit=True) as connection:
        jobs = sql.Identifier(queue.SCHEMA, "procrastinate_jobs")
        connection.execute(sql.SQL("TRUNCATE {} CASCADE").format(jobs))
    await first.work(until_empty=True)
    assert ledger.left == []


async def test_messages_that_come_twice_change_nothing(url: str, clock: StoppedClock) -> None:
    ledger = Ledger(5)
    made = await worker(url, ledger, clock)
    async with made.app.open_async():
        assert await made.wake() == 5
    same = sql.SQL("queue_name, task_name, priority, lock, args, status, attempts")
    jobs = sql.Identifier(queue.SCHEMA, "procrastinate_jobs")
    copied = sql.SQL("INSERT INTO {0} ({1}) SELECT {1} FROM {0} WHERE task_name = 'write'")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(queue.SCHEMA)))
        assert connection.execute(copied.format(jobs, same)).rowcount == 5
    await made.work(until_empty=True)
    assert ledger.left == []
    assert set(ledger.written.values()) == {1}


async def test_messages_that_come_late_find_nothing_to_do(url: str, clock: StoppedClock) -> None:
    ledger = Ledger(5)
    made = await worker(url, ledger, clock)
    async with made.app.open_async():
        await made.wake()
    ledger.left.clear()  # somebody else did it
    await made.work(until_empty=True)
    assert not ledger.written


async def test_a_piece_that_fails_stops_no_other_and_stays_due(
    url: str, clock: StoppedClock
) -> None:
    ledger = Ledger(4)
    ledger.refusals["01"] = 1
    made = await worker(url, ledger, clock)
    await made.work(until_empty=True)
    assert ledger.left == ["01"]
    with psycopg.connect(url, autocommit=True) as connection:
        jobs = sql.Identifier(queue.SCHEMA, "procrastinate_jobs")
        later = sql.SQL("SELECT scheduled_at > now() FROM {} WHERE task_name = 'write'")
        assert connection.execute(later.format(jobs)).fetchall() == [(True,)]
        connection.execute(sql.SQL("UPDATE {} SET scheduled_at = NULL").format(jobs))
    await made.work(until_empty=True)
    assert ledger.left == []


async def test_another_release_makes_the_queue_anew(url: str, clock: StoppedClock) -> None:
    ledger = Ledger(3)
    made = await worker(url, ledger, clock)
    async with made.app.open_async():
        await made.wake()
    with psycopg.connect(url, autocommit=True) as connection:
        comment = sql.SQL("COMMENT ON SCHEMA {} IS 'procrastinate 1.0'")
        connection.execute(comment.format(sql.Identifier(queue.SCHEMA)))
    await (await worker(url, ledger, clock)).work(until_empty=True)
    assert ledger.left == []


async def test_a_user_who_may_make_no_schema_is_told_what_to_ask_for(
    url: str, clock: StoppedClock
) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS poor")
        connection.execute("CREATE ROLE poor LOGIN")
    address = driver_url(url).set(username="poor")
    with pytest.raises(MigrationRefused, match="GRANT CREATE ON DATABASE"):
        await queue.prepare(address)


async def test_a_database_that_is_not_there_is_an_outage(url: str, clock: StoppedClock) -> None:
    with pytest.raises(DatabaseUnavailable):
        await queue.prepare(driver_url(url).set(database="nowhere"))
