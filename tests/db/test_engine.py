"""Transactions: all or nothing, no lost update, and outages told as such."""

import asyncio
import sqlite3
import threading
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import Select, column, select, table, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from vendorwatch.db.engine import (
    Database,
    DatabaseUnavailable,
    driver_of,
    driver_url,
    wal_is_safe,
)
from vendorwatch.db.scope import Scope

ADD = text(
    "INSERT INTO merchants (merchant_id, name, pseudonym_key, created_at) "
    "VALUES ('00000000-0000-0000-0000-000000000001', 'Somebody', :key, :now)"
)
ROW = {"key": b"k" * 32, "now": 0}


async def merchants(database: Database) -> int:
    async with database.read_as_owner() as connection:
        return int(await connection.scalar(text("SELECT count(*) FROM merchants")) or 0)


class Mistake(Exception):
    pass


async def test_a_transaction_commits_when_its_block_ends(database: Database) -> None:
    async with database.write_as_owner() as connection:
        await connection.execute(ADD, ROW)
    assert await merchants(database) == 1


async def test_a_transaction_rolls_back_when_its_block_raises(database: Database) -> None:
    async def use_case() -> None:
        async with database.write_as_owner() as connection:
            await connection.execute(ADD, ROW)
            raise Mistake

    with pytest.raises(Mistake):
        await use_case()
    assert await merchants(database) == 0


async def test_a_mistake_in_a_statement_is_not_called_an_outage(database: Database) -> None:
    async def add() -> None:
        async with database.write_as_owner() as connection:
            await connection.execute(ADD, ROW)

    await add()
    with pytest.raises(IntegrityError):
        await add()
    with pytest.raises(DBAPIError):
        async with database.read_as_owner() as connection:
            await connection.execute(text("SELECT nothing FROM nowhere"))


async def test_concurrent_increments_are_not_lost(database: Database) -> None:
    async with database.write_as_owner() as connection:
        await connection.execute(ADD, ROW)
    # PostgreSQL's own default, as for every use case here, needs the lock that one would take.
    counter: Select[Any] = select(column("created_at")).select_from(table("merchants"))
    if database.is_postgresql:
        counter = counter.with_for_update()

    async def increment() -> None:
        async with database.write_as_owner() as connection:
            found = await connection.scalar(counter)
            await asyncio.sleep(0)
            change = text("UPDATE merchants SET created_at = :value")
            await connection.execute(change, {"value": (found or 0) + 1})

    await asyncio.gather(*(increment() for _ in range(20)))
    async with database.read_as_owner() as connection:
        assert await connection.scalar(text("SELECT created_at FROM merchants")) == 20


async def test_one_reading_sees_one_state(database: Database) -> None:
    count = text("SELECT count(*) FROM merchants")
    async with database.read_as_owner() as reading:
        assert await reading.scalar(count) == 0
        if database.is_postgresql:  # on SQLite without WAL, the writer waits for the reader
            async with database.write_as_owner() as writing:
                await writing.execute(ADD, ROW)
        assert await reading.scalar(count) == 0


async def test_foreign_keys_are_enforced(database: Database) -> None:
    orphan = text(
        "INSERT INTO vendors (merchant_id, vendor_id, name, created_at) VALUES "
        "('00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000002', 'X', 0)"
    )
    with pytest.raises(IntegrityError):
        async with database.write_as_owner() as connection:
            await connection.execute(orphan)


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
async def test_a_reading_cannot_write(database: Database) -> None:
    with pytest.raises(DBAPIError, match="read-only transaction"):
        async with database.read_as_owner() as connection:
            await connection.execute(ADD, ROW)


async def test_an_unreachable_server_is_unavailable() -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/nothing")
    try:
        with pytest.raises(DatabaseUnavailable) as raised:
            async with database.read_as_owner():
                pass
    finally:
        await database.close()
    assert raised.value.retry_after_seconds == 5
    assert "127.0.0.1" not in raised.value.detail


