"""Use cases about logs and the mappings that they are read with."""

import asyncio
import hashlib
import uuid
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.db.objects import Draft
from vendorwatch.db.scope import Scope, is_id
from vendorwatch.errors import Fault, NotFound
from vendorwatch.interactions import store
from vendorwatch.interactions.intake import Batch, Intake, pseudonym_key
from vendorwatch.interactions.mapping import parse_mapping
from vendorwatch.interactions.model import (
    Effect,
    EmptyUpload,
    Filter,
    IdempotencyKeyReused,
    Limits,
    NoMapping,
    Position,
    Receipt,
    RowsRefused,
    StoredMapping,
    StoredReject,
    StoredUpload,
    Tally,
    UploadRequest,
    measurable,
    settle,
)
from vendorwatch.interactions.parse import Reading, ReadOptions, read
from vendorwatch.interactions.rejects import CsvRejects
from vendorwatch.interactions.revision import Revision
from vendorwatch.periods import Micros, load_zone
from vendorwatch.vendors import service as vendors

_BATCH_ROWS = 2_000
_REMEMBERED_AGENTS = 20_000  # bounds the memory of a file that names another agent in each row


@dataclass(frozen=True, slots=True)
class Outcome:
    """`faults` are the first ones of the refused rows; a replay has none."""

    upload: StoredUpload
    replayed: bool = False
    faults: tuple[Fault, ...] = ()


async def receive_upload(
    connection: AsyncConnection,
    scope: Scope,
    request: UploadRequest,
    body: Draft,
    *,
    secret: bytes,
    now: Micros,
    limits: Limits,
) -> Outcome:
    """All of the upload or nothing of it, if the caller's transaction does not commit.

    The same request again gives the first one's receipt. Raises IdempotencyKeyReused, NoMapping,
    EmptyUpload, RowsRefused (mode atomic) and whatever makes the whole file unreadable.
    """
    if not body.size:
        raise EmptyUpload("The body has no bytes. Nothing was stored.")
    newest = await store.lock_engagement(connection, scope)
    chosen = await _mapping_for(connection, scope, request)
    fingerprint = request.fingerprint(body.sha256, chosen.version if chosen else None)
    key = request.idempotency_key or fingerprint.hex()
    if not request.dry_run:
        earlier = await store.upload_by_key(connection, scope, key)
        if earlier is not None:
            return _replay(earlier, fingerprint)
    take_in = _TakeIn(connection, scope, request, newest + 1, now)
    if request.dry_run:
        async with connection.begin_nested() as savepoint:
            await take_in.run(body, chosen, limits, secret)
            await savepoint.rollback()
        return Outcome(await take_in.upload(body, fingerprint), faults=take_in.faults)
    await take_in.run(body, chosen, limits, secret)
    upload = await take_in.upload(body, fingerprint)
    # Bytes first, then the row that refers to them: the caller commits after this.
    await asyncio.to_thread(body.keep)
    await store.insert_upload(
        connection,
        scope,
        upload,
        # A mended retry of a file of which nothing was stored must be free to use its key again.
        idempotency_key=None if upload.receipt.status == "rejected" else key,
        key_id=request.key_id,
    )
    return Outcome(upload, faults=take_in.faults)


class _TakeIn:
    """One reading of one body into the tables."""

    def __init__(
        self,
        connection: AsyncConnection,
        scope: Scope,
        request: UploadRequest,
        sequence: int,
        now: Micros,
    ) -> None:
        self._connection = connection
        self._scope = scope
        self._request = request
        self._sequence = sequence
        self._now = now
        self._version: int | None = None
        self._reading: Reading | None = None
        self._tally = Tally()
        self._effect = Effect(0, 0, 0)
        self._known_agents: set[str] = set()

    @property
    def faults(self) -> tuple[Fault, ...]:
        return tuple(self._tally.faults)

    async def run(
        self, body: Draft, mapping: StoredMapping | None, limits: Limits, secret: bytes
    ) -> None:
        """Raises RowsRefused where the mode is atomic and a row is refused."""
        engagement = await vendors.find_engagement(self._connection, self._scope.engagement_id)
        await store.prepare_staging(self._connection)
        body.flush()
        with body.path.open("rb") as file:
            reading = read(file, self._options(mapping, limits))
            intake = Intake(reading, pseudonym_key=pseudonym_key(secret, engagement.pseudonym_key))
            batches = intake.batches(_BATCH_ROWS)
            # In a thread, so that other requests are served while a long file is parsed.
            while batch := await asyncio.to_thread(next, batches, None):
                await self._store(batch, intake.tally)
        self._reading, self._tally = reading, intake.tally
        self._version = mapping.version if mapping else None
        if self._request.mode == "atomic" and self._tally.rejected:
            raise RowsRefused(
                f"{self._tally.rejected} of {self._tally.received} rows were refused, and the mode "
                "is atomic: nothing was stored.",
                faults=self.faults,
            )
        self._effect = await store.apply_staged(
            self._connection, self._scope, sequence=self._sequence, staged=self._tally.accepted
        )

    async def _store(self, batch: Batch, tally: Tally) -> None:
        if self._request.mode == "atomic" and tally.rejected:
            return  # only the other faults are of interest now
        await store.stage(self._connection, batch.staged)
        await store.insert_rejects(self._connection, self._scope, self._sequence, batch.rejects)
        unseen = batch.agents - self._known_agents
        await vendors.agents_seen(self._connection, self._scope, unseen, self._now)
        if len(self._known_agents) > _REMEMBERED_AGENTS:
            self._known_agents.clear()
        self._known_agents |= unseen

    def _options(self, mapping: StoredMapping | None, limits: Limits) -> ReadOptions:
        request = self._request
        return ReadOptions(
            now=self._now,
            media=request.media,
            format=request.format,
            encoding=request.encoding,
            time_zone=load_zone(request.time_zone) if request.time_zone else None,
            date_order=request.date_order,
            mapping=parse_mapping(mapping.source) if mapping else None,
            limits=limits,
        )

    async def upload(self, body: Draft, fingerprint: bytes) -> StoredUpload:
        """Raises NotConserved if a row was lost or invented on the way."""
        assert self._reading is not None  # noqa: S101  run() was called
        tally, request = self._tally, self._request
        receipt = Receipt(
            upload_id=None if request.dry_run else str(uuid.uuid4()),
            sequence=self._sequence,
            received_at=self._now,
            status=settle(tally, self._effect),
            format=request.format,
            media_type=request.media_type,
            content_encoding=request.encoding,
            mapping_version=self._version,
            time_zone=request.time_zone,
            mode=request.mode,
            size_bytes=body.size,
            received=tally.received,
            created=self._effect.created,
            revised=self._effect.revised,
            duplicate=self._effect.duplicate,
            rejected=tally.rejected,
            skipped=tally.skipped,
            excluded=tally.excluded,
            claims_differ=tally.claims_differ,
            first_opened_at=tally.first_opened_at,
            last_opened_at=tally.last_opened_at,
            measurable=measurable(self._reading.supplied),
            extra_columns=self._reading.extra_columns,
            sha256=body.sha256,
            previous_sha256=await store.receipt_sha256(
                self._connection, self._scope, self._sequence - 1
            ),
        )
        return StoredUpload(
            receipt=receipt,
            receipt_sha256=receipt.receipt_sha256(),
            request_sha256=fingerprint,
            content_type=request.content_type,
            columns=self._reading.columns,
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


def _replay(earlier: StoredUpload, fingerprint: bytes) -> Outcome:
    if earlier.request_sha256 != fingerprint:
        raise IdempotencyKeyReused(
            "This Idempotency-Key came with another body or other parameters before. "
            "Nothing was changed."
        )
    return Outcome(earlier, replayed=True)


async def find_upload(connection: AsyncConnection, scope: Scope, upload_id: str) -> StoredUpload:
    """Raises NotFound, also for what is not a UUID or belongs to somebody else."""
    found = await store.upload(connection, scope, upload_id) if is_id(upload_id) else None
    if found is None:
        raise NotFound("There is no such upload.")
    return found


async def list_uploads(
    connection: AsyncConnection, scope: Scope, *, before: int | None, limit: int
) -> list[StoredUpload]:
    """The newest first, from the one before sequence `before`."""
    return await store.uploads(connection, scope, before=before, limit=limit)


async def list_rejects(
    connection: AsyncConnection, scope: Scope, sequence: int, *, after: int, limit: int
) -> list[StoredReject]:
    return await store.rejects(connection, scope, sequence, after=after, limit=limit)


async def rejects_table(
    connection: AsyncConnection, scope: Scope, upload: StoredUpload
) -> CsvRejects:
    """Written as the file was written that the rows came in."""
    version = upload.receipt.mapping_version
    if version is None:
        return CsvRejects(upload.columns)
    mapping = await find_mapping(connection, scope, version)
    dialect = parse_mapping(mapping.source).dialect
    return CsvRejects(
        upload.columns,
        delimiter=dialect.delimiter,
        quote=dialect.quote,
        encoding=dialect.encoding,
        skip_lines=dialect.skip_lines,
    )


async def list_interactions(
    connection: AsyncConnection,
    scope: Scope,
    wanted: Filter,
    *,
    after: Position | None,
    limit: int,
) -> list[Revision]:
    """Those in force, by opened_at."""
    if wanted.month is not None:
        engagement = await vendors.find_engagement(connection, scope.engagement_id)
        start, end = wanted.month.bounds(load_zone(engagement.time_zone))
        wanted = wanted.within(start, end)
    return await store.in_force(connection, scope, wanted, after=after, limit=limit)


async def find_revisions(
    connection: AsyncConnection, scope: Scope, interaction_id: str, source_account: str
) -> list[Revision]:
    """In the order in which they came. Raises NotFound."""
    found = await store.revisions(connection, scope, source_account, interaction_id)
    if not found:
        raise NotFound("There is no such interaction.")
    return found


async def set_mapping(
    connection: AsyncConnection, scope: Scope, source: str, *, now: Micros
) -> tuple[StoredMapping, bool]:
    """The mapping, and whether it is new: the newest one again stays the newest one.

    Raises BadMapping with every fault.
    """
    parse_mapping(source)
    await store.lock_engagement(connection, scope)
    newest = await store.newest_mapping(connection, scope)
    digest = hashlib.sha256(source.encode()).digest()
    if newest is not None and newest.sha256 == digest:
        return newest, False
    made = StoredMapping(
        version=newest.version + 1 if newest else 1, sha256=digest, source=source, created_at=now
    )
    await store.insert_mapping(connection, scope, made)
    return made, True


async def find_mapping(
    connection: AsyncConnection, scope: Scope, version: int | None = None
) -> StoredMapping:
    """The newest without a version. Raises NotFound."""
    if version is None:
        found = await store.newest_mapping(connection, scope)
    else:
        found = await store.mapping(connection, scope, version)
    if found is None:
        raise NotFound("There is no such mapping.")
    return found


async def list_mappings(
    connection: AsyncConnection, scope: Scope, *, before: int | None, limit: int
) -> list[StoredMapping]:
    """The newest first, from the one before version `before`."""
    return await store.mappings(connection, scope, before=before, limit=limit)
