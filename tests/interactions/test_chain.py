"""Whoever removes, reorders or alters a receipt, a source or a row is named, upload by upload."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, text

from sample_logs import ndjson, row
from stopped_clock import StoppedClock
from vendorwatch.db.engine import Database
from vendorwatch.db.objects import ObjectStore
from vendorwatch.db.scope import Scope
from vendorwatch.interactions import reception
from vendorwatch.interactions.model import Limits, UploadRequest
from vendorwatch.interactions.quota import DailyQuota
from vendorwatch.interactions.readers import Readers
from vendorwatch.interactions.verification import Verified, verify_uploads
from vendorwatch.settings import Bounds, Settings
from vendorwatch.vendors.model import Engagement

REQUEST = UploadRequest(media="ndjson", content_type="application/x-ndjson")
BODIES = [
    ndjson([row(1), row(2), row(3, opened_at="?")]),
    ndjson([row(2, topic="sizing"), row(4)]),
    ndjson([row(4), row(5)]),
    ndjson([row(6, opened_at="?")]),
]


class Log:
    """Four uploads of one engagement, the third with a duplicate, the last with refused rows only."""

    def __init__(self, database: Database, objects: ObjectStore, scope: Scope) -> None:
        self.database, self.objects, self.scope = database, objects, scope
        self.receipts: list[Any] = []

    async def send_all(self, now: int) -> None:
        readers = Readers()
        for body in BODIES:
            with self.objects.draft(self.scope) as draft:
                draft.write(body)
                outcome = await reception.receive_upload(
                    self.database,
                    self.scope,
                    REQUEST,
                    draft,
                    secret=b"s",
                    now=now,
                    limits=Limits(),
                    quota=DailyQuota(Bounds()),
                    readers=readers,
                )
            self.receipts.append(outcome.upload.receipt)

    def source(self, number: int) -> Path:
        return self.objects.path(self.scope, self.receipts[number - 1].sha256)

    async def verified(self) -> Verified:
        return await verify_uploads(self.database, self.objects, self.scope)

    async def found(self) -> list[tuple[int | None, str]]:
        return [(each.sequence, each.code) for each in (await self.verified()).findings]


def meddle(database_url: str, *statements: str) -> None:
    """As somebody who has the database, and asks nobody."""
    url = make_url(database_url)
    driver = "postgresql+psycopg" if url.get_backend_name() == "postgresql" else "sqlite"
    engine = create_engine(url.set(drivername=driver))
    try:
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))
    finally:
        engine.dispose()


@pytest.fixture
async def log(
    database: Database, engagement: Engagement, settings: Settings, clock: StoppedClock
) -> Log:
    objects = ObjectStore(settings.data_dir / "uploads")
    made = Log(database, objects, engagement.scope)
    await made.send_all(clock())
    return made


async def test_what_was_received_and_left_alone_is_intact(log: Log) -> None:
    found = await log.verified()
    assert found.findings == ()
    assert (found.uploads, found.rows) == (4, 5)


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        pytest.param(
            ["DELETE FROM uploads WHERE sequence = 2"],
            [(2, "receipt_removed"), (2, "rows_added"), (3, "chain_broken")],
            id="a receipt is removed",
        ),
        pytest.param(
            ["DELETE FROM uploads WHERE sequence = 4", "DELETE FROM rejects"],
            [(1, "rejects_removed"), (4, "receipt_removed")],
            id="the newest receipt is removed with its rows",
        ),
        pytest.param(
            [
                "UPDATE uploads SET sequence = 99 WHERE sequence = 2",
                "UPDATE uploads SET sequence = 2 WHERE sequence = 3",
                "UPDATE uploads SET sequence = 3 WHERE sequence = 99",
            ],
            [
                (2, "receipt_reordered"),
                (2, "chain_broken"),
                (2, "rows_added"),
                (3, "receipt_reordered"),
                (3, "chain_broken"),
                (3, "rows_removed"),
                (4, "chain_broken"),
            ],
            id="two receipts change places",
        ),
        pytest.param(
            ["UPDATE uploads SET rejected = 0, received = 2 WHERE sequence = 1"],
            [(1, "receipt_altered"), (1, "rejects_added")],
            id="a receipt is altered",
        ),
        pytest.param(
            ["UPDATE uploads SET claims_differ = 7 WHERE sequence = 3"],
            [(3, "receipt_altered")],
            id="a receipt is altered where no row tells",
        ),
        pytest.param(
            ["UPDATE uploads SET receipt_sha256 = previous_sha256 WHERE sequence = 3"],
            [(3, "receipt_altered"), (4, "chain_broken")],
            id="a hash is altered",
        ),
        pytest.param(
            ["DELETE FROM interactions WHERE interaction_id = 'T-5'"],
            [(3, "rows_removed")],
            id="a row is removed",
        ),
        pytest.param(
            ["UPDATE interactions SET first_reply_at = opened_at WHERE interaction_id = 'T-4'"],
            [(2, "row_altered")],
            id="a row is altered",
        ),
        pytest.param(
            ["UPDATE interactions SET upload_sequence = 3 WHERE interaction_id = 'T-4'"],
            [(2, "rows_removed"), (3, "rows_added")],
            id="a row is moved to another upload",
        ),
        pytest.param(
            [
                "UPDATE interactions SET in_force = false WHERE interaction_id = 'T-2'",
                "UPDATE interactions SET in_force = true WHERE row_number = 2 AND topic = 'returns'",
            ],
            [(1, "wrong_in_force"), (2, "wrong_in_force")],
            id="an older revision is made to count",
        ),
        pytest.param(
            ["DELETE FROM rejects WHERE upload_sequence = 4"],
            [(4, "rejects_removed")],
            id="a refused row is removed",
        ),
    ],
)
async def test_what_was_done_to_the_database_is_named(
    log: Log, database_url: str, statements: list[str], expected: list[tuple[int, str]]
) -> None:
    meddle(database_url, *statements)
    assert sorted(await log.found()) == sorted(expected)


async def test_what_was_done_to_a_stored_file_is_named(log: Log) -> None:
    log.source(2).unlink()
    log.source(3).write_bytes(log.source(3).read_bytes().replace(b"T-5", b"T-7"))
    assert await log.found() == [(2, "source_missing"), (3, "source_altered")]


@pytest.fixture
def sent(command: Any) -> str:
    """For commands, which run their own event loop."""
    made = command(
        "engagement", "create", "--merchant", "M", "--vendor", "V", "--time-zone", "UTC", "--json"
    )
    return str(made.json["engagement_id"])


def test_the_command_says_whether_all_is_as_it_was_received(command: Any, sent: str) -> None:
    for arguments in ((), ("--engagement", sent), ("--all",)):
        ran = command("verify", "--uploads", *arguments, "--json")
        assert ran.exit_code == 0
        (found,) = ran.json["engagements"]
        assert found == {"engagement_id": sent, "uploads": 0, "rows": 0, "findings": []}
    told = command("verify", "--uploads")
    assert "0 uploads, 0 rows: nothing wrong" in told.out
    assert command("verify", "--uploads", "--month", "2026-10").exit_code == 2


def test_the_command_names_what_is_wrong_and_fails(
    command: Any, sent: str, database_url: str
) -> None:
    meddle(database_url, "UPDATE engagements SET upload_sequence = 1")
    ran = command("verify", "--uploads", "--engagement", sent, "--json")
    assert ran.exit_code == 1
    (finding,) = ran.json["engagements"][0]["findings"]
    assert (finding["sequence"], finding["code"]) == (1, "receipt_removed")
    told = command("verify", "--uploads")
    assert told.exit_code == 1
    assert "upload 1: receipt_removed" in told.out


async def test_the_command_says_where_it_looked_for_files_that_are_gone(
    command: Any, log: Log, settings: Settings
) -> None:
    log.source(2).unlink()
    told = await asyncio.to_thread(command, "verify", "--uploads")
    assert told.exit_code == 1
    assert "upload 2: source_missing" in told.out
    assert f"looked for in {settings.data_dir / 'uploads'} (VENDORWATCH_DATA_DIR)" in told.err
