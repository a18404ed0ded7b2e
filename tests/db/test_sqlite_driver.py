"""The driver of SQLite: few trips to a connection's thread, and nothing else is different."""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.db.engine import Database, Workbench
from vendorwatch.db.scope import Scope

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)

MANY = 1_000
NUMBERS = text(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT :most) SELECT i FROM n"
)
ADD = text(
    "INSERT INTO merchants (merchant_id, name, pseudonym_key, created_at) "
    "VALUES (:id, :id, x'00', 0)"
)
COUNT = text("SELECT count(*) FROM merchants")


@pytest.fixture
async def bench(database: Database) -> AsyncIterator[Workbench]:
    scope = Scope(merchant_id=str(uuid4()), engagement_id=str(uuid4()))
    async with database.workbench(scope) as made:
        yield made


async def merchants(database: Database) -> int:
    async with database.read_as_owner() as connection:
        return int(await connection.scalar(COUNT) or 0)


def trips(caplog: pytest.LogCaptureFixture) -> int:
    return sum(record.msg.startswith("executing") for record in caplog.records)


async def test_a_statement_is_one_trip(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    async with database.read_as_owner() as connection:
        await connection.scalar(COUNT)
        with caplog.at_level(logging.DEBUG, "aiosqlite"):
            assert (await connection.execute(NUMBERS, {"most": 99})).scalars().all() == [
                *range(1, 100)
            ]
        assert trips(caplog) == 1


async def test_transactions_are_one_trip_together(
    database: Database, bench: Workbench, caplog: pytest.LogCaptureFixture
) -> None:
    async def add() -> int:
        async with bench.write() as connection:
            await connection.execute(ADD, {"id": "1"})
            await connection.execute(ADD, {"id": "2"})
        async with bench.read() as connection:
            return int(await connection.scalar(COUNT) or 0)

    with caplog.at_level(logging.DEBUG, "aiosqlite"):
        async with bench.turn():
            assert await bench.together(add) == 2
    assert trips(caplog) == 1
    assert await merchants(database) == 2


@pytest.mark.parametrize("most", [0, 1, 99, 100, 101, MANY])
async def test_answers_of_any_length_come_whole(database: Database, most: int) -> None:
    wanted = list(range(1, most + 1))
    async with database.read_as_owner() as connection:
        assert (await connection.execute(NUMBERS, {"most": most})).scalars().all() == wanted
        streamed = await connection.stream(NUMBERS, {"most": most})
        assert [row.i async for row in streamed] == wanted
        streamed = await connection.stream(NUMBERS, {"most": most})
        parts = [[row.i for row in part] async for part in streamed.partitions(70)]
        assert [number for part in parts for number in part] == wanted
        assert all(len(part) == 70 for part in parts[:-1])


async def test_an_answer_that_is_not_read_to_its_end_is_in_nobody_s_way(
    database: Database,
) -> None:
    async with database.write_as_owner() as connection:
        streamed = await connection.stream(NUMBERS, {"most": MANY})
        assert [await anext(aiter(streamed)), await streamed.fetchone()] == [(1,), (2,)]
        await streamed.close()
        await connection.execute(ADD, {"id": "1"})
    assert await merchants(database) == 1


async def test_what_was_written_is_counted(database: Database) -> None:
    async with database.write_as_owner() as connection:
        made = await connection.execute(ADD, [{"id": str(n)} for n in range(3)])
        assert made.rowcount == 3
        gone = await connection.execute(text("DELETE FROM merchants WHERE merchant_id <> '1'"))
        assert gone.rowcount == 2
        back = await connection.execute(text("DELETE FROM merchants RETURNING merchant_id"))
        assert back.scalars().all() == ["1"]


async def test_a_refused_statement_leaves_a_good_connection(database: Database) -> None:
    async with database.write_as_owner() as connection:
        await connection.execute(ADD, {"id": "1"})
        with pytest.raises(IntegrityError):
            await connection.execute(ADD, {"id": "1"})
        await connection.execute(ADD, {"id": "2"})
    assert await merchants(database) == 2


async def test_a_transaction_that_only_reads_sees_one_state(
    database: Database, database_url: str
) -> None:
    other = sqlite3.connect(database_url.removeprefix("sqlite:///"), timeout=0)

    def add(name: str) -> None:
        with contextlib.suppress(sqlite3.OperationalError), other:  # it may have to wait
            other.execute(str(ADD).replace(":id", f"'{name}'"))

    async with database.read_as_owner() as connection:
        add("before the first statement")
        assert await connection.scalar(COUNT) == 1
        add("after it")
        assert await connection.scalar(COUNT) == 1
    add("after all")
    assert await merchants(database) >= 2
    other.close()


async def test_a_transaction_in_which_nothing_is_asked_is_nothing(database: Database) -> None:
    async with database.read_as_owner():
        pass
    async with database.write_as_owner() as connection:  # the same one
        await connection.execute(ADD, {"id": "1"})
    assert await merchants(database) == 1


async def test_what_is_cancelled_while_it_waits_for_another_process_is_taken_back(
    database: Database, database_url: str
) -> None:
    """Its BEGIN comes to its turn afterwards, and must not keep the lock."""
    other = sqlite3.connect(database_url.removeprefix("sqlite:///"), isolation_level=None)
    asked, loop = asyncio.Event(), asyncio.get_running_loop()

    class Told(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "BEGIN IMMEDIATE" in str(record.args):
                loop.call_soon_threadsafe(asked.set)

    async def write() -> None:
        async with database.write_as_owner():
            pytest.fail("it has no lock")

    assert await merchants(database) == 0  # so that its connection stands
    log = logging.getLogger("aiosqlite")
    handler, level = Told(), log.level
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    other.execute("BEGIN IMMEDIATE")
    try:
        writing = asyncio.create_task(write())
        await asked.wait()
        writing.cancel()
        await asyncio.sleep(0)
        other.execute("ROLLBACK")
        with pytest.raises(asyncio.CancelledError):
            await writing
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
    other.execute("BEGIN IMMEDIATE")
    other.close()


async def test_what_raises_together_is_taken_back(database: Database, bench: Workbench) -> None:
    async def add() -> None:
        async with bench.write() as connection:
            await connection.execute(ADD, {"id": "1"})
            raise ZeroDivisionError

    async with bench.turn():
        with pytest.raises(ZeroDivisionError):
            await bench.together(add)
    assert await merchants(database) == 0


async def test_who_waits_for_something_else_together_is_told(
    database: Database, bench: Workbench
) -> None:
    async def wait() -> None:
        async with bench.write() as connection:
            await connection.execute(ADD, {"id": "1"})
            await asyncio.sleep(0)

    async with bench.turn():
        with pytest.raises(RuntimeError, match="waits for something else"):
            await bench.together(wait)
    assert await merchants(database) == 0


async def test_a_cancel_comes_after_what_is_done_together(
    database: Database, bench: Workbench
) -> None:
    """However often it comes: meanwhile the connection belongs to the thread."""
    began, end = asyncio.Event(), []
    loop = asyncio.get_running_loop()

    async def add() -> None:
        async with bench.write() as connection:
            loop.call_soon_threadsafe(began.set)
            await slow(connection)
            await connection.execute(ADD, {"id": "1"})
        end.append("committed")

    async def slow(connection: AsyncConnection) -> None:
        await connection.execute(NUMBERS, {"most": 300_000})

    async def with_turn() -> None:
        async with bench.turn():
            await bench.together(add)

    sending = asyncio.create_task(with_turn())
    await began.wait()
    while not sending.done():
        sending.cancel()
        await asyncio.sleep(0)
    assert sending.cancelled()
    assert end == ["committed"]
    assert await merchants(database) == 1
