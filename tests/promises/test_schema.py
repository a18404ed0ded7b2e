"""The schema: migrations lead to the models and back, and tenants' keys start with the tenant."""

import re

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, UniqueConstraint, inspect, text

from vendorwatch.db import migrate, models
from vendorwatch.db.base import Base
from vendorwatch.db.engine import Database

TENANTS = ("engagement_id", "merchant_id")
TABLES = sorted(Base.metadata.tables)
# The merchant itself: the one table whose rows belong to nobody else.
ABOVE_TENANTS = {"uq_merchants_name"}


def tables(connection: Connection) -> set[str]:
    return {
        name
        for name in inspect(connection).get_table_names()
        if name != "alembic_version" and not name.startswith("interactions_p")
    }


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(
        connection, opts={"include_name": migrate.is_in_the_models, "compare_server_default": True}
    )
    return list(compare_metadata(context, Base.metadata))


async def test_up_down_and_up_again(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    try:
        for _ in range(2):
            await migrate.upgrade(database)
            async with database.read_as_owner() as connection:
                assert await migrate.current(connection) == migrate.head()
                assert await connection.run_sync(tables) == set(TABLES)
            await migrate.downgrade(database, to="base")
            async with database.read_as_owner() as connection:
                assert await migrate.current(connection) is None
                assert await connection.run_sync(tables) == set()
                left = await connection.run_sync(lambda plain: inspect(plain).get_table_names())
                assert set(left) <= {"alembic_version"}
    finally:
        await database.close()


async def test_models_equal_migrations(database: Database) -> None:
    async with database.read_as_owner() as connection:
        assert await connection.run_sync(differences) == []


async def test_a_difference_would_be_seen(database: Database) -> None:
    async with database.write_as_owner() as connection:
        await connection.execute(text("ALTER TABLE agents ADD COLUMN nickname TEXT"))
        found = await connection.run_sync(differences)
    assert len(found) == 1


@pytest.mark.parametrize("name", TABLES)
def test_keys_start_with_the_tenant(name: str) -> None:
    table = Base.metadata.tables[name]
    keys = {"primary key": [column.name for column in table.primary_key]}
    keys |= {
        str(constraint.name): [column.name for column in constraint.columns]
        for constraint in table.constraints
        if isinstance(constraint, UniqueConstraint)
    }
    keys |= {
        str(index.name): [column.name for column in index.columns]
        for index in table.indexes
        if index.unique
    }
    for key, columns in keys.items():
        if key not in ABOVE_TENANTS:
            assert columns[0] in TENANTS, f"{key} of {name} gives away whether a row exists"


async def test_the_database_has_no_unique_key_that_the_models_lack(database: Database) -> None:
    def unique_keys(connection: Connection) -> list[tuple[str, list[str]]]:
        found = inspect(connection)
        keys: list[tuple[str, list[str]]] = []
        for name in TABLES:
            keys.append((name, found.get_pk_constraint(name)["constrained_columns"]))
            keys += [
                (name, constraint["column_names"])
                for constraint in found.get_unique_constraints(name)
                if constraint["name"] not in ABOVE_TENANTS
            ]
            keys += [
                (name, [str(column) for column in index["column_names"]])
                for index in found.get_indexes(name)
                if index["unique"] and index["name"] not in ABOVE_TENANTS
            ]
        return keys

    async with database.read_as_owner() as connection:
        keys = await connection.run_sync(unique_keys)
    assert len(keys) > len(TABLES)
    assert [key for key in keys if key[1][0] not in TENANTS] == []


def test_every_model_is_on_the_shelf() -> None:
    shelved = {getattr(models, name).__tablename__ for name in models.__all__}
    assert shelved == set(TABLES)


def test_instants_are_integers() -> None:
    """A type with an offset loses it on SQLite."""
    for table in Base.metadata.tables.values():
        for column in table.columns:
            if re.search(r"_at$", column.name) or column.name == "as_of":
                assert column.type.python_type is int, f"{table.name}.{column.name}"
