"""Rows of API keys."""

from typing import Any

import msgspec
from sqlalchemy import Row, bindparam, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.access.model import StoredKey
from vendorwatch.db import models
from vendorwatch.db.scope import Scope
from vendorwatch.periods import Micros

_scopes = msgspec.json.Decoder(frozenset[str])

_KEYS = select(
    models.ApiKey.merchant_id,
    models.ApiKey.engagement_id,
    models.ApiKey.key_id,
    models.ApiKey.secret_hash,
    models.ApiKey.scopes,
    models.ApiKey.created_at,
    models.ApiKey.expires_at,
    models.ApiKey.last_used_at,
    models.ApiKey.revoked_at,
)
# Put together once: it stands before every request.
_CALLED = _KEYS.where(models.ApiKey.key_id == bindparam("called"))


async def find_scope(connection: AsyncConnection, engagement_id: str) -> Scope | None:
    statement = select(models.Engagement.merchant_id).where(
        models.Engagement.engagement_id == engagement_id
    )
    merchant_id = (await connection.execute(statement)).scalar_one_or_none()
    return Scope(merchant_id=merchant_id, engagement_id=engagement_id) if merchant_id else None


async def add_key(connection: AsyncConnection, key: StoredKey) -> None:
    await connection.execute(
        insert(models.ApiKey).values(
            merchant_id=key.scope.merchant_id,
            key_id=key.key_id,
            engagement_id=key.scope.engagement_id,
            secret_hash=key.secret_hash,
            scopes=msgspec.json.encode(sorted(key.scopes)).decode(),
            created_at=key.created_at,
            expires_at=key.expires_at,
            last_used_at=key.last_used_at,
            revoked_at=key.revoked_at,
        )
    )


async def keys_called(connection: AsyncConnection, key_id: str) -> list[StoredKey]:
    """Before it is known whose key it is; one merchant's ids may repeat another's."""
    return [_key(row) for row in await connection.execute(_CALLED, {"called": key_id})]


async def keys(connection: AsyncConnection, scope: Scope) -> list[StoredKey]:
    """From the oldest to the newest."""
    statement = _KEYS.where(
        models.ApiKey.merchant_id == scope.merchant_id,
        models.ApiKey.engagement_id == scope.engagement_id,
    ).order_by(models.ApiKey.created_at, models.ApiKey.key_id)
    return [_key(row) for row in await connection.execute(statement)]


async def revoke(connection: AsyncConnection, scope: Scope, key_id: str, now: Micros) -> bool:
    """Whether it was not revoked before."""
    revoked = await connection.execute(
        update(models.ApiKey)
        .where(
            models.ApiKey.merchant_id == scope.merchant_id,
            models.ApiKey.engagement_id == scope.engagement_id,
            models.ApiKey.key_id == key_id,
            models.ApiKey.revoked_at.is_(None),
        )
        .values(revoked_at=now)
    )
    return bool(revoked.rowcount)


async def expire(connection: AsyncConnection, scope: Scope, key_id: str, *, at: Micros) -> None:
    """Never later than it would have anyway."""
    await connection.execute(
        update(models.ApiKey)
        .where(
            models.ApiKey.merchant_id == scope.merchant_id,
            models.ApiKey.engagement_id == scope.engagement_id,
            models.ApiKey.key_id == key_id,
            or_(models.ApiKey.expires_at.is_(None), models.ApiKey.expires_at > at),
        )
        .values(expires_at=at)
    )


async def note_use(
    connection: AsyncConnection, scope: Scope, key_id: str, *, unless_since: Micros, now: Micros
) -> None:
    await connection.execute(
        update(models.ApiKey)
        .where(
            models.ApiKey.merchant_id == scope.merchant_id,
            models.ApiKey.key_id == key_id,
            or_(
                models.ApiKey.last_used_at.is_(None),
                models.ApiKey.last_used_at <= unless_since,
            ),
        )
        .values(last_used_at=now)
    )


def _key(row: Row[*tuple[Any, ...]]) -> StoredKey:
    return StoredKey(
        scope=Scope(merchant_id=row.merchant_id, engagement_id=row.engagement_id),
        key_id=row.key_id,
        secret_hash=row.secret_hash,
        scopes=_scopes.decode(row.scopes),
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )
