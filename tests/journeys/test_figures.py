"""A log goes in over HTTP, and what comes out equals the oracle's figures to the last digit."""

import json

import httpx
import msgspec
import pytest

from conftest import MakeKey
from oracle import scores
from oracle.logs import Scenario, as_canonical_rows, random_scenario
from stopped_clock import StoppedClock
from vendorwatch.db.engine import Database
from vendorwatch.policies import service as policies
from vendorwatch.vendors import service as vendors
from vendorwatch.vendors.model import Engagement

LATER = "2026-11-20T00:00:00+00:00"  # after everything that happens in any scenario
COMPARED = ("month", "time_zone", "as_of", "status", "volume", "vendor_scores", "agents")


@pytest.mark.parametrize("seed", [3, 14, 24])
async def test_figures_of_an_uploaded_log(
    seed: int, client: httpx.AsyncClient, database: Database, clock: StoppedClock, key: MakeKey
) -> None:
    scenario = random_scenario(seed, n=90, columns_may_lack=False)
    clock.set(LATER)
    own, ids = await _engagements(scenario, database, clock)
    for vendor, engagement in ids.items():
        rows = [r for r in (*scenario.records, *scenario.pool) if r["vendor_id"] == vendor]
        await _upload(client, await key("upload", of=engagement), rows)
    async with database.write(own.scope) as connection:
        for source in scenario.policy_texts:
            await policies.set_policy(connection, own.scope, source, clock())

    clock.now = scenario.now
    token = await key("score", "read", of=own)
    asked = {"month": scenario.month}
    if scenario.as_of is not None:
        asked["as_of"] = _rfc3339(scenario.as_of)
    answer = await client.post("/v1/scorecards", json=asked, headers=_bearer(token))
    assert answer.status_code == 201, answer.text

    arguments = scenario.arguments() | {"knowledge": [], "reviews": [], "names": {}}
    for record in (*arguments["records"], *arguments["pool"]):
        record["vendor_id"] = ids[record["vendor_id"]].vendor_id
    expected = scores.scorecard(**arguments)
    found = {name: answer.json()[name] for name in COMPARED}
    assert json.dumps(found, indent=1) == json.dumps(
        {name: expected[name] for name in COMPARED}, indent=1
    )


async def _engagements(
    scenario: Scenario, database: Database, clock: StoppedClock
) -> tuple[Engagement, dict[str, Engagement]]:
    found = {}
    names = sorted({record["vendor_id"] for record in (*scenario.records, *scenario.pool)})
    async with database.write_as_operator() as connection:
        for name in names:
            found[name] = await vendors.create_engagement(
                connection, merchant="Tra Sen", vendor=name, time_zone=scenario.zone, now=clock()
            )
    return found[scenario.records[0]["vendor_id"]], found


async def _upload(client: httpx.AsyncClient, token: str, records: list[dict[str, object]]) -> None:
    body = b"\n".join(msgspec.json.encode(row) for row in as_canonical_rows(records))
    headers = {**_bearer(token), "Content-Type": "application/x-ndjson"}
    answer = await client.post("/v1/uploads", content=body, headers=headers)
    assert answer.status_code == 201, answer.text
    assert answer.json()["created"] == len(records)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _rfc3339(instant: int) -> str:
    return scores.rfc3339(instant)
