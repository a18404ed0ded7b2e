"""Receipts keep their hash where warnings about rows get a place, and none loses it with its place."""

from pathlib import Path

import pytest

from sample_logs import ndjson, row
from stopped_clock import StoppedClock
from vendorwatch.db import migrate
from vendorwatch.db.engine import Database
from vendorwatch.db.objects import ObjectStore
from vendorwatch.interactions import reception
from vendorwatch.interactions.model import Limits, UploadRequest
from vendorwatch.interactions.quota import DailyQuota
from vendorwatch.interactions.readers import Readers
from vendorwatch.interactions.verification import verify_uploads
from vendorwatch.settings import Bounds
from vendorwatch.vendors.model import Engagement

BEFORE = "0010"
REQUEST = UploadRequest(media="ndjson", content_type="application/x-ndjson")


class Log:
    def __init__(
        self, database: Database, folder: Path, engagement: Engagement, clock: StoppedClock
    ) -> None:
        self.database, self.objects = database, ObjectStore(folder)
        self.scope, self.clock = engagement.scope, clock

    async def send(self, **changes: object) -> None:
        with self.objects.draft(self.scope) as draft:
            draft.write(ndjson([row(1, **changes)]))
            await reception.receive_upload(
                self.database,
                self.scope,
                REQUEST,
                draft,
                secret=b"s",
                now=self.clock(),
                limits=Limits(),
                quota=DailyQuota(Bounds()),
                readers=Readers(),
            )

    async def require_as_received(self, uploads: int) -> None:
        found = await verify_uploads(self.database, self.objects, self.scope)
        assert (found.uploads, found.findings) == (uploads, ())


@pytest.fixture
def log(database: Database, tmp_path: Path, engagement: Engagement, clock: StoppedClock) -> Log:
    return Log(database, tmp_path, engagement, clock)


async def test_receipts_of_before_are_those_of_after(database: Database, log: Log) -> None:
    await log.send(topic="returns")
    await migrate.downgrade(database, to=BEFORE)
    await migrate.upgrade(database)
    await log.send(topic="linh@shop.example")
    await log.require_as_received(2)


async def test_a_downgrade_that_would_lose_warnings_is_refused(
    database: Database, log: Log
) -> None:
    await log.send(topic="linh@shop.example")
    with pytest.raises(migrate.MigrationRefused, match="uploads: 1"):
        await migrate.downgrade(database, to=BEFORE)
    await migrate.require_head(database)
    await log.require_as_received(1)
