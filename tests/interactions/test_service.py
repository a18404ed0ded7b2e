"""Receiving an upload as a use case: at once from two processes, and when something breaks."""

import asyncio
import hashlib
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from operator import itemgetter
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.pool import AsyncAdaptedQueuePool
from typing_extensions import override

from sample_logs import ndjson, row
from stopped_clock import StoppedClock
from vendorwatch.db.engine import Database, DatabaseUnavailable, Workbench
from vendorwatch.db.objects import ObjectStore
from vendorwatch.db.scope import Scope
from vendorwatch.errors import NotFound
from vendorwatch.interactions import plan, reception, service, store
from vendorwatch.interactions.batches import READING, Batch, Order
from vendorwatch.interactions.formats.faults import TooManyRows
from vendorwatch.interactions.intake import pseudonym_key
from vendorwatch.interactions.model import Filter, Limits, UploadRequest
from vendorwatch.interactions.quota import DailyQuota
from vendorwatch.interactions.readers import Readers, Reading
from vendorwatch.interactions.refusals import RowsRefused
from vendorwatch.interactions.revision import Revision
from vendorwatch.interactions.storing import Outcome
from vendorwatch.settings import Bounds
from vendorwatch.vendors import service as vendors
from vendorwatch.vendors.model import Engagement

REQUEST = UploadRequest(media="ndjson", content_type="application/x-ndjson")
SECRET = b"of the server"


class Vendor:
    """Sends logs of one engagement, as one process would."""

    def __init__(
        self,
        database: Database,
        objects: ObjectStore,
        engagement: Engagement,
        now: int,
        readers: Readers,
    ) -> None:
        self.database, self.objects, self.scope, self.now = database, objects, engagement.scope, now
        self.engagement, self.readers = engagement, readers
        self.secret = SECRET

    async def send(
        self,
        body: bytes,
        request: UploadRequest = REQUEST,
        *,
        limits: Limits = Limits(),  # noqa: B008  frozen
    ) -> Outcome:
        with self.objects.draft(self.scope) as draft:
            draft.write(body)
            return await reception.receive_upload(
                self.database,
                self.scope,
                request,
                draft,
                secret=self.secret,
                now=self.now,
                limits=limits,
                quota=DailyQuota(Bounds()),
                readers=self.readers,
            )

    async def in_force(self) -> list[Revision]:
        async with self.database.read(self.scope) as connection:
            return await service.list_interactions(
                connection, self.scope, Filter(), after=None, limit=500
            )

    async def all_rows(self) -> list[dict[str, object]]:
        async with self.database.read(self.scope) as connection:
            rows = await store.all_revisions(connection, self.scope, after=None, limit=1_000_000)
        order = itemgetter("interaction_id", "row_number")
        return [row | {"engagement_id": None} for row in sorted(rows, key=order)]

    async def uploads(self) -> int:
        async with self.database.read(self.scope) as connection:
            return len(await service.list_uploads(connection, self.scope, before=None, limit=500))


@pytest.fixture
def objects(tmp_path: Path) -> ObjectStore:
    return ObjectStore(tmp_path / "objects")


@pytest.fixture
def readers() -> Iterator[Readers]:
    made = Readers()
    yield made
    made.close()


@pytest.fixture
def vendor(
    database: Database,
    objects: ObjectStore,
    engagement: Engagement,
    clock: StoppedClock,
    readers: Readers,
) -> Vendor:
    return Vendor(database, objects, engagement, clock(), readers)


@pytest.fixture
async def second(
    database_url: str, objects: ObjectStore, engagement: Engagement, clock: StoppedClock
) -> AsyncIterator[Vendor]:
    """Another process: it shares nothing with the first but the database and the folder."""
    database, readers = Database(database_url), Readers()
    yield Vendor(database, objects, engagement, clock(), readers)
    readers.close()
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


