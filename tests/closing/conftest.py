"""Hoa Sen's October, uploaded to a real application; what is due is closed by hand."""

import uuid
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from closing.doing import Done, do_due
from conftest import MakeKey
from sample_logs import ndjson, row
from stopped_clock import StoppedClock
from vendorwatch.closing import issuing, months
from vendorwatch.closing.model import Issuance, Rules, State
from vendorwatch.closing.states import read_state
from vendorwatch.db.engine import Database
from vendorwatch.periods import Month
from vendorwatch.scorecards import service as scorecards
from vendorwatch.scorecards.model import StoredScorecard
from vendorwatch.scorecards.verification import Verdict
from vendorwatch.scoring.document import canonical_json
from vendorwatch.vendors.model import Engagement

OCTOBER = Month(2026, 10)
DUE = "2026-11-07T17:00:00+00:00"  # of October in Asia/Ho_Chi_Minh, settled for 7 days


class Office:
    """One engagement whose months are closed, and what was sent for it."""

    def __init__(
        self, client: httpx.AsyncClient, database: Database, clock: StoppedClock, key: MakeKey,
        engagement: Engagement,
    ) -> None:  # fmt: skip
        self.client, self.database, self.clock = client, database, clock
        self.key, self.engagement, self.scope = key, engagement, engagement.scope

    async def headers(self, *scopes: str) -> dict[str, str]:
        given = scopes or ("upload", "read", "score", "manage")
        return {"Authorization": f"Bearer {await self.key(*given, of=self.engagement)}"}

    async def upload(self, *rows: dict[str, Any]) -> dict[str, Any]:
        headers = await self.headers() | {"Content-Type": "application/x-ndjson"}
        answer = await self.client.post("/v1/uploads", content=ndjson(rows), headers=headers)
        assert answer.status_code == 201, answer.text
        receipt: dict[str, Any] = answer.json()
        return receipt

    async def rules(self, **rules: Any) -> None:
        async with self.database.write(self.scope) as connection:
            await issuing.set_rules(
                connection, self.scope, Rules(**({"first_month": OCTOBER} | rules)), self.clock()
            )

    async def close(self) -> list[Done]:
        """Without looks at late data, which every closed month gets once a day."""
        done = await do_due(self.database, now=self.clock())
        return [each for each in done if each.action != "compare"]

    async def compare(self) -> list[Done]:
        done = await do_due(self.database, now=self.clock())
        return [each for each in done if each.action == "compare"]

    async def state(self) -> State:
        async with self.database.read(self.scope) as connection:
            return await read_state(connection, self.scope)

    async def revisions(self, month: Month = OCTOBER) -> list[Issuance]:
        async with self.database.read(self.scope) as connection:
            _, found = await months.find_closing(connection, self.scope, month, now=self.clock())
        return found

    async def card(self, issuance: Issuance) -> StoredScorecard:
        async with self.database.read(self.scope) as connection:
            return await scorecards.find_scorecard(connection, self.scope, issuance.scorecard_id)

    async def bytes_of(self, issuance: Issuance) -> str:
        return canonical_json((await self.card(issuance)).document)

    async def verify(self, issuance: Issuance) -> Verdict:
        async with self.database.read(self.scope) as connection:
            return await scorecards.verify(connection, self.scope, issuance.scorecard_id)

    async def rows_of(self, table: str) -> Sequence[Any]:
        async with self.database.read(self.scope) as connection:
            found = await connection.exec_driver_sql(f"SELECT * FROM {table}")  # noqa: S608  names of our own
            own = uuid.UUID(self.scope.engagement_id)
            return [row for row in found.mappings() if uuid.UUID(str(row["engagement_id"])) == own]


@pytest.fixture
async def office(
    client: httpx.AsyncClient,
    database: Database,
    clock: StoppedClock,
    key: MakeKey,
    engagement: Engagement,
) -> Office:
    made = Office(client, database, clock, key, engagement)
    await made.upload(*(row(n, agent_id=f"hs-0{n % 3}", csat=4) for n in range(1, 9)))
    await made.rules()
    return made
