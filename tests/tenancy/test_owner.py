"""The wall stands for whoever the URL names: a plain owner as well as a superuser."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import text

from conftest import named
from postgresql_server import postgresql_server as server_from_wheel
from vendorwatch.db import migrate
from vendorwatch.db.engine import Database
from vendorwatch.db.wall import ROLE
from vendorwatch.vendors.service import create_engagement, engagements


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """One that has never seen the role."""
    with server_from_wheel("fsync=off") as found:
        yield found


def _administer(server: str, *statements: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        for statement in statements:
            connection.execute(sql.SQL(statement))


def _as(server: str, user: str, database: str) -> str:
    return named(server, database).replace("postgres@", f"{user}@", 1)


async def _works(url: str) -> None:
    """Up, two engagements that do not see each other, the owner who sees neither, down, up."""
    database = Database(url)
    try:
        await migrate.upgrade(database)
        await migrate.require_head(database)
        async with database.write_as_operator() as connection:
            one, other = [
                await create_engagement(
                    connection, merchant=name, vendor="Vendor", time_zone="UTC", now=0
                )
                for name in ("One", "Other")
            ]
        async with database.read(one.scope) as connection:
            assert await engagements(connection) == [one]
        async with database.read(other.scope) as connection:
            assert await engagements(connection) == [other]
        async with database.read_as_owner() as connection:
            assert await connection.scalar(text("SELECT count(*) FROM engagements")) == 0
        with pytest.raises(migrate.MigrationRefused, match=r"audit: 2"):
            await migrate.downgrade(database, to="0002")
        async with database.write_as_owner() as connection:
            assert await connection.scalar(text("SELECT count(*) FROM audit")) == 0  # still forced
            for change in ("NO FORCE ROW LEVEL SECURITY", "FORCE ROW LEVEL SECURITY"):
                await connection.execute(text(f"ALTER TABLE audit {change}"))
                await connection.execute(text("DELETE FROM audit"))
        await migrate.downgrade(database, to="0002")
        async with database.read_as_owner() as connection:
            assert await connection.scalar(text("SELECT count(*) FROM engagements")) == 2
        await migrate.upgrade(database)
    finally:
        await database.close()


async def test_an_owner_who_may_make_roles(server: str) -> None:
    _administer(server, "CREATE ROLE maker LOGIN CREATEROLE", "CREATE DATABASE made OWNER maker")
    await _works(_as(server, "maker", "made"))


async def test_an_owner_who_may_not_is_told_what_to_ask_for(server: str) -> None:
    _administer(server, "CREATE ROLE plain LOGIN", "CREATE DATABASE plainly OWNER plain")
    url = _as(server, "plain", "plainly")
    database = Database(url)
    try:
        with pytest.raises(Exception, match=f"GRANT {ROLE} TO plain;") as raised:
            await migrate.upgrade(database)
        assert "administrator" in str(raised.value)
        async with database.read_as_owner() as connection:
            assert await migrate.current(connection) is None
    finally:
        await database.close()
    make = f"DO $$ BEGIN CREATE ROLE {ROLE} NOLOGIN; EXCEPTION WHEN duplicate_object THEN END $$"
    _administer(server, make, f"GRANT {ROLE} TO plain")
    await _works(url)


async def test_a_server_that_owns_nothing(server: str) -> None:
    """One user migrates, another one serves."""
    _administer(
        server,
        "CREATE ROLE keeper LOGIN CREATEROLE",
        "CREATE ROLE serving LOGIN",
        "CREATE DATABASE kept OWNER keeper",
    )
    if not _has_role(server):
        _administer(server, f"CREATE ROLE {ROLE} NOLOGIN")
    _administer(server, f"GRANT {ROLE} TO keeper", f"GRANT {ROLE} TO serving")
    keeper = Database(_as(server, "keeper", "kept"))
    serving = Database(_as(server, "serving", "kept"))
    try:
        await migrate.upgrade(keeper)
        await migrate.require_head(serving)
        async with serving.write_as_operator() as connection:
            made = await create_engagement(
                connection, merchant="One", vendor="Vendor", time_zone="UTC", now=0
            )
        async with serving.read(made.scope) as connection:
            assert await engagements(connection) == [made]
    finally:
        await keeper.close()
        await serving.close()


async def test_a_role_that_passes_the_wall_is_refused(server: str) -> None:
    if not _has_role(server):
        _administer(server, f"CREATE ROLE {ROLE} NOLOGIN")
    _administer(server, "CREATE DATABASE open", f"ALTER ROLE {ROLE} BYPASSRLS")
    database = Database(named(server, "open"))
    try:
        with pytest.raises(Exception, match="NOBYPASSRLS"):
            await migrate.upgrade(database)
    finally:
        await database.close()
        _administer(server, f"ALTER ROLE {ROLE} NOBYPASSRLS")


def _has_role(server: str) -> bool:
    with psycopg.connect(server) as connection:
        found = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE])
        return found.fetchone() is not None
