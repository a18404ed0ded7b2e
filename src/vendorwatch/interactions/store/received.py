"""Uploads, interactions, rejects and mappings in the database."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.db import models
from vendorwatch.db.scope import Scope
from vendorwatch.errors import NotFound
from vendorwatch.interactions.intake import REJECT_COLUMNS, STAGED_COLUMNS
from vendorwatch.interactions.model import (
    Filter,
    Position,
    Receipt,
    StoredReject,
    StoredUpload,
    canonical_json,
)
from vendorwatch.interactions.revision import Revision, revision
from vendorwatch.interactions.staged import IN_FORCE, StagedTables
from vendorwatch.interactions.staging import Staging
from vendorwatch.periods import Micros

_TABLES = models.Interaction.metadata.tables


def _staging(*, lasting: bool) -> Staging:
    names = (models.Interaction, models.Reject, models.Agent)
    interactions, rejects_, agents = (_TABLES[each.__tablename__] for each in names)
    tables = (interactions, STAGED_COLUMNS, rejects_, REJECT_COLUMNS, agents)
    return Staging(StagedTables(*tables, lasting=lasting))


BRIEF, LASTING = _staging(lasting=False), _staging(lasting=True)
"""Where an upload's rows are staged: for one transaction, or until they are cleared."""

# What every upload asks and writes is put together once, which costs more than running it does.
_IS_OWN = models.Upload.engagement_id == bindparam("owner")
_HAS_KEY = models.Upload.idempotency_key.in_(bindparam("keys", expanding=True))
_HAS_CONTENT = and_(
    models.Upload.request_sha256 == bindparam("request_sha256"),
    models.Upload.read_by == bindparam("read_by"),
    models.Upload.rejected == 0,
    models.Upload.skipped == 0,
    models.Upload.received_at <= bindparam("now"),
)
_UPLOADS = select(*models.Upload.__table__.columns).where(_IS_OWN)
_BY_KEY_OR_CONTENT = (
    select(
        models.Upload.upload_id,
        models.Upload.idempotency_key,
        _HAS_CONTENT.label("has_content"),
    )
    .where(_IS_OWN, or_(_HAS_KEY, _HAS_CONTENT))
    .order_by(case((_HAS_KEY, 0), else_=1), models.Upload.sequence.desc())
    .limit(3)  # two keys, and the content
)
_BY_KEY_OR_PLACE = select(
    models.Upload.upload_id,
    models.Upload.idempotency_key,
    models.Upload.sequence,
    models.Upload.receipt_sha256,
).where(_IS_OWN, or_(_HAS_KEY, models.Upload.sequence == bindparam("sequence")))
_RECEIVED_SINCE = select(
    func.max(models.Upload.sequence),
    func.sum(models.Upload.received),
    func.sum(models.Upload.size_bytes),
).where(
    _IS_OWN,
    models.Upload.sequence > bindparam("after"),
    models.Upload.received_at >= bindparam("since"),
)
_NEWEST_SEQUENCE = select(models.Engagement.upload_sequence).where(
    models.Engagement.engagement_id == bindparam("owner")
)
_LOCKED_SEQUENCE = _NEWEST_SEQUENCE.with_for_update(key_share=True)
_INSERT_UPLOAD = insert(models.Upload)
_COUNT_UPLOAD = (
    update(models.Engagement)
    .where(models.Engagement.engagement_id == bindparam("owner"))
    .values(upload_sequence=bindparam("newest"))
)


async def lock_engagement(
    connection: AsyncConnection, scope: Scope, *, exclusively: bool = True
) -> int:
    """The sequence of the engagement's newest upload; no other upload gets past here meanwhile."""
    query = _LOCKED_SEQUENCE if exclusively else _NEWEST_SEQUENCE
    found = await connection.scalar(query, {"owner": scope.engagement_id})
    if found is None:
        raise NotFound("There is no such engagement.")
    return int(found)


async def new_after(
    connection: AsyncConnection, scope: Scope, staged: int, *, is_distinct: bool
) -> int | None:
    """The sequence of the newest upload, if all that is staged in LASTING is new beside what came
    with it and before it; to be asked before anything is locked.

    On SQLite nobody knows: whoever wants to commit would wait while it is found out.
    """
    if connection.dialect.name != "postgresql":
        return None
    newest = await lock_engagement(connection, scope, exclusively=False)
    is_new = await LASTING.advise(connection, scope, staged, is_distinct=is_distinct)
    return newest if is_new else None


async def any_opened(
    connection: AsyncConnection, scope: Scope, spans: Sequence[tuple[Micros, Micros]]
) -> list[bool]:
    """For each span `[start, end)` whether an interaction that is in force was opened in it."""
    if not spans:
        return []
    row = models.Interaction
    own = row.engagement_id == scope.engagement_id
    asked = [
        exists().where(own, IN_FORCE, row.opened_at >= start, row.opened_at < end)
        for start, end in spans
    ]
    return [bool(each) for each in (await connection.execute(select(*asked))).one()]


