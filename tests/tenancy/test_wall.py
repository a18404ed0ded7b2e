"""What the application's role gets from PostgreSQL, whatever a statement forgets to ask for.

In SQL of the test's own: it stands for a store in which somebody dropped a condition.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from tenancy.world import World
from vendorwatch.db import wall
from vendorwatch.db.base import Base
from vendorwatch.db.engine import Database
from vendorwatch.db.scope import OPERATOR, MerchantScope, Reach, Scope

OF_ENGAGEMENT = [
    "agents", "answers", "api_keys", "assignments", "attempts", "audit", "audit_heads",
    "closing_failures", "closing_rules", "contact_counts", "engagements", "interactions",
    "issuances", "mappings", "notices", "policies", "quality_reviews", "rejects", "scorecards", "uploads",
]  # fmt: skip
OF_MERCHANT = [
    "check_questions", "checks", "merchants", "question_withdrawals", "questions", "rubrics",
    "vendors",
]  # fmt: skip
OF_MERCHANT_ALONE = ["deliveries", "recipients"]  # no vendor sees whom it writes to
OF_OPERATOR = ["alarms"]  # what the operators are told of
EVERYTHING = (*OF_ENGAGEMENT, *OF_MERCHANT, *OF_MERCHANT_ALONE, *OF_OPERATOR)


@pytest.fixture
def engine_name() -> str:
    return "postgresql"


@pytest.fixture
async def nobody(database: Database) -> AsyncIterator[AsyncConnection]:
    """As the role, and without a setting."""
    async with database.write_as_owner() as connection:
        await connection.exec_driver_sql(wall.entrance(Reach()))
        yield connection


async def all_of(connection: AsyncConnection, table: str) -> list[dict[str, Any]]:
    """The statement that forgot its condition."""
    found = await connection.execute(text(f"SELECT * FROM {table}"))  # noqa: S608  names of our own
    return [dict(row) for row in found.mappings()]


async def owners_rows(database: Database, table: str, where: str, value: str) -> list[str]:
    query = text(f"SELECT to_json(each)::text FROM {table} AS each WHERE {where} = :value")  # noqa: S608  names of our own
    async with database.read_as_owner() as connection:
        return list((await connection.execute(query, {"value": value})).scalars())


async def insert(database: Database, reach: Reach, table: str, row: str) -> None:
    # All but what the server generates.
    columns = ", ".join(f'"{column.name}"' for column in Base.metadata.tables[table].columns)
    statement = (
        f"INSERT INTO {table} ({columns}) "  # noqa: S608  names of our own
        f"SELECT {columns} FROM json_populate_record(NULL::{table}, :row)"
    )
    await _run(database, reach, statement, row=row)


async def _run(database: Database, reach: Reach, statement: str, **values: object) -> None:
    async with database.write_as_owner() as connection:
        await connection.exec_driver_sql(wall.entrance(reach))
        await connection.execute(text(statement), values)


async def test_the_tables_are_all_of_them(database: Database) -> None:
    async with database.read_as_owner() as connection:
        found = await connection.execute(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        )
    names = {name for name in found.scalars() if not name.startswith("interactions_p")}
    assert names == {*EVERYTHING, "alembic_version"}


async def test_a_select_without_a_condition_gives_ones_own(
    database: Database, world: World
) -> None:
    scope = world.own.scope
    async with database.read(scope) as connection:
        for table in OF_ENGAGEMENT:
            found = await all_of(connection, table)
            assert found, table
            assert {str(row["engagement_id"]) for row in found} == {scope.engagement_id}, table
        for table in OF_MERCHANT:
            found = await all_of(connection, table)
            assert found, table
            assert {str(row["merchant_id"]) for row in found} == {scope.merchant_id}, table
        for table in (*OF_MERCHANT_ALONE, *OF_OPERATOR):
            assert await all_of(connection, table) == [], table
        # Of the merchant's, a vendor sees what its agents were asked, and itself.
        assert [row["check_id"] for row in await all_of(connection, "checks")] == ["own-check"]
        assert {row["question_id"] for row in await all_of(connection, "questions")} == {
            "own-question",
            "own-withdrawn",
        }
        assert len(await all_of(connection, "question_withdrawals")) == 1
        assert [row["name"] for row in await all_of(connection, "vendors")] == ["Hoa Sen BPO"]


async def test_nothing_of_others_comes_out_of_any_statement(
    database: Database, world: World
) -> None:
    """Not by a join, not by a count, not by an error that quotes a value."""
    scope = world.own.scope
    async with database.read(scope) as connection:
        own = len(await all_of(connection, "interactions"))
        for statement in (
            "SELECT count(*) FROM interactions",
            "SELECT count(*) FROM interactions AS one JOIN engagements AS e USING (engagement_id)",
            "SELECT count(*) FROM ONLY interactions AS i RIGHT JOIN interactions AS j ON true",
            "WITH all_rows AS MATERIALIZED (SELECT * FROM interactions) SELECT count(*) FROM all_rows",
            "SELECT max(count) FROM (SELECT count(*) OVER () FROM interactions) AS counted",
        ):
            assert await connection.scalar(text(statement)) == own, statement
        # Evaluated on a rival's row, the cast would fail and tell its id.
        leak = (
            "SELECT count(*) FROM interactions WHERE replace(interaction_id, 'own-', '')::int > 0"
        )
        assert await connection.scalar(text(leak)) == own


async def test_partitions_are_no_way_round(database: Database, world: World) -> None:
    for part in range(16):
        with pytest.raises(ProgrammingError, match="permission denied"):
            await _run(database, world.own.scope.reach, f"SELECT * FROM interactions_p{part:02}")  # noqa: S608  names of our own


async def test_without_settings_there_is_nothing(nobody: AsyncConnection, world: World) -> None:
    for table in EVERYTHING:
        assert await all_of(nobody, table) == [], table


@pytest.mark.parametrize("whose", ["engagement", "merchant", "nobody", "operator"])
async def test_a_row_of_somebody_else_is_not_written(
    database: Database, world: World, whose: str
) -> None:
    """Neither a rival's nor a stranger's, into any table."""
    scope = world.own.scope
    reaches = {
        "engagement": scope.reach,
        "merchant": scope.of_merchant().reach,
        "nobody": Reach(),
        "operator": OPERATOR,
    }
    by_operator = {"merchants", "vendors", "engagements", *OF_OPERATOR}
    of_merchant = {*OF_MERCHANT, *OF_MERCHANT_ALONE}
    for other in (world.rival, world.stranger):
        for table in EVERYTHING:
            if whose == "operator" and table in by_operator:
                continue
            if other is world.rival and table in of_merchant and whose == "merchant":
                continue  # it is the merchant's own
            where, value = "engagement_id", other.scope.engagement_id
            if table in of_merchant:
                where, value = "merchant_id", other.scope.merchant_id
            row = (await owners_rows(database, table, where, value))[0]
            with pytest.raises(ProgrammingError, match="row-level security") as raised:
                await insert(database, reaches[whose], table, row)
            assert value not in str(raised.value)


async def test_what_refers_to_the_merchant_names_ones_own(database: Database, world: World) -> None:
    """An assignment of ours to a stranger's check would be a bridge."""
    scope, strange = world.own.scope, world.stranger.scope.merchant_id
    for table in ("assignments", "quality_reviews", "api_keys"):
        [row, *_] = await owners_rows(database, table, "engagement_id", scope.engagement_id)
        borrowed = row.replace(scope.merchant_id, strange)
        with pytest.raises(ProgrammingError, match="row-level security"):
            await insert(database, scope.of_merchant().reach, table, borrowed)


