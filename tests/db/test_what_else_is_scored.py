"""Rows from before revision 0002 get what follows from their events; going back loses nothing."""

import json
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import Connection, MetaData, Table, text

from vendorwatch.db import migrate
from vendorwatch.db.engine import Database
from vendorwatch.interactions.events import Event, next_replies

PAGES = 5000  # as many rows as the migration reads at once
MERCHANT, VENDOR = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
ENGAGEMENTS = [f"33333333-3333-4333-8333-33333333333{n}" for n in range(3)]
OPENED = 1_790_000_000_000_000
Row = dict[str, Any]


def events(dice: random.Random) -> list[Row]:
    """In no order, many at one instant, some before the interaction was opened."""
    kinds: list[Row] = [{"type": "message"}, {"type": "message"}, {"type": "note"}]
    kinds += [{"type": "status", "to": "resolved"}]
    return [
        {
            "at": OPENED + dice.randint(-2, 6) * 60_000_000,
            "actor": dice.choice(["customer", "customer", "agent", "agent", "bot", "system"]),
            **dice.choice(kinds),
            **dice.choice([{}, {}, {"public": True}, {"public": False}]),
        }
        for _ in range(dice.randint(1, 14))
    ]


def interactions() -> list[Row]:
    """More than a page of the first engagement, among them ids and accounts that repeat."""
    dice = random.Random(2)
    return [
        {
            "engagement_id": ENGAGEMENTS[0] if number % 100 else dice.choice(ENGAGEMENTS[1:]),
            "source_account": dice.choice(["", "desk", "Đà Nẵng"]),
            "interaction_id": f"T-{number // 3}",
            "content_sha256": number.to_bytes(32),
            "opened_at": OPENED,
            "events": json.dumps(events(dice)) if number % 5 else None,
        }
        for number in range(PAGES * 5 // 4 + 200)
    ]


def cells(table: Table, **told: Any) -> Row:
    """What has to be in a row, whatever it is, where nothing is told."""
    made: Row = {}
    for column in table.columns:
        if column.name in told:
            made[column.name] = told[column.name]
        elif not column.nullable:
            kind = str(column.type)
            anything: dict[str, Any] = {"BOOLEAN": False, "BLOB": b"\0" * 32, "BYTEA": b"\0" * 32}
            whole = kind in {"BIGINT", "INTEGER", "SMALLINT"}
            made[column.name] = anything.get(kind, 0 if whole else "x")
    return made


def insert(connection: Connection, name: str, rows: list[Row]) -> None:
    """By plain SQL: the models are those of the newest revision."""
    table = Table(name, MetaData(), autoload_with=connection)
    full = [cells(table, **row) for row in rows]
    if connection.dialect.name == "sqlite":  # keeps an id as 32 digits
        full = [
            {
                key: value.replace("-", "") if key.endswith("_id") and len(value) == 36 else value
                for key, value in row.items()
            }
            for row in full
        ]
    names, marks = ", ".join(full[0]), ", ".join(f":{key}" for key in full[0])
    connection.execute(text(f"INSERT INTO {name} ({names}) VALUES ({marks})"), full)  # noqa: S608  our own names


def fill(connection: Connection) -> None:
    tenant = {"merchant_id": MERCHANT, "vendor_id": VENDOR}
    insert(connection, "merchants", [tenant])
    insert(connection, "vendors", [tenant])
    # A merchant and a vendor have one engagement, so that each has a vendor of its own.
    others = [VENDOR[:-1] + str(n) for n in range(3, 5)]
    insert(connection, "vendors", [tenant | {"vendor_id": each, "name": each} for each in others])
    vendors = [VENDOR, *others]
    insert(
        connection,
        "engagements",
        [
            tenant | {"engagement_id": each, "vendor_id": vendor}
            for each, vendor in zip(ENGAGEMENTS, vendors, strict=True)
        ],
    )


@pytest.fixture
async def earlier(empty_database_url: str) -> AsyncIterator[Database]:
    """At revision 0001, with three engagements."""
    database = Database(empty_database_url)
    await migrate.upgrade(database, to="0001")
    async with database.write_as_owner() as connection:
        await connection.run_sync(fill)
    yield database
    await database.close()


def followed(row: Row) -> str | None:
    if row["events"] is None:
        return None
    sent = [Event(**each) for each in json.loads(row["events"])]
    return json.dumps(next_replies(sent, row["opened_at"]), separators=(",", ":"))


async def test_what_follows_from_the_events_of_earlier_rows_is_kept(earlier: Database) -> None:
    rows = interactions()
    async with earlier.write_as_owner() as connection:
        await connection.run_sync(insert, "interactions", rows)
    await migrate.upgrade(earlier)
    query = text("SELECT content_sha256, next_replies FROM interactions")
    async with earlier.read_as_owner() as connection:
        found = {bytes(digest): told for digest, told in await connection.execute(query)}
    expected = {row["content_sha256"]: followed(row) for row in rows}
    assert found == expected
    in_first = [row for row in rows if row["events"] and row["engagement_id"] == ENGAGEMENTS[0]]
    assert PAGES < len(in_first) < 2 * PAGES
    assert len(set(expected.values())) > 30
    assert {None, "[]"} < set(expected.values())


async def test_a_full_page_is_not_the_last(earlier: Database) -> None:
    """Exactly as many rows as are read at once: none is left out, none is read for ever."""
    rows = [
        row | {"engagement_id": ENGAGEMENTS[0], "events": row["events"] or "[]"}
        for row in interactions()[:PAGES]
    ]
    async with earlier.write_as_owner() as connection:
        await connection.run_sync(insert, "interactions", rows)
    await migrate.upgrade(earlier)
    query = text("SELECT count(next_replies) FROM interactions")
    async with earlier.read_as_owner() as connection:
        assert (await connection.execute(query)).scalar_one() == PAGES


async def test_going_back_and_forth_keeps_what_follows(earlier: Database) -> None:
    rows = interactions()[:50]
    async with earlier.write_as_owner() as connection:
        await connection.run_sync(insert, "interactions", rows)
    query = text("SELECT content_sha256, next_replies FROM interactions ORDER BY content_sha256")
    await migrate.upgrade(earlier)
    async with earlier.read_as_owner() as connection:
        before = (await connection.execute(query)).all()
    await migrate.downgrade(earlier, to="0001")
    await migrate.upgrade(earlier)
    async with earlier.read_as_owner() as connection:
        assert (await connection.execute(query)).all() == before


async def test_going_back_is_refused_where_it_would_lose_rows(earlier: Database) -> None:
    await migrate.upgrade(earlier)
    merchant: Row = {"merchant_id": MERCHANT}
    engagement: Row = {"engagement_id": ENGAGEMENTS[0]}
    review = merchant | engagement | {"rubric_id": "r", "rubric_version": 1}
    question = merchant | {"question_id": "q", "version": 1}
    card = engagement | {"scorecard_id": MERCHANT, "month": "2026-10"}
    another: Row = {"scorecard_id": VENDOR, "revision": 1}
    inserted: dict[str, list[Row]] = {
        "rubrics": [merchant | {"rubric_id": "r", "version": n} for n in (1, 2)],
        "quality_reviews": [review | {"revision": n, "sequence": n} for n in (1, 2, 3)],
        "questions": [question],
        "question_withdrawals": [question],
        "scorecards": [
            card | {"basis": "{}", "document_sha256": b"\0" * 32},
            card | another | {"basis": None, "document_sha256": b"\1" * 32},
        ],
    }
    async with earlier.write_as_owner() as connection:
        for name, rows in inserted.items():
            await connection.run_sync(insert, name, rows)
    told = ["quality_reviews: 3", "rubrics: 2", "question_withdrawals: 1"]
    told.append("scorecards with a basis: 1")
    removals = ["DELETE FROM quality_reviews", "DELETE FROM rubrics"]
    removals += ["DELETE FROM question_withdrawals", "UPDATE scorecards SET basis = NULL"]
    for place, removal in enumerate(removals):
        with pytest.raises(migrate.MigrationRefused) as refused:
            await migrate.downgrade(earlier, to="0001")
        assert f"({', '.join(told[place:])})" in refused.value.detail
        await migrate.require_head(earlier)
        async with earlier.write_as_owner() as connection:
            assert (await connection.execute(text(removal))).rowcount > 0
    await migrate.downgrade(earlier, to="0001")
    async with earlier.read_as_owner() as connection:
        assert await migrate.current(connection) == "0001"
        count = await connection.execute(text("SELECT count(*) FROM scorecards"))
        assert count.scalar_one() == 2
