"""Receiving a log: it is read and laid out aside, and then stored under a short lock."""

import asyncio
import uuid
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.db.engine import Database, Workbench
from vendorwatch.db.objects import Draft
from vendorwatch.db.scope import Scope
from vendorwatch.errors import Fault
from vendorwatch.interactions import store
from vendorwatch.interactions.intake import Batch, pseudonym_key
from vendorwatch.interactions.mapping import parse_mapping
from vendorwatch.interactions.model import (
    Effect,
    Limits,
    Receipt,
    StoredMapping,
    StoredUpload,
    UploadRequest,
    measurable,
    settle,
)
from vendorwatch.interactions.parse import ReadOptions
from vendorwatch.interactions.reader import Reader
from vendorwatch.interactions.refusals import EmptyUpload, IdempotencyKeyReused, NoMapping
from vendorwatch.interactions.staging import Staging
from vendorwatch.periods import Micros, load_zone
from vendorwatch.vendors import service as vendors


@dataclass(frozen=True, slots=True)
class Outcome:
    """`faults` are the first ones of the refused rows; a replay has none."""

    upload: StoredUpload
    replayed: bool = False
    faults: tuple[Fault, ...] = ()
    codes: Mapping[str, int] = field(default_factory=dict)  # of the refused rows
    decoded_bytes: int = 0  # 0 where the body was not read again


class Desk:
    """Which uploads one process has received."""

    def __init__(self, *, remembered: int = 1_000) -> None:
        self._remembered = remembered
        self._whole: OrderedDict[tuple[str, bytes], str] = OrderedDict()

    def note(self, scope: Scope, upload: StoredUpload) -> None:
        """Of an upload that this very process has read: another version may read otherwise."""
        receipt = upload.receipt
        if receipt.rejected or receipt.skipped or receipt.upload_id is None:
            return
        self._whole[scope.engagement_id, upload.request_sha256] = receipt.upload_id
        if len(self._whole) > self._remembered:
            self._whole.popitem(last=False)

    def whole(self, scope: Scope, fingerprint: bytes) -> str | None:
        """The id of an upload of the same bytes, read in the same way, of which every row is
        stored. Revisions are never taken back, so each row would be a duplicate now.
        """
        return self._whole.get((scope.engagement_id, fingerprint))


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is decided before a row is read. The mapping is pinned: a newer one changes nothing."""

    scope: Scope
    request: UploadRequest
    mapping: StoredMapping | None
    fingerprint: bytes
    key: str
    pseudonym_key: bytes
    now: Micros
    limits: Limits

    def new_id(self) -> str | None:
        return None if self.request.dry_run else str(uuid.uuid4())

    def reader(self, file: BinaryIO) -> Reader:
        request = self.request
        options = ReadOptions(
            now=self.now,
            media=request.media,
            format=request.format,
            encoding=request.encoding,
            time_zone=load_zone(request.time_zone) if request.time_zone else None,
            date_order=request.date_order,
            mapping=parse_mapping(self.mapping.source) if self.mapping else None,
            limits=self.limits,
        )
        return Reader(
            file,
            options,
            pseudonym_key=self.pseudonym_key,
            is_atomic=request.mode == "atomic",
        )


async def receive_upload(
    database: Database,
    scope: Scope,
    request: UploadRequest,
    body: Draft,
    *,
    secret: bytes,
    now: Micros,
    limits: Limits,
    desk: Desk,
) -> Outcome:
    """All of the upload or nothing of it, durably when this returns.

    The same request again gives the first one's receipt. Raises IdempotencyKeyReused, NoMapping,
    EmptyUpload, RowsRefused (mode atomic) and whatever makes the whole file unreadable.
    """
    if not body.size:
        raise EmptyUpload("The body has no bytes. Nothing was stored.")
    async with database.read(scope) as connection:
        plan = await _plan(connection, scope, request, body, secret=secret, now=now, limits=limits)
        earlier = None
        if not request.dry_run:
            earlier = _replay(plan, await store.upload_by_key(connection, scope, plan.key))
    if earlier is not None:
        return earlier
    body.flush()
    with body.path.open("rb") as file:
        known = desk.whole(scope, plan.fingerprint)
        repeated = await _repeat(database, plan, body, known) if known else None
        if repeated is not None:
            return repeated
        outcome = await _read_and_store(database, plan, body, plan.reader(file))
    if not (outcome.replayed or request.dry_run):
        desk.note(scope, outcome.upload)
    return outcome


async def _plan(
    connection: AsyncConnection,
    scope: Scope,
    request: UploadRequest,
    body: Draft,
    *,
    secret: bytes,
    now: Micros,
    limits: Limits,
) -> _Plan:
    engagement = await vendors.find_engagement(connection, scope.engagement_id)
    mapping = await _mapping_for(connection, scope, request)
    fingerprint = request.fingerprint(body.sha256, mapping.version if mapping else None)
    return _Plan(
        scope=scope,
        request=request,
        mapping=mapping,
        fingerprint=fingerprint,
        key=request.idempotency_key or fingerprint.hex(),
        pseudonym_key=pseudonym_key(secret, engagement.pseudonym_key),
        now=now,
        limits=limits,
    )


async def _mapping_for(
    connection: AsyncConnection, scope: Scope, request: UploadRequest
) -> StoredMapping | None:
    if request.format != "mapped":
        return None
    if request.mapping_version is None:
        found = await store.newest_mapping(connection, scope)
    else:
        found = await store.mapping(connection, scope, request.mapping_version)
    if found is None:
        wanted = f"version {request.mapping_version}" if request.mapping_version else "any"
        raise NoMapping(f"There is no mapping ({wanted}) yet. Send one to /v1/mappings first.")
    return found


def _replay(plan: _Plan, earlier: StoredUpload | None) -> Outcome | None:
    """The outcome of the same request before, if there was one."""
    if earlier is None:
        return None
    if earlier.request_sha256 != plan.fingerprint:
        raise IdempotencyKeyReused(
            "This Idempotency-Key came with another body or other parameters before. "
            "Nothing was changed."
        )
    return Outcome(earlier, replayed=True)


async def _repeat(database: Database, plan: _Plan, body: Draft, upload_id: str) -> Outcome | None:
    """The same bytes once more, under another key: they need not be read again.

    Null if that upload is not there any more, or came later than now.
    """
    if not plan.request.dry_run:
        await asyncio.to_thread(body.keep)
    opened = database.read if plan.request.dry_run else database.write
    async with opened(plan.scope) as connection:
        place, earlier = await _take_place(connection, plan)
        if earlier is not None:
            return earlier
        before = await store.upload(connection, plan.scope, upload_id)
        if before is None or before.receipt.received_at > plan.now:
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


async def _read_and_store(database: Database, plan: _Plan, body: Draft, reader: Reader) -> Outcome:
    first, second = await reader.next(), await reader.next()
    if second is None:
        reader.refuse_if_atomic()
        # Few rows are staged where they are stored: a second transaction would cost more.
        async with database.workbench(plan.scope) as bench:
            await _prepare(bench, store.BRIEF)
            return await _store(bench, plan, body, reader, store.BRIEF, first)
    async with database.workbench(plan.scope, used_up=True) as bench:
        await _prepare(bench, store.LASTING)
        async with aclosing(reader.rest()) as rest:
            await _lay_out(bench, reader, first)
            await _lay_out(bench, reader, second)
            async for batch in rest:
                await _lay_out(bench, reader, batch)
        reader.refuse_if_atomic()
        async with bench.aside() as connection:
            await store.LASTING.advise(connection, reader.tally.accepted)
        return await _store(bench, plan, body, reader, store.LASTING, None)


async def _prepare(bench: Workbench, staging: Staging) -> None:
    if staging.name not in bench.laid_out:
        async with bench.aside() as connection:
            await staging.prepare(connection)
        bench.laid_out.add(staging.name)


async def _lay_out(bench: Workbench, reader: Reader, batch: Batch | None) -> None:
    if batch is not None and not reader.is_refused:
        async with bench.aside() as connection:
            await _stage(connection, store.LASTING, reader, batch)


async def _stage(
    connection: AsyncConnection, staging: Staging, reader: Reader, batch: Batch
) -> None:
    await staging.add(connection, batch.staged)
    await staging.add_rejects(connection, batch.rejects)
    await staging.add_agents(connection, reader.not_named_yet(batch.agents))


async def _store(
    bench: Workbench,
    plan: _Plan,
    body: Draft,
    reader: Reader,
    staging: Staging,
    batch: Batch | None,
) -> Outcome:
    """`batch` is what is not staged yet. What is locked is locked from here on only."""
    if not plan.request.dry_run:
        # Bytes first, then the row that refers to them.
        await asyncio.to_thread(body.keep)
    # A dry run reads what the others have stored, and nobody waits for it.
    opened = bench.aside if plan.request.dry_run else bench.write
    tally = reader.tally
    async with opened() as connection:
        place, earlier = await _take_place(connection, plan)
        if earlier is not None:
            return earlier
        if batch is not None:
            await _stage(connection, staging, reader, batch)
        effect = await staging.find(connection, plan.scope, staged=tally.accepted)
        upload = _upload(plan, body, reader, effect, place)
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
            decoded_bytes=reader.reading.decoded_bytes,
        )
        return await _close(connection, plan, outcome)


@dataclass(frozen=True, slots=True)
class _Place:
    """In the engagement's chain of receipts."""

    sequence: int
    previous_sha256: bytes | None


