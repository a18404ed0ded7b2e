"""Records come out of either database as they were put in, and as they were known at any time."""

import asyncio
import gc
import hashlib
import random
from typing import Any, Literal, get_args, get_origin, get_type_hints

import httpx
import polars as pl
import psycopg
import pytest
from polars.testing import assert_frame_equal
from sqlalchemy import insert, text

from conftest import MakeKey
from sample_logs import ndjson, row
from vendorwatch.db import migrate, models
from vendorwatch.db.engine import Database, DatabaseUnavailable
from vendorwatch.interactions.record import Interaction
from vendorwatch.periods import DAY, SECOND, Month, load_zone
from vendorwatch.scorecards.reading import Asked, Records, read
from vendorwatch.scoring.frames import CONTACTS, INTERACTIONS
from vendorwatch.vendors.model import Engagement

START, END = Month.parse("2026-10").bounds(load_zone("Asia/Ho_Chi_Minh"))
AS_OF = END + 7 * DAY
HOUR = 3_600 * SECOND
HIGHEST = 2**62


def digest(of: object) -> bytes:
    return hashlib.sha256(str(of).encode()).digest()


def record(name: str, **changes: object) -> dict[str, Any]:
    """A row of the table with as many nulls as it may have."""
    nothing = {column.name: None for column in models.Interaction.__table__.columns}
    return {
        **nothing,
        "source_account": "",
        "interaction_id": name,
        "content_sha256": digest(name),
        "in_force": True,
        "upload_sequence": 1,
        "row_number": 1,
        "source_system": "",
        "channel": "email",
        "direction": "inbound",
        "status": "open",
        "opened_at": START,
        "first_reply_known": False,
        "resolution_known": True,
        "resolved_by": "unknown",
        **changes,
    }


async def put(database: Database, engagement: Engagement, *rows: dict[str, Any]) -> None:
    named = [each | {"engagement_id": engagement.engagement_id} for each in rows]
    async with database.write_as_owner() as connection:
        await connection.execute(insert(models.Interaction), named)


async def records(
    database: Database,
    engagement: Engagement,
    *others: Engagement,
    as_of: int = AS_OF,
    known: int | None = None,
) -> Records:
    everyone = {each.engagement_id: each.vendor_id for each in (engagement, *others)}
    asked = Asked(
        engagement_id=engagement.engagement_id,
        vendor_of=everyone,
        known=dict.fromkeys(everyone) | {engagement.engagement_id: known},
        start=START,
        end=END,
        as_of=as_of,
    )
    async with database.read(engagement.scope.of_merchant()) as connection:
        return await read(connection, asked)


def expected(rows: list[dict[str, Any]], columns: Any) -> pl.DataFrame:
    cells = [[each[name] for name in columns] for each in rows]
    return pl.DataFrame(cells, schema=columns, orient="row")


FILLED: dict[str, Any] = {
    "priority": "low",
    "first_reply_at": START + 1,
    "abandoned_at": HIGHEST + 1,
    "agent_id": "Lê Thị Hồng \N{PERSON WITH BALL}",
    "first_reply_agent_id": "\"\\'\x1f\n\u2028null",
    "resolved_by_agent_id": "null",
    "customer_ref": bytes(32),
    "order_ref": b'"\\\0\xff' * 8,
    "topic": "",
    "reopens": 32_767,
    "handovers": 0,
    "csat": 5,
    "next_replies": "[[1,2],[3,null]]",
    "first_reply_known": True,
    "resolution_known": False,
}


def words_of(name: str) -> list[str]:
    """That a record may have there."""
    found = get_type_hints(Interaction)[name]
    literals = (found,) if get_origin(found) is Literal else get_args(found)
    return [word for each in literals for word in get_args(each)]


EVERY_WORD = [
    {name: word}
    for name in ("channel", "direction", "status", "priority", "resolved_by")
    for word in words_of(name)
]


