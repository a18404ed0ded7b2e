"""`/v1/vendors`, `/v1/engagements`, `/v1/agents`."""

import uuid

import httpx
import pytest

from conftest import MakeKey
from vendorwatch.vendors.model import Engagement


async def bearer(key: MakeKey, *scopes: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {await key(*scopes)}"}


async def test_a_key_sees_its_own_engagement_alone(
    client: httpx.AsyncClient, key: MakeKey, engagement: Engagement, rival: Engagement
) -> None:
    headers = await bearer(key, "upload")
    vendors = (await client.get("/v1/vendors", headers=headers)).json()
    assert vendors == [{"vendor_id": engagement.vendor_id, "name": "Hoa Sen BPO"}]
    shown = {
        "engagement_id": engagement.engagement_id,
        "merchant_id": engagement.merchant_id,
        "merchant_name": "Trà Sen",
        "vendor_id": engagement.vendor_id,
        "vendor_name": "Hoa Sen BPO",
        "time_zone": "Asia/Ho_Chi_Minh",
    }
    assert (await client.get("/v1/engagements", headers=headers)).json() == [shown]
    own = await client.get(f"/v1/engagements/{engagement.engagement_id}", headers=headers)
    assert own.json() == shown


async def test_somebody_elses_engagement_is_as_unknown_as_none(
    client: httpx.AsyncClient, key: MakeKey, rival: Engagement, stranger: Engagement
) -> None:
    headers = await bearer(key, "read")
    answers = [
        await client.get(f"/v1/engagements/{unknown}", headers=headers)
        for unknown in (uuid.uuid4(), rival.engagement_id, stranger.engagement_id, "x", "%00")
    ]
    assert {answer.status_code for answer in answers} == {404}
    bodies = [answer.json() | {"request_id": ""} for answer in answers]
    assert bodies == [bodies[0]] * len(answers)


async def test_a_roster_over_http(client: httpx.AsyncClient, key: MakeKey) -> None:
    headers = await bearer(key, "upload")
    roster = [
        {"agent_id": "007", "name": "Nguyễn An", "languages": ["vi", "en"]},
        {"agent_id": "8", "team": "Night", "started_on": "2026-01-31", "aliases": ["zd-8"]},
    ]
    for created in (2, 0):
        answer = await client.put("/v1/agents", json=roster, headers=headers)
        assert answer.json() == {"received": 2, "created": created, "updated": 2 - created}
    listed = (await client.get("/v1/agents", headers=headers)).json()
    assert listed[0] == {
        "agent_id": "007",
        "name": "Nguyễn An",
        "team": None,
        "started_on": None,
        "ended_on": None,
        "languages": ["vi", "en"],
        "aliases": [],
        "on_roster": True,
    }
    assert [agent["agent_id"] for agent in listed] == ["007", "8"]


async def test_rivals_do_not_see_each_others_agents(
    client: httpx.AsyncClient, key: MakeKey, rival: Engagement
) -> None:
    await client.put("/v1/agents", json=[{"agent_id": "a"}], headers=await bearer(key, "upload"))
    theirs = {"Authorization": f"Bearer {await key('read', of=rival)}"}
    assert (await client.get("/v1/agents", headers=theirs)).json() == []


@pytest.mark.parametrize("scope", ["read", "score"])
async def test_a_roster_needs_the_scope(
    client: httpx.AsyncClient, key: MakeKey, scope: str
) -> None:
    answer = await client.put("/v1/agents", json=[], headers=await bearer(key, scope))
    assert answer.status_code == 403
    assert "upload or manage" in answer.json()["detail"]


async def test_a_refused_roster_names_rows_and_fields(
    client: httpx.AsyncClient, key: MakeKey
) -> None:
    headers = await bearer(key, "upload")
    roster = [{"agent_id": "a"}, {"agent_id": "a", "ended_on": "x"}]
    answer = await client.put("/v1/agents", json=roster, headers=headers)
    assert answer.status_code == 422
    assert [(e["row"], e["field"], e["code"]) for e in answer.json()["errors"]] == [
        (2, "ended_on", "bad_value"),
        (2, "agent_id", "duplicate_id"),
    ]
    assert (await client.get("/v1/agents", headers=headers)).json() == []
