"""When a database is made ready, and when it is refused."""

import asyncio

import pytest
from sqlalchemy import text

from vendorwatch.db import migrate
from vendorwatch.db.engine import Database


async def set_revision(database: Database, revision: str) -> None:
    async with database.write_as_owner() as connection:
        change = text("UPDATE alembic_version SET version_num = :revision")
        await connection.execute(change, {"revision": revision})


async def test_an_empty_database(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    try:
        if database.is_postgresql:
            with pytest.raises(migrate.SchemaMismatch, match="vendorwatch db upgrade"):
                await migrate.prepare(database)
        else:
            await migrate.prepare(database)
            await migrate.require_head(database)
    finally:
        await database.close()


async def test_a_newer_schema_is_refused_and_left_alone(database: Database) -> None:
    await set_revision(database, "9999")
    with pytest.raises(migrate.SchemaMismatch, match="9999"):
        await migrate.prepare(database)
    async with database.read_as_owner() as connection:
        assert await migrate.current(connection) == "9999"


async def test_two_upgrades_at_once_are_one(empty_database_url: str) -> None:
    first, second = Database(empty_database_url), Database(empty_database_url)
    try:
        async with asyncio.timeout(60):
            await asyncio.gather(migrate.upgrade(first), migrate.upgrade(second))
        await migrate.require_head(first)
    finally:
        await first.close()
        await second.close()


async def test_a_failed_migration_leaves_nothing(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    try:
        async with database.write_as_owner() as connection:
            # The last table of the migration is in the way.
            await connection.execute(text("CREATE TABLE answers (x INTEGER)"))
        with pytest.raises(Exception, match="answers"):
            await migrate.upgrade(database)
        async with database.read_as_owner() as connection:
            assert await migrate.current(connection) is None
            with pytest.raises(Exception, match="merchants"):
                await connection.execute(text("SELECT 1 FROM merchants"))
    finally:
        await database.close()