async def test_rows_come_out_as_they_went_in(database: Database, engagement: Engagement) -> None:
    """Nulls first, then values, empty texts, any character, and columns without a single value."""
    rows = [
        record("1"),
        record("2", **FILLED),
        record("3", order_ref=digest("order"), csat_at=-HIGHEST - 1),
        record("4", source_account="é", channel="phone", reopens=0),
        record("5", priority="urgent", reopens=-32_768, handovers=32_767, csat=1),
        record("6", first_reply_known=True, resolution_known=True, reopens=32_767),
        *(record(f"word {at}", **words) for at, words in enumerate(EVERY_WORD)),
    ]
    await put(database, engagement, *rows)
    found = await records(database, engagement)
    assert_frame_equal(
        found.interactions.sort("interaction_id"),
        expected(rows, INTERACTIONS).sort("interaction_id"),
        check_exact=True,
    )
    assert found.received == len(rows)
    assert found.contacts.schema == pl.Schema(CONTACTS)


@pytest.mark.parametrize("account", ["", "é shop"])
async def test_the_account_of_all_rows_is_in_each(
    database: Database, engagement: Engagement, rival: Engagement, account: str
) -> None:
    an = digest("An")
    rows = [record(str(n), source_account=account, customer_ref=an) for n in range(3)]
    rows[2]["opened_at"] = END
    await put(database, engagement, *rows)
    await put(database, rival, record("3", source_account="another", customer_ref=an))
    found = await records(database, engagement, rival)
    assert found.interactions["source_account"].to_list() == [account] * 2
    assert sorted(found.contacts["source_account"]) == sorted([account, "another"])


@pytest.mark.parametrize("changes", [{"channel": "fax"}, {"priority": ""}, {"resolved_by": "bot"}])
async def test_a_word_that_no_record_may_have_is_never_taken_for_another(
    database: Database, engagement: Engagement, changes: dict[str, str]
) -> None:
    await put(database, engagement, record("1", **changes), record("2"))
    with pytest.raises((ValueError, pl.exceptions.InvalidOperationError)):
        await records(database, engagement)


async def test_rows_of_before_the_packed_column_come_out_as_they_went_in(
    database: Database, engagement: Engagement
) -> None:
    await migrate.downgrade(database, to="0012")
    rows = [record("1", **FILLED), record("2", channel="phone"), record("3", in_force=False)]
    await put(database, engagement, *rows)
    await migrate.upgrade(database)
    found = await records(database, engagement)
    assert_frame_equal(
        found.interactions.sort("interaction_id"),
        expected(rows[:2], INTERACTIONS),
        check_exact=True,
    )


async def test_nothing_is_a_frame_without_rows(database: Database, engagement: Engagement) -> None:
    found = await records(database, engagement)
    assert_frame_equal(found.interactions, pl.DataFrame(schema=INTERACTIONS))
    assert_frame_equal(found.contacts, pl.DataFrame(schema=CONTACTS))
    assert found.received == 0


async def test_a_month_is_half_open(database: Database, engagement: Engagement) -> None:
    times = {"before": START - 1, "first": START, "last": END - 1, "after": END}
    await put(database, engagement, *(record(name, opened_at=at) for name, at in times.items()))
    found = await records(database, engagement, as_of=END - 1)
    assert sorted(found.interactions["interaction_id"]) == ["first", "last"]
    assert found.received == 3


@pytest.mark.parametrize("engine_name", ["sqlite"])  # the other one reads it all at once
async def test_a_long_month_comes_whole(database: Database, engagement: Engagement) -> None:
    """It is read in windows of time: none is left out, none is read twice."""
    number, step = 64_000, (END - START) // 64_000  # rows stand exactly where windows meet
    names = ("engagement_id", "interaction_id", "content_sha256", "opened_at")
    same = {name: value for name, value in record("").items() if name not in names}
    columns = ", ".join(f'"{name}"' for name in (*names, *same))
    given = ", ".join(f":{name}" for name in same)
    async with database.write_as_owner() as connection:
        await connection.execute(
            text(
                "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT :number) "  # noqa: S608  our own names
                f"INSERT INTO interactions ({columns}) "
                f"SELECT :owner, i, CAST(i AS BLOB), :start + i * :step, {given} FROM n"
            ),
            same
            | {"number": number, "start": START, "step": step}
            | {"owner": engagement.engagement_id.replace("-", "")},
        )
    found = (await records(database, engagement)).interactions.sort("opened_at")
    assert found["interaction_id"].to_list() == [str(each) for each in range(number)]
    assert found["content_sha256"].to_list() == [str(each).encode() for each in range(number)]
    assert found["opened_at"].to_list() == [START + each * step for each in range(number)]


