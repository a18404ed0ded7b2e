"""One writer at a time: a row that is locked until the transaction ends.

Others may still refer to it. On SQLite there is one writer anyway.
"""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.db import models
from vendorwatch.db.scope import Scope
from vendorwatch.errors import NotFound


async def lock_engagement(connection: AsyncConnection, scope: Scope) -> None:
    """For what numbers something of an engagement, or decides by what it reads of it. Raises NotFound."""
    found = await connection.scalar(
        select(models.Engagement.engagement_id)
        .where(models.Engagement.engagement_id == scope.engagement_id)
        .with_for_update(key_share=True)
    )
    if found is None:
        raise NotFound("There is no such engagement.")


async def lock_merchant(connection: AsyncConnection, merchant_id: str) -> None:
    """The same of what all of a merchant's vendors share. Raises NotFound."""
    found = await connection.scalar(
        select(models.Merchant.merchant_id)
        .where(models.Merchant.merchant_id == merchant_id)
        .with_for_update(key_share=True)
    )
    if found is None:
        raise NotFound("There is no such merchant.")
