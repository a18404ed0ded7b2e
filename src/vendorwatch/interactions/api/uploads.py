"""What is kept of an upload: its receipt, its rejects and its body."""

import asyncio
import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Literal

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.response import Stream

from vendorwatch.db.engine import Database
from vendorwatch.db.objects import ObjectStore, StorageUnavailable
from vendorwatch.db.scope import Scope
from vendorwatch.errors import NotFound
from vendorwatch.interactions import service
from vendorwatch.interactions.api.bodies import RejectsOperation, SourceOperation
from vendorwatch.interactions.model import StoredReject, StoredUpload
from vendorwatch.interactions.rejects import CsvRejects, ndjson
from vendorwatch.interactions.shown import UploadReceipt, receipt_of
from vendorwatch.settings import Settings
from vendorwatch.web.paging import BadCursor, Pages
from vendorwatch.web.principal import InsufficientScope, Principal
from vendorwatch.web.problems import BadParameter, problem_responses

_REJECTS_AT_ONCE = 500
_CHUNK_BYTES = 256 * 2**10


@get(
    "/uploads",
    tags=["uploads"],
    summary="Receipts, the newest first",
    responses=problem_responses(InsufficientScope, BadCursor, BadParameter),
)
async def list_uploads(
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    settings: NamedDependency[Settings],
    pages: NamedDependency[Pages],
) -> Response[list[UploadReceipt]]:
    principal.require("upload", "read")
    listing = pages.of("uploads", int)
    async with database.read(principal.scope) as connection:
        found = await service.list_uploads(
            connection, principal.scope, before=listing.place, limit=listing.wanted
        )
    return listing.answer(
        found,
        place=lambda upload: upload.receipt.sequence,
        show=lambda upload: receipt_of(upload, settings.public_url),
    )


@get(
    "/uploads/{upload_id:str}",
    tags=["uploads"],
    summary="One receipt",
    responses=problem_responses(InsufficientScope, NotFound),
)
async def get_upload(
    upload_id: FromPath[str],
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    settings: NamedDependency[Settings],
) -> UploadReceipt:
    principal.require("upload", "read")
    return receipt_of(await _upload(database, principal.scope, upload_id), settings.public_url)


@get(
    "/uploads/{upload_id:str}/rejects",
    tags=["uploads"],
    summary="The refused and the skipped rows, as they came",
    description="As CSV the rows keep their columns and their bytes, with ours after them; mend "
    "them and send the file again: columns that start with `vendorwatch_` are not read.",
    operation_class=RejectsOperation,
    responses=problem_responses(InsufficientScope, NotFound, BadParameter),
)
async def get_rejects(
    upload_id: FromPath[str],
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    format_: Annotated[Literal["ndjson", "csv"], QueryParameter(name="format")] = "ndjson",
) -> Stream:
    principal.require("upload", "read")
    upload = await _upload(database, principal.scope, upload_id)
    name = f'attachment; filename="{upload_id}.rejects.{format_}"'
    if format_ == "ndjson":
        rows = _rejects(database, principal.scope, upload.receipt.sequence)
        stream: AsyncIterator[bytes] = (ndjson(batch) async for batch in rows)
        media = "application/x-ndjson"
    else:
        async with database.read(principal.scope) as connection:
            table = await service.rejects_table(connection, principal.scope, upload)
        stream = _csv(table, _rejects(database, principal.scope, upload.receipt.sequence))
        media = f"text/csv; charset={table.encoding}"
    return Stream(stream, headers={"Content-Type": media, "Content-Disposition": name})


async def _rejects(
    database: Database, scope: Scope, sequence: int
) -> AsyncIterator[list[StoredReject]]:
    # A transaction for each batch, so that a slow reader holds no connection; rejects never change.
    after = 0
    while True:
        async with database.read(scope) as connection:
            batch = await service.list_rejects(
                connection, scope, sequence, after=after, limit=_REJECTS_AT_ONCE
            )
        if not batch:
            return
        yield batch
        after = batch[-1].row


async def _csv(
    table: CsvRejects, batches: AsyncIterator[list[StoredReject]]
) -> AsyncIterator[bytes]:
    yield table.header()
    async for batch in batches:
        yield table.rows(batch)


@get(
    "/uploads/{upload_id:str}/source",
    tags=["uploads"],
    summary="The body as it was received",
    operation_class=SourceOperation,
    responses=problem_responses(InsufficientScope, NotFound, StorageUnavailable),
)
async def get_source(
    upload_id: FromPath[str],
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    objects: NamedDependency[ObjectStore],
) -> Stream:
    principal.require("upload", "read")
    upload = await _upload(database, principal.scope, upload_id)
    receipt = upload.receipt
    path = objects.path(principal.scope, receipt.sha256)
    if not path.is_file():
        raise StorageUnavailable("The stored body cannot be found.", retry_after_seconds=60)
    digest = base64.b64encode(receipt.sha256).decode()
    headers = {
        "Content-Type": upload.content_type,
        "Content-Length": str(receipt.size_bytes),
        "Content-Digest": f"sha-256=:{digest}:",
    }
    if receipt.content_encoding != "identity":
        headers["Content-Encoding"] = receipt.content_encoding
    return Stream(_chunks(path), headers=headers)


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while chunk := await asyncio.to_thread(file.read, _CHUNK_BYTES):
            yield chunk


async def _upload(database: Database, scope: Scope, upload_id: str) -> StoredUpload:
    async with database.read(scope) as connection:
        return await service.find_upload(connection, scope, upload_id)
