"""The versions of an engagement's policy."""

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.db import models
from vendorwatch.db.scope import Scope
from vendorwatch.policies.model import StoredPolicy


async def lock(connection: AsyncConnection, scope: Scope) -> None:
    """One writer at a time, so that two versions get different numbers."""
    _ = await connection.execute(
        select(models.Engagement.engagement_id)
        .where(models.Engagement.engagement_id == scope.engagement_id)
        .with_for_update(key_share=True)
    )


async def policies(connection: AsyncConnection, scope: Scope) -> list[StoredPolicy]:
    """Oldest first."""
    policy = models.Policy
    found = await connection.execute(
        select(
            policy.policy_id,
            policy.version,
            policy.sha256,
            policy.name,
            policy.effective_from,
            policy.source,
            policy.created_at,
        )
        .where(policy.engagement_id == scope.engagement_id)
        .order_by(policy.version)
    )
    return [
        StoredPolicy(policy_id, version, sha256.hex(), name, effective_from, source, created_at)
        for policy_id, version, sha256, name, effective_from, source, created_at in found
    ]


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