class Breaking(Database):
    """Everything is written, and then the connection is lost before the commit."""

    @override
    @asynccontextmanager
    async def workbench(self, whose: Scope) -> AsyncIterator[Workbench]:
        async with super().workbench(whose) as bench:
            write, write_at_once = bench.write, bench.write_at_once

            @asynccontextmanager
            async def broken() -> AsyncIterator[AsyncConnection]:
                async with write() as connection:
                    yield connection
                    raise ConnectionError

            @asynccontextmanager
            async def broken_at_once() -> AsyncIterator[AsyncConnection | None]:
                async with write_at_once() as connection:
                    yield connection
                    if connection is not None:
                        raise ConnectionError

            bench.write = broken  # type: ignore[method-assign]  # of this one only
            bench.write_at_once = broken_at_once  # type: ignore[method-assign]  # as above
            yield bench


@pytest.mark.parametrize("rows", [2, 4_100])
async def test_what_breaks_before_the_commit_leaves_nothing_and_can_be_sent_again(
    vendor: Vendor, database_url: str, objects: ObjectStore, engagement: Engagement, rows: int
) -> None:
    body = ndjson([*(row(n) for n in range(1, rows)), row(0, opened_at="?")])
    breaking = Breaking(database_url)
    with pytest.raises(ConnectionError):
        await Vendor(breaking, objects, engagement, vendor.now, vendor.readers).send(body)
    await breaking.close()
    assert await vendor.uploads() == 0
    assert await vendor.in_force() == []
    outcome = await vendor.send(body)
    assert not outcome.replayed
    assert (outcome.upload.receipt.sequence, outcome.upload.receipt.created) == (1, rows - 1)


async def test_the_bytes_are_kept_before_the_receipt_is(
    vendor: Vendor, objects: ObjectStore
) -> None:
    body = ndjson([row(1)])
    outcome = await vendor.send(body)
    path = objects.path(vendor.scope, outcome.upload.receipt.sha256)
    assert path.read_bytes() == body
    assert [each.name for each in path.parent.iterdir()] == [path.name]


class Interrupted(Readers):
    """Does something once while a log is being read, after the first batches."""

    def __init__(self, meanwhile: Callable[[], Awaitable[object]]) -> None:
        super().__init__()
        self.meanwhile = meanwhile
        self.was_interrupted = False

    @override
    @asynccontextmanager
    async def reading(self, order: Order, size: int, fingerprint: bytes) -> AsyncIterator[Reading]:
        async with super().reading(order, size, fingerprint) as reading:
            hear, heard = reading.next, itertools.count()

            async def hear_and_do() -> Batch | None:
                batch = await hear()
                if next(heard) == 4:
                    self.was_interrupted = True
                    await self.meanwhile()
                return batch

            reading.next = hear_and_do  # type: ignore[method-assign]  # of this one only
            yield reading


@pytest.fixture
def interrupted(vendor: Vendor) -> Iterator[Callable[[Callable[[], Awaitable[object]]], Vendor]]:
    """The vendor, whose readers do that meanwhile."""
    made: list[Interrupted] = []

    def interrupt(meanwhile: Callable[[], Awaitable[object]]) -> Vendor:
        made.append(Interrupted(meanwhile))
        return Vendor(vendor.database, vendor.objects, vendor.engagement, vendor.now, made[-1])

    yield interrupt
    assert all(each.was_interrupted for each in made)
    for each in made:
        each.close()


Interrupt = Callable[[Callable[[], Awaitable[object]]], Vendor]
LONG = 20_100  # rows


async def test_a_long_upload_keeps_nobody_else_waiting_while_it_is_read(
    interrupted: Interrupt, second: Vendor, rival: Engagement
) -> None:
    """Neither another vendor, nor what else is written of the engagement."""
    other = Vendor(second.database, second.objects, rival, second.now, second.readers)

    async def meanwhile() -> None:
        assert (await other.send(ndjson([row(1)]))).upload.receipt.created == 1
        async with second.database.write(second.scope) as connection:
            await store.lock_engagement(connection, second.scope)
        assert await second.in_force() == []

    async with asyncio.timeout(60):
        outcome = await interrupted(meanwhile).send(ndjson(row(n) for n in range(LONG)))
    assert outcome.upload.receipt.created == LONG


