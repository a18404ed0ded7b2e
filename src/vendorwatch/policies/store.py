"""The versions of an engagement's policy."""

from collections import defaultdict
from typing import Any

from sqlalchemy import Row, Select, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.db import models
from vendorwatch.db.scope import Scope
from vendorwatch.policies.model import StoredPolicy


async def policies(connection: AsyncConnection, scope: Scope) -> list[StoredPolicy]:
    """Oldest first."""
    own = models.Policy.engagement_id == scope.engagement_id
    return [_policy(row) for row in await connection.execute(_policies().where(own))]


async def everybodys_policies(connection: AsyncConnection) -> dict[str, list[StoredPolicy]]:
    """By engagement, oldest first."""
    found: dict[str, list[StoredPolicy]] = defaultdict(list)
    for row in await connection.execute(_policies()):
        found[row.engagement_id].append(_policy(row))
    return found


def _policies() -> Select[*tuple[Any, ...]]:
    return select(*models.Policy.__table__.columns).order_by(models.Policy.version)


def _policy(row: Row[*tuple[Any, ...]]) -> StoredPolicy:
    return StoredPolicy(
        policy_id=row.policy_id,
        version=row.version,
        sha256=row.sha256.hex(),
        name=row.name,
        effective_from=row.effective_from,
        source=row.source,
        created_at=row.created_at,
    )


async def add_policy(connection: AsyncConnection, scope: Scope, policy: StoredPolicy) -> None:
    _ = await connection.execute(
        insert(models.Policy).values(
            engagement_id=scope.engagement_id,
            version=policy.version,
            policy_id=policy.policy_id,
            name=policy.name,
            effective_from=policy.effective_from,
            sha256=bytes.fromhex(policy.sha256),
            source=policy.source,
            created_at=policy.created_at,
        )
    )
