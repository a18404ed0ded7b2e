"""Use cases about logs and the mappings that they are read with."""

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import date

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.audit import service as audit
from vendorwatch.audit.model import COMMAND, Actor
from vendorwatch.db.scope import Scope, is_id
from vendorwatch.errors import Fault, NotFound
from vendorwatch.interactions import store
from vendorwatch.interactions.mapping import parse_mapping
from vendorwatch.interactions.model import (
    SHOWN_FAULTS,
    Filter,
    Position,
    StoredMapping,
    StoredReject,
    StoredUpload,
)
from vendorwatch.interactions.rejects import CsvRejects
from vendorwatch.interactions.revision import Revision
from vendorwatch.periods import Micros, load_zone
from vendorwatch.vendors import service as vendors


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


async def first_faults(
    connection: AsyncConnection, scope: Scope, sequence: int
) -> tuple[Fault, ...]:
    """Of the refused rows of an upload, as they were told when it came."""
    faults: list[Fault] = []
    after = 0
    while len(faults) < SHOWN_FAULTS:
        rows = await store.rejects(connection, scope, sequence, after=after, limit=SHOWN_FAULTS)
        if not rows:
            break
        after = rows[-1].row
        faults += [msgspec.convert(each, Fault) for row in rows for each in row.errors]
    return tuple(faults[:SHOWN_FAULTS])


async def rejects_table(
    connection: AsyncConnection, scope: Scope, upload: StoredUpload
) -> CsvRejects:
    """Written as the file was written that the rows came in."""
    version = upload.receipt.mapping_version
    if version is None:
        return CsvRejects(upload.columns)
    mapping = await find_mapping(connection, scope, version)
    return CsvRejects(upload.columns, parse_mapping(mapping.source).dialect)


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


async def days_with_any(
    connection: AsyncConnection, scope: Scope, days: Sequence[tuple[date, Micros, Micros]]
) -> set[date]:
    """Of the days, each with its bounds, those on which an interaction was opened."""
    found = await store.any_opened(connection, scope, [(start, end) for _, start, end in days])
    return {day for (day, *_), there in zip(days, found, strict=True) if there}


async def newest_upload_at(connection: AsyncConnection, scope: Scope) -> Micros | None:
    """When the newest upload came, whatever became of its rows."""
    return await store.newest_upload_at(connection, scope)


async def find_revisions(
    connection: AsyncConnection, scope: Scope, interaction_id: str, source_account: str
) -> list[Revision]:
    """In the order in which they came. Raises NotFound."""
    found = await store.revisions(connection, scope, source_account, interaction_id)
    if not found:
        raise NotFound("There is no such interaction.")
    return found


async def set_mapping(
    connection: AsyncConnection, scope: Scope, source: str, *, now: Micros, by: Actor = COMMAND
) -> tuple[StoredMapping, bool]:
    """The mapping, and whether it is new: the newest one again stays the newest one.

    Raises BadMapping with every fault.
    """
    await asyncio.to_thread(parse_mapping, source)  # seconds, if every line of it is wrong
    await store.lock_engagement(connection, scope)
    newest = await store.newest_mapping(connection, scope)
    digest = hashlib.sha256(source.encode()).digest()
    if newest is not None and newest.sha256 == digest:
        return newest, False
    made = StoredMapping(
        version=newest.version + 1 if newest else 1, sha256=digest, source=source, created_at=now
    )
    await store.insert_mapping(connection, scope, made)
    await audit.record(
        connection, scope, "mapping.set", by, now, version=made.version, sha256=digest.hex()
    )
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