async def test_contacts_are_those_of_customers_elsewhere(
    database: Database, engagement: Engagement, rival: Engagement, stranger: Engagement
) -> None:
    an = digest("An")
    await put(
        database,
        engagement,
        record("own", customer_ref=an),
        record("own, anonymous"),
        record("own, before", customer_ref=an, opened_at=START - 1),
        record("own, after", customer_ref=an, opened_at=END, topic="returns"),
        record("own, as of", customer_ref=an, opened_at=AS_OF),
        record("own, too late", customer_ref=an, opened_at=AS_OF + 1),
        record("own, after, anonymous", opened_at=END),
    )
    theirs = [
        record("rival's", customer_ref=an, first_reply_known=True),
        record("rival's, before", customer_ref=an, opened_at=START - 1),
        record("rival's, after", customer_ref=an, opened_at=END + HOUR, order_ref=digest("order")),
        record("rival's, somebody else", customer_ref=digest("Bình")),
        record("rival's, anonymous"),
        record("rival's, beaten", customer_ref=an, in_force=False),
    ]
    await put(database, rival, *theirs)
    await put(database, stranger, record("stranger's", customer_ref=an))
    found = await records(database, engagement, rival)
    assert sorted(found.interactions["interaction_id"]) == ["own", "own, anonymous"]
    contacts = found.contacts.sort("interaction_id")
    assert contacts["interaction_id"].to_list() == [
        "own, after",
        "own, as of",
        "rival's",
        "rival's, after",
        "rival's, somebody else",
    ]
    assert contacts["vendor_id"].to_list() == [engagement.vendor_id] * 2 + [rival.vendor_id] * 3
    of_rival = [each | {"vendor_id": rival.vendor_id} for each in (theirs[0], *theirs[2:4])]
    assert_frame_equal(contacts[2:], expected(of_rival, CONTACTS), check_exact=True)


async def test_before_the_month_s_end_there_are_no_own_contacts_yet(
    database: Database, engagement: Engagement, rival: Engagement
) -> None:
    an = digest("An")
    await put(database, engagement, record("own", customer_ref=an))
    await put(database, engagement, record("later", customer_ref=an, opened_at=END))
    await put(database, rival, record("rival's", customer_ref=an, opened_at=START + HOUR))
    found = await records(database, engagement, rival, as_of=START + HOUR)
    assert found.contacts["interaction_id"].to_list() == ["rival's"]


@pytest.mark.parametrize("seed", [1, 2])
async def test_an_earlier_state_is_what_was_read_then(
    seed: int,
    client: httpx.AsyncClient,
    database: Database,
    engagement: Engagement,
    rival: Engagement,
    key: MakeKey,
) -> None:
    """Uploads with corrections, stale ones, ties, moves to another month: as receiving settles."""
    dice = random.Random(seed)
    client.headers["Authorization"] = f"Bearer {await key()}"
    client.headers["Content-Type"] = "application/x-ndjson"
    await put(database, rival, record("rival's", customer_ref=digest("An")))
    then = [await records(database, engagement, rival)]
    for _ in range(7):
        sent = [revision(dice) for _ in range(8)]
        answer = await client.post("/v1/uploads", content=ndjson(sent))
        assert answer.status_code == 201, answer.text
        then.append(await records(database, engagement, rival))
    for known, found in enumerate(then):
        again = await records(database, engagement, rival, known=known)
        order = ["source_account", "interaction_id"]
        assert_frame_equal(again.interactions.sort(order), found.interactions.sort(order))
        assert_frame_equal(again.contacts.sort(order), found.contacts.sort(order))
        assert again.received == found.received
    assert len({found.received for found in then}) > 2
    assert then[-1].interactions.height > 5


