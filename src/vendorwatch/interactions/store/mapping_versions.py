"""Mappings: how a vendor's own CSV is read, version by version."""

from sqlalchemy import Select, insert, select
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.db import models
from vendorwatch.db.base import HIGHEST_INTEGER
from vendorwatch.db.scope import Scope
from vendorwatch.interactions.model import StoredMapping


async def newest_mapping(connection: AsyncConnection, scope: Scope) -> StoredMapping | None:
    found = await connection.execute(
        _mappings(scope).order_by(models.Mapping.version.desc()).limit(1)
    )
    row = found.mappings().one_or_none()
    return _mapping(row) if row else None


async def mapping(connection: AsyncConnection, scope: Scope, version: int) -> StoredMapping | None:
    if version > HIGHEST_INTEGER:
        return None
    found = await connection.execute(_mappings(scope).where(models.Mapping.version == version))
    row = found.mappings().one_or_none()
    return _mapping(row) if row else None


async def mappings(
    connection: AsyncConnection, scope: Scope, *, before: int | None, limit: int
) -> list[StoredMapping]:
    """The newest first, from the one before version `before`."""
    query = _mappings(scope).order_by(models.Mapping.version.desc()).limit(limit)
    if before is not None:
        query = query.where(models.Mapping.version < before)
    return [_mapping(row) for row in (await connection.execute(query)).mappings()]


async def insert_mapping(connection: AsyncConnection, scope: Scope, mapping: StoredMapping) -> None:
    await connection.execute(
        insert(models.Mapping).values(
            engagement_id=scope.engagement_id,
            version=mapping.version,
            sha256=mapping.sha256,
            source=mapping.source,
            created_at=mapping.created_at,
        )
    )


def _mappings(scope: Scope) -> Select[tuple[object, ...]]:
    return select(*models.Mapping.__table__.columns).where(
        models.Mapping.engagement_id == scope.engagement_id
    )


def _mapping(row: RowMapping) -> StoredMapping:
    return StoredMapping(
        version=row["version"],
        sha256=row["sha256"],
        source=row["source"],
        created_at=row["created_at"],
    )