async def test_rows_of_others_are_not_changed(database: Database, world: World) -> None:
    """Nor locked: a lock that waits tells, too."""
    scope = world.own.scope
    changes = {
        "interactions": "in_force = false",
        "agents": "name = 'x'",
        "api_keys": "revoked_at = 1",
        "engagements": "upload_sequence = 99",
        "assignments": "excused = 'x'",
        "closing_rules": "approval = 'automatic'",
        "issuances": "state = 'issued'",
    }
    async with database.write(scope) as connection:
        for table, change in changes.items():
            changed = await connection.execute(
                text(f"UPDATE {table} SET {change} RETURNING engagement_id")  # noqa: S608  names of our own
            )
            assert {str(each) for each in changed.scalars()} == {scope.engagement_id}, table
            locked = await connection.execute(
                text(f"SELECT engagement_id FROM {table} FOR NO KEY UPDATE")  # noqa: S608  names of our own
            )
            assert {str(each) for each in locked.scalars()} == {scope.engagement_id}, table
        assert (await connection.execute(text("SELECT * FROM merchants FOR UPDATE"))).all() == []


async def test_nothing_is_deleted(database: Database, world: World) -> None:
    for statement in ("DELETE FROM", "TRUNCATE"):
        for table in EVERYTHING:
            with pytest.raises(ProgrammingError, match="permission denied"):
                await _run(database, world.own.scope.of_merchant().reach, f"{statement} {table}")