async def newest_upload_at(connection: AsyncConnection, scope: Scope) -> Micros | None:
    table = models.Upload
    found = await connection.scalar(
        select(table.received_at)
        .where(table.engagement_id == scope.engagement_id)
        .order_by(table.sequence.desc())
        .limit(1)
    )
    return None if found is None else int(found)


async def received_since(
    connection: AsyncConnection, scope: Scope, *, after: int, since: Micros
) -> tuple[int, int, int]:
    """Newest sequence, rows and bytes of the uploads after sequence `after` that came since then."""
    values = {"owner": scope.engagement_id, "after": after, "since": since}
    sequence, rows, size = (await connection.execute(_RECEIVED_SINCE, values)).one()
    return int(sequence or after), int(rows or 0), int(size or 0)


async def insert_upload(
    connection: AsyncConnection,
    scope: Scope,
    upload: StoredUpload,
    *,
    idempotency_key: str | None,
    key_id: str | None,
    read_by: bytes | None,
) -> None:
    receipt = upload.receipt
    row = {
        "engagement_id": scope.engagement_id,
        "idempotency_key": idempotency_key,
        "key_id": key_id,
        "read_by": read_by,
        "request_sha256": upload.request_sha256,
        "content_type": upload.content_type,
        "columns": canonical_json(list(upload.columns)),
        "receipt_sha256": receipt.receipt_sha256(),
        "measurable": canonical_json(list(receipt.measurable)),
        "extra_columns": canonical_json(list(receipt.extra_columns)),
        "flags": canonical_json(list(receipt.flags)) if receipt.flags else None,
        **{name: getattr(receipt, name) for name in _PLAIN},
    }
    await connection.execute(_INSERT_UPLOAD, row)
    counted = {"owner": scope.engagement_id, "newest": receipt.sequence}
    await connection.execute(_COUNT_UPLOAD, counted)


# Columns of `uploads` that a receipt holds under the same name and as they are.
_PLAIN = tuple(
    name
    for name in Receipt.__dataclass_fields__
    if name not in {"media_type", "measurable", "extra_columns", "flags"}
)


async def upload_by_key_or_content(
    connection: AsyncConnection,
    scope: Scope,
    keys: Sequence[str],
    request_sha256: bytes,
    read_by: bytes,
    *,
    now: Micros,
) -> tuple[StoredUpload | None, StoredUpload | None]:
    """The one with the first of those two keys that there is; and the newest of the same request of
    which every row was stored, as the same code read it. In one question, unless there is one.
    """
    values = {
        "owner": scope.engagement_id,
        "keys": keys,
        "request_sha256": request_sha256,
        "read_by": read_by,
        "now": now,
    }
    found = await connection.execute(_BY_KEY_OR_CONTENT, values)
    rows = found.all()
    keyed = _first(keys, {row.idempotency_key: row.upload_id for row in rows})
    whole = next((row.upload_id for row in rows if row.has_content), None)
    return (
        await upload(connection, scope, keyed) if keyed else None,
        await upload(connection, scope, whole) if whole else None,
    )


async def upload_by_key_or_place(
    connection: AsyncConnection, scope: Scope, keys: Sequence[str], sequence: int
) -> tuple[StoredUpload | None, bytes | None]:
    """The one with the first of those keys that there is, and the receipt's hash of the one with that
    sequence. In one question, as this is asked under a lock, unless there is one with such a key.
    """
    values = {"owner": scope.engagement_id, "keys": keys, "sequence": sequence}
    found = await connection.execute(_BY_KEY_OR_PLACE, values)
    rows = found.all()
    keyed = _first(keys, {row.idempotency_key: row.upload_id for row in rows})
    placed = next((row.receipt_sha256 for row in rows if row.sequence == sequence), None)
    return await upload(connection, scope, keyed) if keyed else None, placed


def _first(keys: Sequence[str], uploads_by_key: Mapping[str | None, str]) -> str | None:
    return next((uploads_by_key[key] for key in keys if key in uploads_by_key), None)


async def upload(connection: AsyncConnection, scope: Scope, upload_id: str) -> StoredUpload | None:
    query = _UPLOADS.where(models.Upload.upload_id == upload_id)
    found = await connection.execute(query, {"owner": scope.engagement_id})
    row = found.mappings().one_or_none()
    return _upload(row) if row else None


async def uploads(
    connection: AsyncConnection, scope: Scope, *, before: int | None, limit: int
) -> list[StoredUpload]:
    """The newest first, from the one before sequence `before`."""
    query = _UPLOADS.order_by(models.Upload.sequence.desc()).limit(limit)
    if before is not None:
        query = query.where(models.Upload.sequence < before)
    found = await connection.execute(query, {"owner": scope.engagement_id})
    return [_upload(row) for row in found.mappings()]