async def test_another_upload_of_the_engagement_while_a_long_one_is_read_is_stored_once(
    interrupted: Interrupt, second: Vendor
) -> None:
    """Before it or after it, as the engine has it; rows of both are in force as their order says."""
    sent: list[asyncio.Task[Outcome]] = []

    async def meanwhile() -> None:
        sent.append(asyncio.create_task(second.send(ndjson([row(0, topic="t"), row(1_000_000)]))))

    outcome = await interrupted(meanwhile).send(ndjson(row(n) for n in range(LONG)))
    long, short = outcome.upload.receipt, (await sent[0]).upload.receipt
    assert {long.sequence, short.sequence} == {1, 2}
    if long.sequence < short.sequence:
        assert (long.created, short.created, short.revised) == (LONG, 1, 1)
        assert short.previous_sha256 == long.receipt_sha256()
    else:
        assert (short.created, long.created, long.revised) == (2, LONG - 1, 1)
        assert long.previous_sha256 == short.receipt_sha256()


async def test_a_server_that_does_not_wait_in_line_cannot_break_the_chain(
    vendor: Vendor, interrupted: Interrupt, second: Vendor
) -> None:
    """One of an older release, which only locks the engagement."""

    class Older(Database):
        @override
        @asynccontextmanager
        async def workbench(self, whose: Scope) -> AsyncIterator[Workbench]:
            async with super().workbench(whose) as bench:
                if self.is_postgresql:
                    bench.write = bench.aside  # type: ignore[method-assign]  # of this one only
                yield bench

    older = Older(second.database.url.render_as_string(hide_password=False))
    sender = Vendor(older, second.objects, second.engagement, second.now, second.readers)
    long, short = ndjson(row(n) for n in range(LONG)), ndjson([row(1_000_000)])
    sending = interrupted(lambda: sender.send(short)).send(long)
    if older.is_postgresql:
        with pytest.raises(DatabaseUnavailable):
            await sending
        assert len(await vendor.in_force()) == 1
        outcome = await vendor.send(long)
    else:
        outcome = await sending
    await older.close()
    assert (outcome.upload.receipt.sequence, outcome.upload.receipt.created) == (2, LONG)
    assert outcome.upload.receipt.previous_sha256 is not None


async def test_a_log_comes_out_the_same_whether_it_is_stored_while_it_is_read_or_thereafter(
    vendor: Vendor, rival: Engagement
) -> None:
    """New at first, then revised by itself, then twice the same."""
    rows = [row(n) for n in range(LONG)]
    body = ndjson([*rows, *(row(n, topic="t") for n in range(0, LONG, 7)), *rows[:300]])
    meanwhile = await vendor.send(body)
    other = Vendor(vendor.database, vendor.objects, rival, vendor.now, vendor.readers)
    kept = vendor.objects.path(other.scope, hashlib.sha256(body).digest())
    async with vendor.database.workbench(other.scope) as bench, bench.write():
        sending = asyncio.create_task(other.send(body))
        async with asyncio.timeout(60):
            while not kept.exists():  # noqa: ASYNC110  no event tells of a file
                await asyncio.sleep(0.01)
    thereafter = await sending
    told = [
        (each.created, each.revised, each.duplicate)
        for each in (meanwhile.upload.receipt, thereafter.upload.receipt)
    ]
    assert told == [(LONG, len(range(0, LONG, 7)), 300)] * 2
    assert await vendor.all_rows() == await other.all_rows()