async def test_the_merchant_sees_what_is_its_own(database: Database, world: World) -> None:
    scope = world.own.scope
    async with database.read(scope.of_merchant()) as connection:
        checks = await all_of(connection, "checks")
        assert sorted(row["check_id"] for row in checks) == ["own-check", "rival-check"]
        for table in OF_OPERATOR:
            assert await all_of(connection, table) == [], table
        for table in OF_MERCHANT_ALONE:
            seen = {str(row["engagement_id"]) for row in await all_of(connection, table)}
            assert seen == {scope.engagement_id, world.rival.scope.engagement_id}, table
        found = await all_of(connection, "interactions")
        seen = {str(row["engagement_id"]) for row in found}
        assert seen == {scope.engagement_id, world.rival.scope.engagement_id}
        for table in set(OF_ENGAGEMENT) - {"interactions", "engagements"}:
            found = await all_of(connection, table)
            assert {str(row["engagement_id"]) for row in found} == {scope.engagement_id}, table


async def test_the_widening_ends_with_its_block(database: Database, world: World) -> None:
    scope = world.own.scope

    async def engagements(connection: AsyncConnection) -> int:
        return len({row["engagement_id"] for row in await all_of(connection, "interactions")})

    async with database.read(scope) as connection:
        async with wall.widened(connection, scope):
            assert await engagements(connection) == 2
        assert await engagements(connection) == 1
        with pytest.raises(ZeroDivisionError):
            async with wall.widened(connection, scope):
                raise ZeroDivisionError
        assert await engagements(connection) == 1


async def test_a_key_is_looked_up_and_nothing_else(database: Database, world: World) -> None:
    async with database.read_as_owner() as connection:
        key_id = (await all_of(connection, "api_keys"))[0]["key_id"]

    async def look(connection: AsyncConnection) -> None:
        assert [row["key_id"] for row in await all_of(connection, "api_keys")] == [key_id]
        for table in set(EVERYTHING) - {"api_keys"}:
            assert await all_of(connection, table) == [], table

    await database.read_key(key_id, look)


async def test_the_operator_sees_who_works_for_whom_and_what_is_due(
    database: Database, world: World
) -> None:
    seen = {"merchants": 2, "vendors": 3, "engagements": 3, "scorecards": 6, "deliveries": 3}
    seen |= {"closing_rules": 3, "issuances": 3, "notices": 3, "policies": 6}
    seen["alarms"] = 3  # a month each
    async with database.read_as_operator() as connection:
        for table in EVERYTHING:
            assert len(await all_of(connection, table)) == seen.get(table, 0), table


@pytest.mark.parametrize("wide", [False, True])
async def test_a_connection_goes_back_as_it_came(
    database: Database, world: World, wide: bool
) -> None:
    """Whether its transaction was committed or not."""
    scope = world.own.scope
    whose: Scope | MerchantScope = scope.of_merchant() if wide else scope
    for fails in (False, True):
        try:
            async with database.write(whose) as connection:
                await connection.execute(text("SELECT 1 / :by"), {"by": int(not fails)})
        except DBAPIError:
            assert fails
        async with database.read_as_owner() as connection:
            settings = ", ".join(f"current_setting('{name}', true)" for name in wall.SETTINGS)
            found = await connection.execute(text(f"SELECT current_user, {settings}"))
            user, *values = found.one()
        assert (user, set(values)) == ("postgres", {""})