def revision(dice: random.Random) -> dict[str, object]:
    day = dice.choice(["2026-09-29", "2026-10-02", "2026-10-20", "2026-11-01"])
    updated = dice.choice([None, "2026-11-01T00:00:00Z", "2026-11-01T01:00:00Z"])
    return row(
        dice.randrange(12),
        opened_at=f"{day}T09:00:00+07:00",
        first_reply_at=None,
        resolved_at=None,
        status="open",
        source_updated_at=updated,
        customer_ref=f"customer {dice.randrange(4)}",
        source_account=dice.choice(["", "", "second"]),
        topic=dice.choice(["returns", "sizing", None]),
    )


@pytest.mark.parametrize("engine_name", ["postgresql"])  # the other one has a single connection
async def test_all_of_it_is_read_from_one_snapshot(
    database: Database, engagement: Engagement
) -> None:
    await put(database, engagement, record("1"))
    asked = Asked(
        engagement_id=engagement.engagement_id,
        vendor_of={engagement.engagement_id: engagement.vendor_id},
        known={engagement.engagement_id: None},
        start=START,
        end=END,
        as_of=AS_OF,
    )
    async with database.read_as_owner() as connection:
        await connection.execute(text("SELECT count(*) FROM interactions"))
        await put(database, engagement, record("2"))
        found = await read(connection, asked)
    assert found.interactions["interaction_id"].to_list() == ["1"]
    assert found.received == 1


WAITING = """
    CREATE FUNCTION has_waited() RETURNS boolean LANGUAGE plpgsql AS $$
    BEGIN
        IF current_query() LIKE '%next_replies%' THEN
            PERFORM pg_advisory_lock_shared(1);
        END IF;
        RETURN true;
    END $$;
    CREATE POLICY waiting ON interactions AS RESTRICTIVE FOR SELECT USING (has_waited());
"""


@pytest.mark.parametrize("engine_name", ["postgresql"])
async def test_a_connection_that_is_cut_is_an_outage_and_leaves_none_behind(
    database: Database, database_url: str, engagement: Engagement
) -> None:
    await put(database, engagement, record("1"), record("2", opened_at=END - 1))
    untold: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: untold.append(told))
    connect = psycopg.AsyncConnection.connect
    async with (
        await connect(database_url) as writer,
        await connect(database_url, autocommit=True) as admin,
    ):
        # Each reader waits at a row, and can be cut while it does.
        await admin.execute(WAITING)
        await writer.execute("SELECT pg_advisory_lock(1)")
        reading = asyncio.create_task(records(database, engagement))
        waits = "wait_event_type = 'Lock' AND query LIKE '%next_replies%'"
        await _until(admin, "count(*) = 2", waits)
        await _until(admin, "bool_or(pg_terminate_backend(pid))", waits)
        await writer.execute("SELECT pg_advisory_unlock(1)")
        with pytest.raises(DatabaseUnavailable):
            await reading
        del reading
        await asyncio.sleep(0)  # the loop lets go of it, too
        gc.collect()
        assert untold == []  # of what the other reader met
        await writer.close()
        assert (await records(database, engagement)).received == 2
        await database.close()
        await _until(admin, "count(*) = 0", "true")


async def _until(admin: psycopg.AsyncConnection[Any], what: str, which: str) -> None:
    """Waits until it holds of the other connections to this database; a hung test is ended."""
    statement = (
        f"SELECT {what} FROM pg_stat_activity WHERE datname = current_database() "  # noqa: S608  ours
        f"AND pid <> pg_backend_pid() AND {which}"
    )
    while not (await (await admin.execute(statement)).fetchone() or (False,))[0]:  # noqa: ASYNC110  another process decides
        await asyncio.sleep(0.01)
