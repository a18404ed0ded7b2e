"""Receiving a log: it is read and laid out aside, and then stored under a short lock."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.db.engine import Database, Workbench
from vendorwatch.db.objects import Draft
from vendorwatch.db.scope import Scope
from vendorwatch.errors import Fault
from vendorwatch.interactions import store
from vendorwatch.interactions.batches import Batch, Summary
from vendorwatch.interactions.model import (
    Effect,
    Limits,
    Receipt,
    StoredUpload,
    Tally,
    UploadRequest,
    measurable,
    settle,
)
from vendorwatch.interactions.plan import Plan, plan_upload
from vendorwatch.interactions.quota import DailyQuota
from vendorwatch.interactions.readers import SMALL, Readers, Reading, ahead
from vendorwatch.interactions.refusals import (
    EmptyUpload,
    IdempotencyKeyReused,
    RowsRefused,
)
from vendorwatch.interactions.staging import Staging
from vendorwatch.periods import Micros


@dataclass(frozen=True, slots=True)
class Outcome:
    """`faults` are the first ones of the refused rows; a replay has none."""

    upload: StoredUpload
    replayed: bool = False
    faults: tuple[Fault, ...] = ()
    codes: Mapping[str, int] = field(default_factory=dict)  # of the refused rows
    decoded_bytes: int = 0  # 0 where the body was not read again


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

    The same request again gives the first one's receipt. Raises QuotaExceeded,
    IdempotencyKeyReused, NoMapping, EmptyUpload, RowsRefused (mode atomic) and whatever makes the
    whole file unreadable.
    """
    if not body.size:
        raise EmptyUpload("The body has no bytes. Nothing was stored.")
    async with database.workbench(scope) as bench:
        async with bench.read() as connection:
            await quota.check(connection, scope, now)
            plan = await plan_upload(
                connection, scope, request, body, secret=secret, now=now, limits=limits, quota=quota
            )
            keyed, whole = await store.upload_by_key_or_content(
                connection, scope, plan.keys, plan.fingerprint, plan.read_by, now=now
            )
        earlier = None if request.dry_run else _replay(plan, keyed)
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
            return await _read_and_store(bench, plan, body, reading)


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


def _replay(plan: Plan, earlier: StoredUpload | None) -> Outcome | None:
    """The outcome of the same request before, if there was one."""
    if earlier is None:
        return None
    if earlier.request_sha256 != plan.fingerprint:
        raise IdempotencyKeyReused(
            "This Idempotency-Key came with another body or other parameters before. "
            "Nothing was changed."
        )
    return Outcome(earlier, replayed=True)


async def _repeat(bench: Workbench, plan: Plan, body: Draft, whole: StoredUpload) -> Outcome | None:
    """The same bytes once more, under another key: they need not be read again. Each of their rows
    is stored, and revisions are never taken back, so that each is a duplicate now.

    Null if that upload is not there any more.
    """
    if not plan.request.dry_run:
        await asyncio.to_thread(body.keep)
    opened = bench.aside if plan.request.dry_run else bench.write
    async with opened() as connection:
        place, earlier = await _take_place(connection, plan)
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
        return await _close(connection, plan, Outcome(made))


async def _read_and_store(bench: Workbench, plan: Plan, body: Draft, reading: Reading) -> Outcome:
    first, second = await reading.next(), await reading.next()
    if second is None:
        summary = await reading.summary()
        _refuse_if_atomic(plan, summary.tally)
        # Few rows are staged where they are stored: a second transaction would cost more.
        await _prepare(bench, store.BRIEF)
        return await _store(bench, plan, body, summary, _Rows(store.BRIEF, batch=first))
    bench.use_up()
    await _prepare(bench, store.LASTING)
    async with bench.aside() as connection, aclosing(ahead(reading)) as rest:
        for batch in (first, second):
            if batch is not None:
                await store.LASTING.add(connection, batch)
        async for batch in rest:
            await store.LASTING.add(connection, batch)
    summary = await reading.summary()
    _refuse_if_atomic(plan, summary.tally)
    async with bench.aside() as connection:
        new_after = await store.new_after(
            connection, plan.scope, summary.tally.accepted, is_distinct=summary.is_distinct
        )
    rows = _Rows(store.LASTING, new_after=new_after)
    return await _store(bench, plan, body, summary, rows)


def _refuse_if_atomic(plan: Plan, tally: Tally) -> None:
    if plan.request.mode == "atomic" and tally.rejected:
        raise RowsRefused(
            f"{tally.rejected} of {tally.received} rows were refused, and the mode is atomic: "
            "nothing was stored.",
            faults=tuple(tally.faults),
        )