async def _take_place(connection: AsyncConnection, plan: _Plan) -> tuple[_Place, Outcome | None]:
    """And what another process made of the same request meanwhile, if it was there first."""
    is_dry = plan.request.dry_run
    newest = await store.lock_engagement(connection, plan.scope, exclusively=not is_dry)
    earlier, previous = await store.upload_by_key_or_place(connection, plan.scope, plan.key, newest)
    place = _Place(newest + 1, previous.receipt_sha256 if previous else None)
    return place, None if is_dry else _replay(plan, earlier)


def _upload(
    plan: _Plan, body: Draft, reader: Reader, effect: Effect, place: _Place
) -> StoredUpload:
    """Raises NotConserved if a row was lost or invented on the way."""
    tally, request = reader.tally, plan.request
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
        measurable=measurable(reader.reading.supplied),
        extra_columns=reader.reading.extra_columns,
        sha256=body.sha256,
        previous_sha256=place.previous_sha256,
    )
    return StoredUpload(
        receipt=receipt,
        receipt_sha256=receipt.receipt_sha256(),
        request_sha256=plan.fingerprint,
        content_type=request.content_type,
        columns=reader.reading.columns,
    )


async def _close(connection: AsyncConnection, plan: _Plan, outcome: Outcome) -> Outcome:
    """Writes the receipt and the record of the key; of a dry run, nothing."""
    upload = outcome.upload
    if not plan.request.dry_run:
        await store.insert_upload(
            connection,
            plan.scope,
            upload,
            # A mended retry of a file of which nothing was stored must be free to use its key.
            idempotency_key=None if upload.receipt.status == "rejected" else plan.key,
            key_id=plan.request.key_id,
        )
    return outcome
