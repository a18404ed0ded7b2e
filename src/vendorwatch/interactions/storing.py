"""A log from its readers into the database, all of it or nothing.

On PostgreSQL a long one is stored while it is read, where no other upload of the engagement is
under way. Otherwise its rows are laid out aside first, and what is locked is locked briefly.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.db.engine import DatabaseUnavailable, Workbench
from vendorwatch.db.objects import Draft
from vendorwatch.errors import Fault
from vendorwatch.interactions import store
from vendorwatch.interactions.batches import Batch, Summary
from vendorwatch.interactions.model import (
    Effect,
    Receipt,
    StoredUpload,
    Tally,
    measurable,
    settle,
)
from vendorwatch.interactions.plan import Plan
from vendorwatch.interactions.readers import Reading
from vendorwatch.interactions.refusals import IdempotencyKeyReused, RowsRefused
from vendorwatch.interactions.staging import Staging, Stretches


@dataclass(frozen=True, slots=True)
class Outcome:
    """`faults` are the first ones of the refused rows; a replay has none."""

    upload: StoredUpload
    replayed: bool = False
    faults: tuple[Fault, ...] = ()
    codes: Mapping[str, int] = field(default_factory=dict)  # of the refused rows
    decoded_bytes: int = 0  # 0 where the body was not read again


@dataclass(frozen=True, slots=True)
class Place:
    """In the engagement's chain of receipts."""

    sequence: int
    previous_sha256: bytes | None


def replay(plan: Plan, earlier: StoredUpload | None) -> Outcome | None:
    """The outcome of the same request before, if there was one."""
    if earlier is None:
        return None
    if earlier.request_sha256 != plan.fingerprint:
        raise IdempotencyKeyReused(
            "This Idempotency-Key came with another body or other parameters before. "
            f"Nothing was changed.{_other_mapping(plan, earlier)}"
        )
    return Outcome(earlier, replayed=True)


def _other_mapping(plan: Plan, earlier: StoredUpload) -> str:
    """Where a request names none, it is the newest one, which may have come since."""
    before = earlier.receipt.mapping_version
    if plan.mapping is None or before in {None, plan.mapping.version}:
        return ""
    return (
        f" What came was read with version {before} of the mapping; this would be with version "
        f"{plan.mapping.version}. If it is the same log, mapping={before} gives its receipt, and "
        "another key has it read anew."
    )


async def read_and_store(bench: Workbench, plan: Plan, body: Draft, reading: Reading) -> Outcome:
    """The engagement's row, which others lock too, is locked last. Raises what makes the whole file
    unreadable, RowsRefused (mode atomic), QuotaExceeded, IdempotencyKeyReused and
    DatabaseUnavailable.
    """
    first, second = await reading.next(), await reading.next()
    if second is None:
        summary = await reading.summary()
        _refuse_if_atomic(plan, summary.tally)
        # Few rows are staged where they are stored: a second transaction would cost more.
        await _prepare(bench, store.BRIEF)
        await _keep(plan, body)
        rows = _Rows(store.BRIEF, batch=first)
        async with contextlib.nullcontext() if plan.request.dry_run else bench.turn():
            return await bench.together(lambda: _store(bench, plan, body, summary, rows))
    async with aclosing(_ahead(reading, [first, second])) as batches:
        # What may turn out to be stored in no part is not begun with.
        if not (plan.request.dry_run or plan.request.mode == "atomic"):
            outcome = await _store_meanwhile(bench, plan, body, reading, batches)
            if outcome is not None:
                return outcome
        return await _lay_out_and_store(bench, plan, body, reading, batches)


async def _ahead(reading: Reading, begun: list[Batch | None]) -> AsyncGenerator[Batch]:
    """One batch is fetched while the one before it is staged; to be closed when that breaks off."""
    for batch in begun:
        if batch is not None:
            yield batch
    upcoming = asyncio.create_task(reading.next())
    try:
        while (batch := await upcoming) is not None:
            upcoming = asyncio.create_task(reading.next())
            yield batch
    finally:
        upcoming.cancel()  # its thread ends when the block of `reading` does


