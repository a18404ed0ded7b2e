"""What a merchant counted is not lost by going back to a schema without a place for it."""

from datetime import date
from typing import Any

import pytest
from alembic.script import ScriptDirectory

from stopped_clock import StoppedClock
from vendorwatch.anomalies import service
from vendorwatch.anomalies.model import ContactCount
from vendorwatch.db import migrate
from vendorwatch.db.engine import Database
from vendorwatch.periods import Month
from vendorwatch.vendors.model import Engagement

SCRIPTS = ScriptDirectory.from_config(migrate.config())
BEFORE: Any = SCRIPTS.get_revision("0012").down_revision


async def test_a_downgrade_that_would_lose_counts_is_refused(
    database: Database, engagement: Engagement, clock: StoppedClock
) -> None:
    day, october = date(2026, 10, 1), Month(2026, 10)
    counts = [ContactCount(day=day, contacts=5)]
    async with database.write(engagement.scope) as connection:
        await service.set_counts(connection, engagement.scope, counts, clock())
    with pytest.raises(migrate.MigrationRefused, match="contact_counts: 1"):
        await migrate.downgrade(database, to=BEFORE)
    async with database.read(engagement.scope) as connection:
        found = await service.counts_of(connection, engagement.scope, october)
    assert found == {day: {None: 5}}
    await migrate.require_head(database)


async def test_without_counts_it_goes_down_and_up(
    database: Database, engagement: Engagement
) -> None:
    await migrate.downgrade(database, to=BEFORE)
    await migrate.upgrade(database)
    async with database.read(engagement.scope) as connection:
        assert await service.counts_of(connection, engagement.scope, Month(2026, 10)) == {}