async def test_a_file_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "folder.db").mkdir()
    database = Database(f"sqlite:///{tmp_path / 'folder.db'}")
    try:
        with pytest.raises(DatabaseUnavailable):
            async with database.write_as_owner():
                pass
    finally:
        await database.close()
        # The driver's thread of a connection that failed still tells this loop that it ends.
        for thread in threading.enumerate():
            if "_connection_worker_thread" in thread.name:
                await asyncio.to_thread(thread.join, 10)


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
async def test_sqlite_is_safe_from_crashes(database: Database) -> None:
    async with database.read_as_owner() as connection:
        pragmas = {
            name: await connection.scalar(text(f"PRAGMA {name}"))
            for name in ("synchronous", "foreign_keys", "journal_mode")
        }
    wal = wal_is_safe(sqlite3.sqlite_version_info)
    assert pragmas == {
        "synchronous": 3,
        "foreign_keys": 1,
        "journal_mode": "wal" if wal else "delete",
    }


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 45, 9), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 52, 0), True),
    ],
)
def test_wal_only_without_its_bug(version: tuple[int, int, int], safe: bool) -> None:
    assert wal_is_safe(version) is safe


def test_each_engine_has_one_driver() -> None:
    assert driver_url("sqlite:///x.db").drivername == "sqlite+aiosqlite"
    assert driver_url("postgresql://h/n").drivername == "postgresql+psycopg"


async def lose_connections(database_url: str) -> None:
    """As a restart of the server, or whatever lies between, ends them."""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as admin:
        await admin.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
async def test_connections_that_were_lost_in_the_pool_are_replaced(
    database: Database, database_url: str
) -> None:
    scope = Scope(merchant_id=str(uuid4()), engagement_id=str(uuid4()))
    isolation, engagement = text("SHOW transaction_isolation"), text("SHOW vendorwatch.engagement")

    async def use_all() -> None:
        async with database.read(scope) as one, database.read_as_owner() as other:
            assert await one.scalar(engagement) == scope.engagement_id
            assert {await each.scalar(isolation) for each in (one, other)} == {"repeatable read"}
            assert await one.scalar(text("SHOW transaction_read_only")) == "on"
        async with database.write(scope) as connection:
            assert await connection.scalar(isolation) == "read committed"
            assert await connection.scalar(engagement) == scope.engagement_id

    async with database.workbench(scope) as bench, bench.write():
        await use_all()
    await lose_connections(database_url)
    await use_all()
    await lose_connections(database_url)
    async with database.workbench(scope) as bench, bench.write() as connection:
        assert await connection.scalar(engagement) == scope.engagement_id


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
async def test_what_was_laid_out_is_not_sought_on_another_connection(
    database: Database, database_url: str
) -> None:
    scope = Scope(merchant_id=str(uuid4()), engagement_id=str(uuid4()))

    async def go_on() -> None:
        async with database.workbench(scope) as bench:
            async with bench.aside() as connection:
                await connection.execute(text("CREATE TEMPORARY TABLE laid_out (row integer)"))
            await lose_connections(database_url)
            async with bench.write():
                pytest.fail("its table is gone")

    with pytest.raises(DatabaseUnavailable):
        await go_on()


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
async def test_what_the_driver_tells_of_a_lost_connection_is_an_outage(
    database: Database, database_url: str
) -> None:
    async def ask_the_driver() -> None:
        async with database.write_as_owner() as connection:
            driver = await driver_of(connection)
            assert isinstance(driver, psycopg.AsyncConnection)
            await lose_connections(database_url)
            await driver.execute("SELECT 1")

    with pytest.raises(DatabaseUnavailable):
        await ask_the_driver()


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
async def test_a_pool_is_as_large_as_its_url_says(database_url: str) -> None:
    database = Database(f"{database_url}&pool_size=1")
    try:
        assert "pool_size" not in database.url.query
        async with database.read_as_owner() as connection:
            waiting = asyncio.create_task(merchants(database))
            done, _ = await asyncio.wait({waiting}, timeout=0.2)
            assert not done
            assert await connection.scalar(text("SELECT 1")) == 1
        assert await waiting == 0
    finally:
        await database.close()
