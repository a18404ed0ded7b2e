"""What was decided about months is not lost by going back to a schema without a place for it."""

from typing import Any

import pytest
from alembic.script import ScriptDirectory

from stopped_clock import StoppedClock
from vendorwatch.closing import issuing
from vendorwatch.closing.model import Rules
from vendorwatch.db import migrate
from vendorwatch.db.engine import Database
from vendorwatch.vendors.model import Engagement

SCRIPTS = ScriptDirectory.from_config(migrate.config())
BEFORE: Any = SCRIPTS.get_revision("0006").down_revision


async def test_a_downgrade_that_would_lose_rows_is_refused(
    database: Database, engagement: Engagement, clock: StoppedClock
) -> None:
    rules = Rules(approval="hold")
    async with database.write(engagement.scope) as connection:
        await issuing.set_rules(connection, engagement.scope, rules, clock())
    with pytest.raises(migrate.MigrationRefused, match="closing_rules: 1"):
        await migrate.downgrade(database, to=BEFORE)
    async with database.read(engagement.scope) as connection:
        assert await issuing.read_rules(connection, engagement.scope) == rules
    await migrate.require_head(database)


async def test_without_rows_it_goes_down_and_up(database: Database, engagement: Engagement) -> None:
    await migrate.downgrade(database, to=BEFORE)
    await migrate.upgrade(database)
    async with database.read(engagement.scope) as connection:
        assert await issuing.read_rules(connection, engagement.scope) == Rules()
