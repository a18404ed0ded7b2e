"""Receiving a log: what is known already is answered; all else is read and stored."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from vendorwatch.db.engine import Database, Workbench
from vendorwatch.db.objects import Draft
from vendorwatch.db.scope import Scope
from vendorwatch.interactions import store
from vendorwatch.interactions.model import Limits, StoredUpload, UploadRequest
from vendorwatch.interactions.plan import Plan, plan_upload
from vendorwatch.interactions.quota import DailyQuota
from vendorwatch.interactions.readers import SMALL, Readers
from vendorwatch.interactions.refusals import EmptyUpload
from vendorwatch.interactions.storing import Outcome, close, read_and_store, replay, take_place
from vendorwatch.periods import Micros


async def receive_upload(
    database: Database,
    scope: Scope,
    request: UploadRequest,
    body: Draft,
    *,
    secret: bytes,
    now: Micros,
    limits: Limits,
    quota: DailyQuota,
    readers: Readers,
) -> Outcome:
    """All of the upload or nothing of it, durably when this returns.

    The same request again gives the first one's receipt, even where the quota is used up. Raises
    QuotaExceeded, IdempotencyKeyReused, NoMapping, EmptyUpload, RowsRefused (mode atomic) and
    whatever makes the whole file unreadable.
    """
    if not body.size:
        raise EmptyUpload("The body has no bytes. Nothing was stored.")
    async with database.workbench(scope) as bench:

        async def planned() -> tuple[Plan, StoredUpload | None, StoredUpload | None]:
            async with bench.read() as connection:
                plan = await plan_upload(
                    connection, scope, request, body,
                    secret=secret, now=now, limits=limits, quota=quota,
                )  # fmt: skip
                keyed, whole = await store.upload_by_key_or_content(
                    connection, scope, plan.keys, plan.fingerprint, plan.read_by, now=now
                )
                if keyed is None or request.dry_run:
                    await quota.check(connection, scope, now)
            return plan, keyed, whole

        plan, keyed, whole = await bench.together(planned)
        earlier = None if request.dry_run else replay(plan, keyed)
        if earlier is not None:
            return earlier
        body.flush()
        repeated = await _repeat(bench, plan, body, whole) if whole else None
        if repeated is not None:
            return repeated
        order = plan.order(body, "postgresql" if database.is_postgresql else "sqlite")
        async with (
            _on_its_way(plan, body),
            readers.reading(order, body.size, plan.suspect) as reading,
        ):
            return await read_and_store(bench, plan, body, reading)


@asynccontextmanager
async def _on_its_way(plan: Plan, body: Draft) -> AsyncIterator[None]:
    """To the disk, while the same bytes are read: a large body takes as long as a tenth of that."""
    if plan.request.dry_run or body.size <= SMALL:
        yield
        return
    syncing = asyncio.create_task(asyncio.to_thread(body.sync))
    try:
        yield
    finally:
        _ = await asyncio.wait({syncing})
        if not syncing.cancelled():
            _ = syncing.exception()  # keeping the body tells the same


async def _repeat(bench: Workbench, plan: Plan, body: Draft, whole: StoredUpload) -> Outcome | None:
    """The same bytes once more, under another key: they need not be read again. Each of their rows
    is stored, and revisions are never taken back, so that each is a duplicate now.

    Null if that upload is not there any more.
    """
    if not plan.request.dry_run:
        await asyncio.to_thread(body.keep)
    opened = bench.aside if plan.request.dry_run else bench.write
    async with opened() as connection:
        place, earlier = await take_place(connection, plan)
        if earlier is not None:
            return earlier
        assert whole.receipt.upload_id is not None  # noqa: S101  it is stored
        before = await store.upload(connection, plan.scope, whole.receipt.upload_id)
        if before is None:
            return None
        told = before.receipt
        receipt = replace(
            told,
            upload_id=plan.new_id(),
            sequence=place.sequence,
            received_at=plan.now,
            created=0,
            revised=0,
            duplicate=told.created + told.revised + told.duplicate,
            previous_sha256=place.previous_sha256,
        )
        made = replace(
            before,
            receipt=receipt,
            receipt_sha256=receipt.receipt_sha256(),
            content_type=plan.request.content_type,
        )
        return await close(connection, plan, Outcome(made))