def _upload(row: RowMapping) -> StoredUpload:
    receipt = Receipt(
        media_type=row["content_type"].partition(";")[0].strip().lower(),
        measurable=tuple(json.loads(row["measurable"])),
        extra_columns=tuple(json.loads(row["extra_columns"])),
        flags=tuple(json.loads(row["flags"] or "[]")),
        **{name: row[name] for name in _PLAIN},
    )
    return StoredUpload(
        receipt=receipt,
        receipt_sha256=row["receipt_sha256"],
        request_sha256=row["request_sha256"],
        content_type=row["content_type"],
        columns=tuple(json.loads(row["columns"])),
    )


async def rejects(
    connection: AsyncConnection, scope: Scope, sequence: int, *, after: int, limit: int
) -> list[StoredReject]:
    """Of one upload, in the order of the file, from the row after row `after`."""
    table = models.Reject
    found = await connection.execute(
        select(*table.__table__.columns)
        .where(
            table.engagement_id == scope.engagement_id,
            table.upload_sequence == sequence,
            table.row_number > after,
        )
        .order_by(table.row_number)
        .limit(limit)
    )
    return [
        StoredReject(
            row=row["row_number"],
            line=row["line_number"],
            offset=row["byte_offset"],
            outcome=row["outcome"],
            field=row["field"],
            code=row["code"],
            message=row["message"],
            errors=tuple(json.loads(row["faults"])),
            raw=row["raw"],
        )
        for row in found.mappings()
    ]


async def in_force(
    connection: AsyncConnection,
    scope: Scope,
    wanted: Filter,
    *,
    after: Position | None,
    limit: int,
) -> list[Revision]:
    """In the order of Position, from the one after `after`; the same order on both engines."""
    table = models.Interaction
    code_points = "C" if connection.dialect.name == "postgresql" else "BINARY"
    position = (
        table.opened_at,
        table.source_account.collate(code_points),
        table.interaction_id.collate(code_points),
    )
    query = _revisions(scope).where(IN_FORCE).order_by(*position).limit(limit)
    if wanted.opened_from is not None:
        query = query.where(table.opened_at >= wanted.opened_from)
    if wanted.opened_to is not None:
        query = query.where(table.opened_at < wanted.opened_to)
    for column, value in (
        (table.agent_id, wanted.agent_id),
        (table.channel, wanted.channel),
        (table.status, wanted.status),
    ):
        if value is not None:
            query = query.where(column == value)
    if after is not None:
        query = query.where(tuple_(*position) > tuple_(*after))
    return [revision(dict(row)) for row in (await connection.execute(query)).mappings()]


async def revisions(
    connection: AsyncConnection, scope: Scope, source_account: str, interaction_id: str
) -> list[Revision]:
    """Every revision of one interaction, in the order in which they came."""
    table = models.Interaction
    found = await connection.execute(
        _revisions(scope)
        .where(table.source_account == source_account, table.interaction_id == interaction_id)
        .order_by(table.upload_sequence, table.row_number)
    )
    return [revision(dict(row)) for row in found.mappings()]


async def all_revisions(
    connection: AsyncConnection, scope: Scope, *, after: tuple[str, str] | None, limit: int
) -> list[dict[str, Any]]:
    """Whole rows by (source_account, interaction_id), from the interaction behind `after`."""
    table = models.Interaction
    name = (table.source_account, table.interaction_id)
    query = (
        select(*table.__table__.columns)
        .where(table.engagement_id == scope.engagement_id)
        .order_by(*name)
        .limit(limit)
    )
    if after is not None:
        query = query.where(tuple_(*name) > tuple_(*after))
    return [dict(row) for row in (await connection.execute(query)).mappings()]


async def rejects_by_upload(connection: AsyncConnection, scope: Scope) -> dict[int, int]:
    """How many rows were refused or skipped, by the upload's sequence."""
    found = await connection.execute(
        select(models.Reject.upload_sequence, func.count())
        .where(models.Reject.engagement_id == scope.engagement_id)
        .group_by(models.Reject.upload_sequence)
    )
    return {sequence: count for sequence, count in found}  # noqa: C416  rows are no pairs to mypy


def _revisions(scope: Scope) -> Select[tuple[object, ...]]:
    table, uploads_ = models.Interaction, models.Upload
    return (
        select(*table.__table__.columns, uploads_.upload_id)
        .join(
            uploads_,
            and_(
                uploads_.engagement_id == table.engagement_id,
                uploads_.sequence == table.upload_sequence,
            ),
        )
        .where(table.engagement_id == scope.engagement_id)
    )