async def _prepare(bench: Workbench, staging: Staging) -> None:
    if staging.name not in bench.laid_out:
        async with bench.aside() as connection:
            await staging.prepare(connection)
        bench.laid_out.add(staging.name)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Where they are staged; `batch` is what is not yet. All are new, and need not be compared with
    what is there, if upload `new_after` is still the newest.
    """

    staging: Staging
    batch: Batch | None = None
    new_after: int | None = None


async def _store(
    bench: Workbench, plan: Plan, body: Draft, summary: Summary, rows: _Rows
) -> Outcome:
    """What is locked is locked from here on only."""
    if not plan.request.dry_run:
        # Bytes first, then the row that refers to them.
        await asyncio.to_thread(body.keep)
    # A dry run reads what the others have stored, and nobody waits for it.
    opened = bench.aside if plan.request.dry_run else bench.write
    staging, tally = rows.staging, summary.tally
    async with opened() as connection:
        place, earlier = await _take_place(connection, plan)
        if earlier is not None:
            return earlier
        if rows.batch is not None:
            await staging.add(connection, rows.batch)
        effect = await staging.find(
            connection,
            plan.scope,
            staged=tally.accepted,
            is_distinct=summary.is_distinct,
            is_new=rows.new_after == place.sequence - 1,
        )
        upload = _upload(plan, body, summary, effect, place)
        if not plan.request.dry_run:
            await staging.move(
                connection,
                plan.scope,
                effect,
                sequence=place.sequence,
                rejects=tally.rejected + tally.skipped,
                now=plan.now,
            )
        await staging.clear(connection, rejects=tally.rejected + tally.skipped)
        outcome = Outcome(
            upload,
            faults=tuple(tally.faults),
            codes=tally.codes,
            decoded_bytes=summary.decoded_bytes,
        )
        return await _close(connection, plan, outcome)


@dataclass(frozen=True, slots=True)
class _Place:
    """In the engagement's chain of receipts."""

    sequence: int
    previous_sha256: bytes | None


async def _take_place(connection: AsyncConnection, plan: Plan) -> tuple[_Place, Outcome | None]:
    """And what another process made of the same request meanwhile, if it was there first. Raises
    QuotaExceeded where others used the quota up meanwhile.
    """
    is_dry = plan.request.dry_run
    newest = await store.lock_engagement(connection, plan.scope, exclusively=not is_dry)
    earlier, previous = await store.upload_by_key_or_place(
        connection, plan.scope, plan.keys, newest
    )
    place = _Place(newest + 1, previous)
    replay = None if is_dry else _replay(plan, earlier)
    if replay is None:
        await plan.quota.check(connection, plan.scope, plan.now, newest=newest)
    return place, replay


def _upload(
    plan: Plan, body: Draft, summary: Summary, effect: Effect, place: _Place
) -> StoredUpload:
    """Raises NotConserved if a row was lost or invented on the way."""
    tally, request = summary.tally, plan.request
    receipt = Receipt(
        upload_id=plan.new_id(),
        sequence=place.sequence,
        received_at=plan.now,
        status=settle(tally, effect),
        format=request.format,
        media_type=request.media_type,
        content_encoding=request.encoding,
        mapping_version=plan.mapping.version if plan.mapping else None,
        time_zone=request.time_zone,
        mode=request.mode,
        size_bytes=body.size,
        received=tally.received,
        created=effect.created,
        revised=effect.revised,
        duplicate=effect.duplicate,
        rejected=tally.rejected,
        skipped=tally.skipped,
        excluded=tally.excluded,
        claims_differ=tally.claims_differ,
        first_opened_at=tally.first_opened_at,
        last_opened_at=tally.last_opened_at,
        measurable=measurable(summary.supplied),
        extra_columns=summary.extra_columns,
        flags=tally.warnings,
        sha256=body.sha256,
        previous_sha256=place.previous_sha256,
    )
    return StoredUpload(
        receipt=receipt,
        receipt_sha256=receipt.receipt_sha256(),
        request_sha256=plan.fingerprint,
        content_type=request.content_type,
        columns=summary.columns,
    )


async def _close(connection: AsyncConnection, plan: Plan, outcome: Outcome) -> Outcome:
    """Writes the receipt and the record of the key; of a dry run, nothing."""
    upload = outcome.upload
    if not plan.request.dry_run:
        is_refused = upload.receipt.status == "rejected"
        await store.insert_upload(
            connection,
            plan.scope,
            upload,
            idempotency_key=plan.refused_key if is_refused else plan.key,
            key_id=plan.request.key_id,
            read_by=plan.read_by,
        )
    return outcome
