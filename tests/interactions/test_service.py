"""Receiving an upload as a use case: at once from two processes, and when something breaks."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sample_logs import ndjson, row
from stopped_clock import StoppedClock
from vendorwatch.db.engine import Database
from vendorwatch.db.objects import ObjectStore
from vendorwatch.errors import NotFound
from vendorwatch.interactions import service
from vendorwatch.interactions.formats.faults import TooManyRows
from vendorwatch.interactions.intake import pseudonym_key
from vendorwatch.interactions.model import Filter, Limits, UploadRequest
from vendorwatch.interactions.revision import Revision
from vendorwatch.vendors.model import Engagement

REQUEST = UploadRequest(media="ndjson", content_type="application/x-ndjson")
SECRET = b"of the server"


class Vendor:
    """Sends logs of one engagement, as one process would."""

    def __init__(
        self, database: Database, objects: ObjectStore, engagement: Engagement, now: int
    ) -> None:
        self.database, self.objects, self.scope, self.now = database, objects, engagement.scope, now

    async def send(
        self,
        body: bytes,
        request: UploadRequest = REQUEST,
        *,
        limits: Limits = Limits(),  # noqa: B008  frozen
        break_before_commit: bool = False,
    ) -> service.Outcome:
        with self.objects.draft(self.scope) as draft:
            draft.write(body)
            async with self.database.write() as connection:
                outcome = await service.receive_upload(
                    connection,
                    self.scope,
                    request,
                    draft,
                    secret=SECRET,
                    now=self.now,
                    limits=limits,
                )
                if break_before_commit:
                    raise ConnectionError
        return outcome

    async def in_force(self) -> list[Revision]:
        async with self.database.read() as connection:
            return await service.list_interactions(
                connection, self.scope, Filter(), after=None, limit=500
            )

    async def uploads(self) -> int:
        async with self.database.read() as connection:
            return len(await service.list_uploads(connection, self.scope, before=None, limit=500))


@pytest.fixture
def objects(tmp_path: Path) -> ObjectStore:
    return ObjectStore(tmp_path / "objects")


@pytest.fixture
def vendor(
    database: Database, objects: ObjectStore, engagement: Engagement, clock: StoppedClock
) -> Vendor:
    return Vendor(database, objects, engagement, clock())


@pytest.fixture
async def second(
    database_url: str, objects: ObjectStore, engagement: Engagement, clock: StoppedClock
) -> AsyncIterator[Vendor]:
    """Another process: it shares nothing with the first but the database and the folder."""
    database = Database(database_url)
    yield Vendor(database, objects, engagement, clock())
    await database.close()


async def test_the_same_upload_at_once_from_two_processes_has_one_effect(
    vendor: Vendor, second: Vendor
) -> None:
    body = ndjson(row(n) for n in range(30))
    both = await asyncio.gather(*(v.send(body) for v in (vendor, second, vendor, second)))
    assert sorted(outcome.replayed for outcome in both) == [False, True, True, True]
    assert len({outcome.upload.receipt_sha256 for outcome in both}) == 1
    assert await vendor.uploads() == 1
    assert len(await vendor.in_force()) == 30


async def test_different_uploads_at_once_are_put_in_a_row(vendor: Vendor, second: Vendor) -> None:
    outcomes = await asyncio.gather(
        *((vendor, second)[n % 2].send(ndjson([row(n), row(99, topic=f"t{n}")])) for n in range(6))
    )
    receipts = sorted((o.upload.receipt for o in outcomes), key=lambda each: each.sequence)
    assert [receipt.sequence for receipt in receipts] == [1, 2, 3, 4, 5, 6]
    for before, after in itertools.pairwise(receipts):
        assert after.previous_sha256 == before.receipt_sha256()
    assert sum(receipt.created for receipt in receipts) == 7
    newest = next(each for each in await vendor.in_force() if each.interaction_id == "T-99")
    assert newest.upload_id == receipts[-1].upload_id


async def test_what_breaks_before_the_commit_leaves_nothing_and_can_be_sent_again(
    vendor: Vendor,
) -> None:
    body = ndjson([row(1), row(2, opened_at="?")])
    with pytest.raises(ConnectionError):
        await vendor.send(body, break_before_commit=True)
    assert await vendor.uploads() == 0
    assert await vendor.in_force() == []
    outcome = await vendor.send(body)
    assert not outcome.replayed
    assert (outcome.upload.receipt.sequence, outcome.upload.receipt.created) == (1, 1)


async def test_the_bytes_are_kept_before_the_receipt_is(
    vendor: Vendor, objects: ObjectStore
) -> None:
    body = ndjson([row(1)])
    outcome = await vendor.send(body)
    path = objects.path(vendor.scope, outcome.upload.receipt.sha256)
    assert path.read_bytes() == body
    assert [each.name for each in path.parent.iterdir()] == [path.name]


async def test_a_file_over_the_limits_stores_no_row(vendor: Vendor) -> None:
    body = ndjson(row(n) for n in range(11))
    with pytest.raises(TooManyRows):
        await vendor.send(body, limits=Limits(rows=10))
    assert await vendor.in_force() == []
    assert (await vendor.send(body, limits=Limits(rows=11))).upload.receipt.created == 11


async def test_one_customer_is_the_same_to_all_vendors_of_a_merchant_and_to_nobody_else(
    vendor: Vendor,
    database: Database,
    objects: ObjectStore,
    rival: Engagement,
    stranger: Engagement,
) -> None:
    body = ndjson([row(1, customer_ref="minh", order_ref="minh")])
    found = []
    for sender in (
        vendor,
        Vendor(database, objects, rival, vendor.now),
        Vendor(database, objects, stranger, vendor.now),
    ):
        await sender.send(body)
        found += [each.customer_ref for each in await sender.in_force()]
    assert found[0] == found[1] != found[2]
    assert pseudonym_key(b"a", b"m") != pseudonym_key(b"b", b"m")


async def test_events_override_claims_and_both_are_kept(vendor: Vendor) -> None:
    events = [
        {"at": "2026-10-01T09:01:00+07:00", "type": "message", "actor": "customer"},
        {"at": "2026-10-01T11:00:00+07:00", "type": "message", "actor": "agent", "agent_id": "an"},
    ]
    outcome = await vendor.send(ndjson([row(1, events=events, resolved_at=None, status="open")]))
    assert outcome.upload.receipt.claims_differ == 1
    (shown,) = await vendor.in_force()
    assert shown.first_reply_at == "2026-10-01T04:00:00Z"
    assert shown.claims["first_reply_at"]["claimed"] == "2026-10-01T03:05:00Z"
    assert shown.events[1]["at"] == "2026-10-01T04:00:00Z"


async def test_ids_that_are_no_ids_are_not_found(vendor: Vendor) -> None:
    async with vendor.database.read() as connection:
        for upload_id in ("x", "", "0" * 32, "'; --"):
            with pytest.raises(NotFound):
                await service.find_upload(connection, vendor.scope, upload_id)
