"""Which interactions of a month were sent anew since it was computed."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.db import models
from vendorwatch.db.scope import Scope
from vendorwatch.interactions.staged import IN_FORCE
from vendorwatch.periods import Micros
from vendorwatch.scorecards.model import Standing
from vendorwatch.scorecards.reading.parts import Conditions, Part

_Row = models.Interaction


async def standing_since(
    connection: AsyncConnection, scope: Scope, start: Micros, end: Micros, *, known: int
) -> tuple[Standing, Standing]:
    """Of those opened in `[start, end)`: what was in force when upload `known` was the newest and
    is not any more, and what is now and was not then.
    """
    part = Part({}, scope.engagement_id, known, start, end)
    gone = (*part.where(start, end), ~_Row.in_force)
    opened = (_Row.opened_at >= start, _Row.opened_at < end)
    own = _Row.engagement_id == scope.engagement_id
    new = (own, IN_FORCE, *opened, _Row.upload_sequence > known)
    return await _standing(connection, gone), await _standing(connection, new)


async def _standing(connection: AsyncConnection, conditions: Conditions) -> Standing:
    found = await connection.execute(
        select(_Row.source_account, _Row.interaction_id, _Row.status).where(*conditions)
    )
    return {(account, interaction_id): status for account, interaction_id, status in found}