async def test_two_long_uploads_of_the_same_rows_are_stored_once(
    vendor: Vendor, second: Vendor, objects: ObjectStore
) -> None:
    """Both have found all of their rows to be new before either of them is stored."""
    rows = [row(n) for n in range(4_100)]
    bodies = [ndjson(rows), ndjson(reversed(rows))]
    kept = [objects.path(vendor.scope, hashlib.sha256(body).digest()) for body in bodies]
    async with asyncio.timeout(60), vendor.database.write(vendor.scope) as connection:
        await store.lock_engagement(connection, vendor.scope)
        both = [
            asyncio.create_task(sender.send(body))
            for sender, body in zip((vendor, second), bodies, strict=True)
        ]
        # The bytes are kept right before what is locked would be.
        while not all(path.exists() for path in kept):  # noqa: ASYNC110  no event tells of a file
            await asyncio.sleep(0.01)
    outcomes = await asyncio.gather(*both)
    first, later = sorted(
        (each.upload.receipt for each in outcomes), key=lambda receipt: receipt.sequence
    )
    assert (first.created, first.duplicate) == (4_100, 0)
    assert (later.created, later.duplicate) == (0, 4_100)


@pytest.mark.parametrize("rows", [3, 4_100])
async def test_a_cancelled_upload_stores_nothing_wherever_it_is_cut_off(
    vendor: Vendor, objects: ObjectStore, rows: int
) -> None:
    body = ndjson([*(row(n) for n in range(1, rows)), row(0, opened_at="?")])
    kept = objects.path(vendor.scope, hashlib.sha256(body).digest())
    for turns in (1, 5, 10, 20, 40, 80, 160):
        upload = asyncio.create_task(vendor.send(body))
        for _ in range(turns):
            await asyncio.sleep(0)
        upload.cancel()
        with suppress(asyncio.CancelledError):
            await upload
        if not upload.cancelled():
            break  # it was faster
        assert await vendor.uploads() == 0
        assert await vendor.in_force() == []
        # The bytes are kept before the rows: then they are whole, and nobody refers to them yet.
        left = [path.read_bytes() for path in kept.parent.iterdir()]
        assert left in ([], [body])
        assert kept.exists() == bool(left)
    outcome = await vendor.send(body)
    assert (outcome.upload.receipt.sequence, outcome.upload.receipt.created) == (1, rows - 1)
    pool = vendor.database.engine.pool
    assert isinstance(pool, AsyncAdaptedQueuePool)
    assert pool.checkedout() == 0


async def test_the_same_bytes_under_another_key_are_all_duplicates_without_being_read(
    vendor: Vendor, second: Vendor
) -> None:
    body = ndjson(row(n) for n in range(30))
    first = (await vendor.send(body, replace(REQUEST, idempotency_key="a"))).upload.receipt
    dry = replace(REQUEST, idempotency_key="b", dry_run=True)
    told = (await vendor.send(body, dry)).upload.receipt
    again = await vendor.send(body, replace(REQUEST, idempotency_key="b"), limits=Limits(rows=1))
    repeated = again.upload.receipt
    assert not again.replayed
    assert (first.created, first.duplicate) == (30, 0)
    assert (repeated.created, repeated.revised, repeated.duplicate, repeated.received) == (
        0,
        0,
        30,
        30,
    )
    assert (repeated.sequence, repeated.previous_sha256) == (2, first.receipt_sha256())
    assert (told.upload_id, told.sequence, told.duplicate) == (None, 2, 30)
    assert replace(repeated, upload_id=None) == told
    replay = await vendor.send(body, replace(REQUEST, idempotency_key="b"))
    assert replay.replayed
    assert replay.upload.receipt == repeated
    # Another process knows them, too: it is in the database.
    third = (
        await second.send(body, replace(REQUEST, idempotency_key="c"), limits=Limits(rows=1))
    ).upload.receipt
    assert (third.sequence, third.duplicate) == (3, 30)


async def _reads_again(vendor: Vendor, body: bytes) -> bool:
    try:
        await vendor.send(body, replace(REQUEST, dry_run=True), limits=Limits(rows=1))
    except TooManyRows:
        return True
    return False


