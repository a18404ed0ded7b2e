"""What the merchant counted: each set of a day's counts is kept, the newest one counts."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date

from sqlalchemy import Select, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.db import models
from vendorwatch.db.scope import Scope
from vendorwatch.integrity.log import CountedDay
from vendorwatch.periods import Micros

_Count = models.ContactCount
_ALL_CHANNELS = ""


async def counts(
    connection: AsyncConnection, scope: Scope, first: date, last: date
) -> dict[date, CountedDay]:
    """Of the days from `first` to `last` that the merchant said something of, oldest first."""
    newest = _newest(scope, first, last).subquery()
    found = await connection.execute(
        select(_Count.day, _Count.channel, _Count.contacts)
        .join(newest, (newest.c.day == _Count.day) & (newest.c.revision == _Count.revision))
        .where(_Count.engagement_id == scope.engagement_id)
        .order_by(_Count.day, _Count.channel)
    )
    by_day: dict[date, dict[str | None, int]] = defaultdict(dict)
    for day, channel, contacts in found:
        by_day[day][None if channel == _ALL_CHANNELS else channel] = contacts
    return dict(by_day)


async def add(
    connection: AsyncConnection, scope: Scope, counted: Mapping[date, CountedDay], now: Micros
) -> None:
    """As the next revision of each of the days."""
    days = counted.keys()
    revisions = await connection.execute(_newest(scope, min(days), max(days)))
    before = {row.day: row.revision for row in revisions}
    _ = await connection.execute(
        insert(_Count),
        [
            {
                "engagement_id": scope.engagement_id,
                "day": day,
                "revision": before.get(day, 0) + 1,
                "channel": _ALL_CHANNELS if channel is None else channel,
                "contacts": contacts,
                "created_at": now,
            }
            for day, cells in counted.items()
            for channel, contacts in cells.items()
        ],
    )


def _newest(scope: Scope, first: date, last: date) -> Select[date, int]:
    return (
        select(_Count.day, func.max(_Count.revision).label("revision"))
        .where(_Count.engagement_id == scope.engagement_id, _Count.day.between(first, last))
        .group_by(_Count.day)
    )
