"""Rows of the audit; no statement here changes or removes one."""

from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import Row, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.audit.model import Action, Actor, Entry, StoredEntry
from vendorwatch.db import models
from vendorwatch.db.scope import Scope

_Audit = models.AuditEntry
_Head = models.AuditHead


async def take_place(connection: AsyncConnection, scope: Scope) -> tuple[int, bytes | None]:
    """The next sequence, and the hash of the entry before it. Nobody else takes one meanwhile."""
    insert_head = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    first = insert_head(_Head).values(engagement_id=scope.engagement_id, sequence=1)
    found = await connection.execute(
        first.on_conflict_do_update(
            index_elements=[_Head.engagement_id], set_={"sequence": _Head.sequence + 1}
        ).returning(_Head.sequence)
    )
    sequence = int(found.scalar_one())
    previous = await connection.execute(
        select(_Audit.sha256).where(
            _Audit.engagement_id == scope.engagement_id, _Audit.sequence == sequence - 1
        )
    )
    return sequence, previous.scalar_one_or_none()


async def newest_sequence(connection: AsyncConnection, scope: Scope) -> int:
    """As it is remembered beside the entries; 0 before the first."""
    found = await connection.scalar(
        select(_Head.sequence).where(_Head.engagement_id == scope.engagement_id)
    )
    return int(found or 0)


async def insert_entry(connection: AsyncConnection, entry: Entry) -> None:
    await connection.execute(
        insert(_Audit).values(
            engagement_id=entry.engagement_id,
            sequence=entry.sequence,
            created_at=entry.at,
            action=entry.action,
            key_id=entry.by.key_id,
            request_id=entry.by.request_id,
            detail=entry.detail_text(),
            previous_sha256=entry.previous_sha256,
            sha256=entry.sha256(),
        )
    )


async def newest(
    connection: AsyncConnection,
    scope: Scope,
    *,
    actions: Collection[Action] | None,
    before: int | None,
    limit: int,
) -> list[StoredEntry]:
    """The newest first, from the one before sequence `before`; `actions`: no others."""
    statement = (
        select(*_COLUMNS)
        .where(_Audit.engagement_id == scope.engagement_id)
        .order_by(_Audit.sequence.desc())
        .limit(limit)
    )
    if actions is not None:
        statement = statement.where(_Audit.action.in_(actions))
    if before is not None:
        statement = statement.where(_Audit.sequence < before)
    return [_entry(row) for row in await connection.execute(statement)]


async def oldest(
    connection: AsyncConnection, scope: Scope, *, after: int, limit: int
) -> list[StoredEntry]:
    """The oldest first, from the one behind sequence `after`."""
    statement = (
        select(*_COLUMNS)
        .where(_Audit.engagement_id == scope.engagement_id, _Audit.sequence > after)
        .order_by(_Audit.sequence)
        .limit(limit)
    )
    return [_entry(row) for row in await connection.execute(statement)]


_COLUMNS = (
    _Audit.engagement_id,
    _Audit.sequence,
    _Audit.created_at,
    _Audit.action,
    _Audit.key_id,
    _Audit.request_id,
    _Audit.detail,
    _Audit.previous_sha256,
    _Audit.sha256,
)


def _entry(row: Row[*tuple[Any, ...]]) -> StoredEntry:
    entry = Entry(
        engagement_id=row.engagement_id,
        sequence=row.sequence,
        at=row.created_at,
        action=row.action,
        by=Actor(row.key_id, row.request_id),
        detail=msgspec.json.decode(row.detail),
        previous_sha256=row.previous_sha256,
    )
    return StoredEntry(entry, row.sha256)