async def test_bytes_that_might_be_read_otherwise_are_read_again(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = ndjson(row(n) for n in range(3))
    await vendor.send(body)
    assert not await _reads_again(vendor, body)
    with monkeypatch.context() as other:
        other.setattr(plan, "READING", READING + 1)
        assert await _reads_again(vendor, body)
    vendor.secret = b"another"  # customers are other pseudonyms under it
    assert await _reads_again(vendor, body)
    vendor.secret = SECRET
    vendor.now -= 1  # it came later than now: the clock was set back
    assert await _reads_again(vendor, body)
    vendor.now += 1
    assert not await _reads_again(vendor, body)
    async with vendor.database.write_as_owner() as connection:
        await connection.execute(text("UPDATE uploads SET read_by = NULL"))  # from before
    assert await _reads_again(vendor, body)


async def test_bytes_whose_receipt_is_gone_are_read_again(vendor: Vendor) -> None:
    body = ndjson(row(n) for n in range(3))
    first = (await vendor.send(body, replace(REQUEST, idempotency_key="a"))).upload.receipt
    async with vendor.database.write_as_owner() as connection:
        await connection.execute(text("DELETE FROM uploads"))
        await connection.execute(text("DELETE FROM interactions"))
    vendor.objects.path(vendor.scope, first.sha256).unlink()
    again = (await vendor.send(body, replace(REQUEST, idempotency_key="b"))).upload.receipt
    assert (again.created, again.duplicate) == (3, 0)
    assert vendor.objects.path(vendor.scope, again.sha256).read_bytes() == body


async def test_bytes_of_which_rows_were_refused_are_read_again(vendor: Vendor) -> None:
    early = row(2, opened_at="2026-11-02T08:30:00Z", first_reply_at=None, resolved_at=None)
    body = ndjson([row(1), early | {"status": "open"}])
    first = await vendor.send(body, replace(REQUEST, idempotency_key="a"))
    assert (first.upload.receipt.created, first.upload.receipt.rejected) == (1, 1)
    vendor.now += 3_600_000_000  # the row is not in the future any more
    again = await vendor.send(body, replace(REQUEST, idempotency_key="b"))
    assert (again.upload.receipt.created, again.upload.receipt.duplicate) == (1, 1)


async def test_a_long_upload_is_stored_with_its_rejects_and_its_agents(vendor: Vendor) -> None:
    rows = [row(n, agent_id=f"agent {n % 7}") for n in range(4_100)]
    rows[7], rows[4_001] = row(7, opened_at="?"), row(4_001, channel="fax")
    outcome = await vendor.send(ndjson(rows))
    receipt = outcome.upload.receipt
    assert (receipt.received, receipt.created, receipt.rejected) == (4_100, 4_098, 2)
    async with vendor.database.read(vendor.scope) as connection:
        rejects = await service.list_rejects(connection, vendor.scope, 1, after=0, limit=9)
        agents = await vendors.agents(connection, vendor.scope)
    assert [each.row for each in rejects] == [8, 4_002]
    assert [each.agent_id for each in agents] == [f"agent {n}" for n in range(7)]


@pytest.mark.parametrize("rows", [1, 4_100])
async def test_a_mended_row_is_refused_alone_or_with_all_of_its_file(
    vendor: Vendor, rows: int
) -> None:
    body = ndjson([*(row(n) for n in range(1, rows)), row(0, opened_at="?")])
    with pytest.raises(RowsRefused):
        await vendor.send(body, replace(REQUEST, mode="atomic"))
    assert await vendor.uploads() == 0
    assert not any(vendor.objects.path(vendor.scope, bytes(32)).parent.iterdir())


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
        Vendor(database, objects, rival, vendor.now, vendor.readers),
        Vendor(database, objects, stranger, vendor.now, vendor.readers),
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
    async with vendor.database.read(vendor.scope) as connection:
        for upload_id in ("x", "", "0" * 32, "'; --"):
            with pytest.raises(NotFound):
                await service.find_upload(connection, vendor.scope, upload_id)