async def _store_meanwhile(
    bench: Workbench, plan: Plan, body: Draft, reading: Reading, batches: AsyncIterator[Batch]
) -> Outcome | None:
    """While no other upload of the engagement can be stored. What others write of it waits at the
    end only. Null, and no batch is taken, where another one is being stored, and on SQLite.
    """
    scope, staging = plan.scope, store.BRIEF
    async with bench.write_at_once() as connection:
        if connection is None:
            return None
        place, earlier = await _find_place(connection, plan, is_locked=False)
        if earlier is not None:
            return earlier
        if staging.name not in bench.laid_out:
            await staging.prepare(connection)
        rows = Stretches(staging, connection, scope, sequence=place.sequence)
        async for batch in batches:
            await rows.add(batch)
        effect = await rows.move_rest()
        summary = await reading.summary()
        await asyncio.to_thread(body.keep)
        if await store.lock_engagement(connection, scope) != place.sequence - 1:
            # Only a server of an older release does not wait in the line of uploads.
            raise DatabaseUnavailable(
                "Another upload was stored meanwhile. Nothing was stored; send it again.",
                retry_after_seconds=5,
            )
        outcome = await _conclude(connection, plan, body, summary, effect, place, staging)
    bench.laid_out.add(staging.name)
    return outcome


async def _lay_out_and_store(
    bench: Workbench,
    plan: Plan,
    body: Draft,
    reading: Reading,
    batches: AsyncIterator[Batch],
) -> Outcome:
    bench.use_up()
    await _prepare(bench, store.LASTING)
    async with bench.aside() as connection:
        async for batch in batches:
            await store.LASTING.add(connection, batch)
    summary = await reading.summary()
    _refuse_if_atomic(plan, summary.tally)
    async with bench.aside() as connection:
        new_after = await store.new_after(
            connection, plan.scope, summary.tally.accepted, is_distinct=summary.is_distinct
        )
    await _keep(plan, body)
    rows = _Rows(store.LASTING, new_after=new_after)
    return await _store(bench, plan, body, summary, rows)


def _refuse_if_atomic(plan: Plan, tally: Tally) -> None:
    if plan.request.mode == "atomic" and tally.rejected:
        raise RowsRefused(
            f"{tally.rejected} of {tally.received} rows were refused, and the mode is atomic: "
            "nothing was stored.",
            faults=tuple(tally.faults),
        )


async def _keep(plan: Plan, body: Draft) -> None:
    """Bytes first, then the row that refers to them."""
    if not plan.request.dry_run:
        await asyncio.to_thread(body.keep)


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
    """What is locked is locked from here on only. Waits for nothing but the database."""
    # A dry run reads what the others have stored, and nobody waits for it.
    opened = bench.aside if plan.request.dry_run else bench.write
    staging, tally = rows.staging, summary.tally
    async with opened() as connection:
        place, earlier = await take_place(connection, plan)
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
        if not plan.request.dry_run:
            await staging.move(connection, plan.scope, effect, sequence=place.sequence)
        return await _conclude(connection, plan, body, summary, effect, place, staging)


async def _conclude(
    connection: AsyncConnection,
    plan: Plan,
    body: Draft,
    summary: Summary,
    effect: Effect,
    place: Place,
    staging: Staging,
) -> Outcome:
    """The rows are where they belong. Raises NotConserved if one was lost or invented on the way."""
    upload, tally = _upload(plan, body, summary, effect, place), summary.tally
    rejects = tally.rejected + tally.skipped
    if not plan.request.dry_run:
        await staging.finish(
            connection, plan.scope, effect, sequence=place.sequence, rejects=rejects, now=plan.now
        )
    await staging.clear(connection, rejects=rejects)
    outcome = Outcome(
        upload,
        faults=tuple(tally.faults),
        codes=tally.codes,
        decoded_bytes=summary.decoded_bytes,
    )
    return await close(connection, plan, outcome)


async def take_place(connection: AsyncConnection, plan: Plan) -> tuple[Place, Outcome | None]:
    """And what another process made of the same request meanwhile, if it was there first. Raises
    QuotaExceeded where others used the quota up meanwhile.
    """
    return await _find_place(connection, plan, is_locked=not plan.request.dry_run)


async def _find_place(
    connection: AsyncConnection, plan: Plan, *, is_locked: bool
) -> tuple[Place, Outcome | None]:
    newest = await store.lock_engagement(connection, plan.scope, exclusively=is_locked)
    keyed, previous = await store.upload_by_key_or_place(connection, plan.scope, plan.keys, newest)
    earlier = None if plan.request.dry_run else replay(plan, keyed)
    if earlier is None:
        await plan.quota.check(connection, plan.scope, plan.now, newest=newest)
    return Place(newest + 1, previous), earlier


def _upload(
    plan: Plan, body: Draft, summary: Summary, effect: Effect, place: Place
) -> StoredUpload:
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


async def close(connection: AsyncConnection, plan: Plan, outcome: Outcome) -> Outcome:
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
