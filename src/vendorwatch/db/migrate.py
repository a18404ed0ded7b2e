"""Brings a database to the schema of this version, and tells where it stands."""

from collections.abc import Mapping

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.db.engine import Database
from vendorwatch.errors import Kind, VendorwatchError
from vendorwatch.resources import MIGRATIONS

_LOCK = 0x76656E646F72  # "vendor": two servers that start at once must not both migrate


class SchemaMismatch(VendorwatchError):
    """The database has the tables of another version of vendorwatch.

    Make a backup, then run `vendorwatch db upgrade`. If the database is the newer one, install that
    version.
    """

    kind = Kind.UNAVAILABLE
    slug = "schema-mismatch"
    title = "The database has another schema than this version needs"


class MigrationRefused(VendorwatchError):
    """The schema cannot be changed like this: a right is missing, or rows would be lost.

    For the operator: `detail` says what to do. Nothing was changed.
    """

    kind = Kind.REFUSED
    slug = "migration-refused"
    title = "The schema cannot be changed"


async def upgrade(database: Database, *, to: str = "head") -> None:
    """One transaction: all of the missing revisions, or none."""
    async with database.write_as_owner() as connection:
        if database.is_postgresql:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        await connection.run_sync(_run, "upgrade", to)


async def downgrade(database: Database, *, to: str) -> None:
    async with database.write_as_owner() as connection:
        await connection.run_sync(_run, "downgrade", to)


def is_in_the_models(name: str | None, kind: str, parents: Mapping[str, str | None]) -> bool:
    """Not: the partitions of `interactions`, tables to PostgreSQL, and the column that it generates.

    For Alembic's `include_name`.
    """
    if kind == "table":
        return name is None or not name.startswith("interactions_p")
    return not (kind == "column" and (parents["table_name"], name) == ("interactions", "packed"))


async def current(connection: AsyncConnection) -> str | None:
    """The revision that the database is at; null before the first."""
    return await connection.run_sync(
        lambda plain: MigrationContext.configure(plain).get_current_revision()
    )


def head() -> str:
    revision = ScriptDirectory.from_config(config()).get_current_head()
    assert revision is not None  # noqa: S101  the package ships at least one revision
    return revision


async def require_head(database: Database) -> None:
    """Raises SchemaMismatch unless the database is at this version's schema exactly."""
    async with database.read_as_owner() as connection:
        found = await current(connection)
    if found != head():
        raise SchemaMismatch(
            f"The database is at revision {found or 'none'}, this version needs {head()}. "
            "Run: vendorwatch db upgrade"
        )


async def prepare(database: Database) -> None:
    """Makes ready to serve: SQLite is brought to this version's schema by itself.

    PostgreSQL, which other machines may be using, must be at it already. Raises SchemaMismatch.
    """
    if not database.is_postgresql:
        async with database.read_as_owner() as connection:
            found = await current(connection)
        if found is None or (found != head() and found in _revisions()):
            await upgrade(database)
    await require_head(database)


def _revisions() -> set[str]:
    return {script.revision for script in ScriptDirectory.from_config(config()).walk_revisions()}


def config() -> Config:
    made = Config()
    made.set_main_option("script_location", str(MIGRATIONS))
    return made


def _run(connection: Connection, direction: str, to: str) -> None:
    made = config()
    made.attributes["connection"] = connection
    try:
        getattr(command, direction)(made, to)
    except CommandError as error:
        raise MigrationRefused(str(error)) from error
