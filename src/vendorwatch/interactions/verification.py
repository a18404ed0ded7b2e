"""Walks what an engagement ever sent: receipts, sources, rows. Nothing is locked meanwhile."""

import asyncio
import hashlib
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from vendorwatch.db.engine import Database
from vendorwatch.db.objects import ObjectStore
from vendorwatch.db.scope import Scope
from vendorwatch.interactions import store
from vendorwatch.interactions.chain import Finding, RowCheck, compare_source, walk
from vendorwatch.interactions.model import StoredUpload

_UPLOADS_AT_ONCE = 500
_ROWS_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Verified:
    """`findings` in the order of the uploads; none where all is as it was received."""

    engagement_id: str
    uploads: int
    rows: int
    findings: tuple[Finding, ...]


async def verify_uploads(database: Database, objects: ObjectStore, scope: Scope) -> Verified:
    """Each page in a transaction of its own: all of it may take minutes, and others write."""
    async with database.read(scope) as connection:
        newest = await store.lock_engagement(connection, scope, exclusively=False)
    uploads = await _uploads(database, scope, newest)
    newest = max(newest, *(each.receipt.sequence for each in uploads), 0)
    findings = list(walk(uploads, newest))
    sources: dict[bytes, tuple[int, bytes] | None] = {}
    for upload in uploads:
        name = upload.receipt.sha256
        if name not in sources:
            sources[name] = await asyncio.to_thread(_source, objects.path(scope, name))
        findings += compare_source(upload, sources[name])
    check = RowCheck(newest)
    await _read_rows(database, scope, check)
    async with database.read(scope) as connection:
        rejects = await store.rejects_by_upload(connection, scope)
    findings += check.compare(uploads, rejects)
    findings.sort(key=lambda each: each.sequence or 0)
    return Verified(scope.engagement_id, len(uploads), check.rows.total(), tuple(findings))


async def _uploads(database: Database, scope: Scope, newest: int) -> list[StoredUpload]:
    """In the order of their sequence; one that comes while they are read is left out."""
    found: list[StoredUpload] = []
    while True:
        before = found[-1].receipt.sequence if found else None
        async with database.read(scope) as connection:
            page = await store.uploads(connection, scope, before=before, limit=_UPLOADS_AT_ONCE)
        found += page
        if len(page) < _UPLOADS_AT_ONCE:
            return found[::-1]


async def _read_rows(database: Database, scope: Scope, check: RowCheck) -> None:
    after: tuple[str, str] | None = None
    limit = _ROWS_AT_ONCE
    name = itemgetter("source_account", "interaction_id")
    while True:
        async with database.read(scope) as connection:
            page = await store.all_revisions(connection, scope, after=after, limit=limit)
        runs = [list(rows) for _, rows in groupby(page, key=name)]
        if len(page) == limit:
            runs.pop()  # may go on behind the end of the page
            if not runs:
                limit *= 2
                continue
        for revisions in runs:
            check.note(revisions)
            after = name(revisions[0])
        if len(page) < limit:
            return
        limit = _ROWS_AT_ONCE


def _source(path: Path) -> tuple[int, bytes] | None:
    if not path.is_file():
        return None
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        return file.tell(), digest.digest()
