"""Scorecards over HTTP: computed, kept, and shown as JSON, PDF and CSV."""

import asyncio
import csv
import io
from typing import Any

import httpx
import pypdf
import pytest

from conftest import MakeKey
from sample_logs import ndjson, row
from vendorwatch.db.engine import Database
from vendorwatch.policies import service
from vendorwatch.vendors.model import Engagement

MONTH = {"month": "2026-10"}


@pytest.fixture
async def caller(client: httpx.AsyncClient, key: MakeKey) -> httpx.AsyncClient:
    client.headers["Authorization"] = f"Bearer {await key('upload', 'read', 'score')}"
    return client


async def upload(caller: httpx.AsyncClient, *rows: dict[str, Any]) -> None:
    headers = {"Content-Type": "application/x-ndjson"}
    answer = await caller.post("/v1/uploads", content=ndjson(list(rows)), headers=headers)
    assert answer.status_code == 201, answer.text


async def test_what_was_computed_can_be_fetched_again(caller: httpx.AsyncClient) -> None:
    await upload(caller, row(1), row(2))
    made = await caller.post("/v1/scorecards", json=MONTH)
    assert made.status_code == 201
    card = made.json()
    assert card["schema"] == "vendorwatch/scorecard/1"
    assert card["volume"]["in_month"] == 2
    assert (card["status"], card["revision"]) == ("provisional", 0)
    fetched = await caller.get(made.headers["Location"])
    assert fetched.json() == card
    unchanged = await caller.get(
        made.headers["Location"], headers={"If-None-Match": fetched.headers["ETag"]}
    )
    assert unchanged.status_code == 304
    listed = (await caller.get("/v1/scorecards?month=2026-10")).json()
    assert [each["id"] for each in listed] == [card["id"]]


async def test_nothing_new_is_the_same_scorecard(caller: httpx.AsyncClient) -> None:
    await upload(caller, row(1))
    asked = MONTH | {"as_of": "2026-11-01T00:00:00Z"}
    first = await caller.post("/v1/scorecards", json=asked)
    again = await caller.post("/v1/scorecards", json=asked)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    await upload(caller, row(2))
    changed = await caller.post("/v1/scorecards", json=asked)
    assert changed.status_code == 201
    assert changed.json()["records_sha256"] != first.json()["records_sha256"]
    old = await caller.get(first.headers["Location"])
    assert old.json() == first.json()


async def test_computed_many_times_at_once_it_is_kept_once(caller: httpx.AsyncClient) -> None:
    await upload(caller, row(1))
    asked = MONTH | {"as_of": "2026-11-01T00:00:00Z"}
    answers = await asyncio.gather(*(caller.post("/v1/scorecards", json=asked) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_scorecards_come_page_by_page(caller: httpx.AsyncClient) -> None:
    months = ["2026-07", "2026-10", "2026-08", "2026-09"]
    for month in months:
        assert (await caller.post("/v1/scorecards", json={"month": month})).status_code == 201
    found, address = [], "/v1/scorecards?limit=3"
    while address:
        answer = await caller.get(address)
        found += [each["month"] for each in answer.json()]
        address = answer.links["next"]["url"] if "next" in answer.links else ""
    assert found == sorted(months, reverse=True)


@pytest.mark.parametrize("engine_name", ["sqlite"])  # nothing here depends on the engine
async def test_pdf_and_csv_show_the_document(caller: httpx.AsyncClient) -> None:
    await upload(caller, *(row(n) for n in range(1, 41)))
    card = (await caller.post("/v1/scorecards", json=MONTH)).json()
    pdf = await caller.get(f"{card['links']['pdf']}?language=vi")
    assert pdf.headers["Content-Type"] == "application/pdf"
    assert "Hoa-Sen-BPO_2026-10_r0.pdf" in pdf.headers["Content-Disposition"]
    reader = pypdf.PdfReader(io.BytesIO(pdf.content))
    text = "".join(page.extract_text() for page in reader.pages)
    assert "Hoa Sen BPO" in text
    assert card["records_sha256"] in text.replace("\n", "")
    figures = await caller.get(card["links"]["csv"])
    found = {
        line["metric"]: line
        for line in csv.DictReader(io.StringIO(figures.text))
        if line["level"] == "vendor"
    }
    for name, metric in card["vendor_scores"]["metrics"].items():
        assert found[name]["value"] == (metric["value"] or "")
        assert found[name]["denominator"] == str(metric["denominator"])


async def test_another_engagements_scorecard_is_not_there(
    caller: httpx.AsyncClient, key: MakeKey, rival: Engagement
) -> None:
    card = (await caller.post("/v1/scorecards", json=MONTH)).json()
    rivals = {"Authorization": f"Bearer {await key('read', of=rival)}"}
    answers = [
        await caller.get(f"/v1/scorecards/{name}{suffix}", headers=rivals)
        for suffix in ("", ".pdf", ".csv")
        for name in (card["id"], "0b6fb2a3-0000-4000-8000-000000000000", "nonsense")
    ]
    bodies = []
    for answer in answers:
        assert answer.status_code == 404
        bodies.append({k: v for k, v in answer.json().items() if k != "request_id"})
    assert all(body == bodies[0] for body in bodies)
    assert (await caller.get("/v1/scorecards", headers=rivals)).json() == []


@pytest.mark.parametrize("engine_name", ["sqlite"])
@pytest.mark.parametrize(
    ("asked", "status", "slug"),
    [
        ({"month": "2026-13"}, 422, "bad-scorecard-request"),
        ({"month": "2026-10", "as_of": "2026-11-01T00:00:00"}, 422, "bad-scorecard-request"),
        ({"month": "2026-10", "as_of": "2026-12-01T00:00:00Z"}, 422, "future-as-of"),
        ({"month": "2026-10", "score": 100}, 422, "bad-content"),
        ({}, 422, "bad-content"),
    ],
)
async def test_bad_requests_are_told(
    caller: httpx.AsyncClient, asked: dict[str, str], status: int, slug: str
) -> None:
    answer = await caller.post("/v1/scorecards", json=asked)
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (status, slug)


@pytest.mark.parametrize("engine_name", ["sqlite"])
async def test_computing_needs_its_scope(client: httpx.AsyncClient, key: MakeKey) -> None:
    client.headers["Authorization"] = f"Bearer {await key('upload', 'read')}"
    answer = await client.post("/v1/scorecards", json=MONTH)
    assert answer.status_code == 403
    assert "score" in answer.json()["detail"]


async def test_a_repeat_with_another_vendor_counts_and_shows_nothing_else(
    caller: httpx.AsyncClient, key: MakeKey, rival: Engagement
) -> None:
    await upload(caller, row(1, customer_ref="customer-7"))
    before = (await caller.post("/v1/scorecards", json=MONTH)).json()
    assert before["vendor_scores"]["metrics"]["repeat_contact_rate"]["numerator"] == 0
    body = ndjson([row(9, customer_ref="customer-7", agent_id="rivals-agent")])
    headers = {
        "Authorization": f"Bearer {await key('upload', of=rival)}",
        "Content-Type": "application/x-ndjson",
    }
    assert (await caller.post("/v1/uploads", content=body, headers=headers)).status_code == 201
    after = (await caller.post("/v1/scorecards", json=MONTH)).json()
    assert after["vendor_scores"]["metrics"]["repeat_contact_rate"]["numerator"] == 1
    assert after["volume"] == before["volume"]
    assert "rivals-agent" not in str(after)


async def test_the_policy_of_the_month_counts(
    database: Database, engagement: Engagement, caller: httpx.AsyncClient
) -> None:
    default = service.default_policy()
    assert (await caller.post("/v1/scorecards", json=MONTH)).json()["policy"] == {
        "id": "default",
        "version": 0,
        "sha256": default.sha256,
        "balance": True,
    }
    later = default.source.replace('"2000-01"', '"2026-10"')
    async with database.write(engagement.scope) as connection:
        for number, source in enumerate((later, default.source, later), 1):
            await service.set_policy(connection, engagement.scope, source, number)
    for month, version in (("2026-10", 3), ("2026-09", 2)):
        card = (await caller.post("/v1/scorecards", json={"month": month})).json()
        assert card["policy"]["version"] == version


async def test_a_month_computed_again_leaves_the_others_pages_as_they_are(
    caller: httpx.AsyncClient,
) -> None:
    await upload(caller, row(1), row(2, opened_at="2026-09-15T09:00:00+07:00"))
    await caller.post("/v1/scorecards", json={"month": "2026-09"})
    october = (await caller.post("/v1/scorecards", json=MONTH)).json()
    before = await caller.get(october["links"]["pdf"])
    await upload(caller, row(3, opened_at="2026-09-16T09:00:00+07:00"))
    again = await caller.post("/v1/scorecards", json={"month": "2026-09"})
    assert again.status_code == 201
    assert (await caller.get(october["links"]["pdf"])).content == before.content


async def test_who_is_credited_is_part_of_the_fingerprint(caller: httpx.AsyncClient) -> None:
    await upload(caller, row(1, agent_id="linh-elsewhere"))
    asked = MONTH | {"as_of": "2026-11-01T00:00:00Z"}
    before = (await caller.post("/v1/scorecards", json=asked)).json()
    roster = [{"agent_id": "linh", "aliases": ["linh-elsewhere"]}]
    assert (await caller.put("/v1/agents", json=roster)).status_code == 200
    after = (await caller.post("/v1/scorecards", json=asked)).json()
    assert [agent["agent_id"] for agent in before["agents"]] == ["linh-elsewhere"]
    assert [agent["agent_id"] for agent in after["agents"]] == ["linh"]
    assert after["records_sha256"] != before["records_sha256"]


async def test_months_stand_beside_a_scorecard_as_it_knew_them(caller: httpx.AsyncClient) -> None:
    for month in ("2026-07", "2026-09"):
        await upload(caller, *(row(n, opened_at=f"{month}-15T09:0{n}:00+07:00") for n in (1, 2)))
        assert (await caller.post("/v1/scorecards", json={"month": month})).status_code == 201
    card = (await caller.post("/v1/scorecards", json=MONTH)).json()
    asked = f"/v1/scorecards/{card['id']}/trends"
    before = (await caller.get(asked)).json()
    assert [each["month"] for each in before["months"]] == [
        "2026-07",
        "2026-08",
        "2026-09",
        "2026-10",
    ]
    assert [each["status"] for each in before["months"]] == ["final", None, "final", "provisional"]
    assert list(before["metrics"]) == list(card["vendor_scores"]["metrics"])
    for name, metric in card["vendor_scores"]["metrics"].items():
        assert before["metrics"][name]["values"][-1] == metric["value"]
        assert before["metrics"][name]["values"][1] is None
        assert before["metrics"][name]["trial"]
        assert len(before["metrics"][name]["signals"]) == 4
    await upload(caller, row(3, opened_at="2026-09-16T09:00:00+07:00", first_reply_at=None))
    assert (await caller.post("/v1/scorecards", json={"month": "2026-09"})).status_code == 201
    assert (await caller.get(asked)).json() == before


async def test_another_engagements_trends_are_not_there(
    caller: httpx.AsyncClient, key: MakeKey, rival: Engagement
) -> None:
    card = (await caller.post("/v1/scorecards", json=MONTH)).json()
    rivals = {"Authorization": f"Bearer {await key('read', of=rival)}"}
    sender = {"Authorization": f"Bearer {await key('upload')}"}
    asked = f"/v1/scorecards/{card['id']}/trends"
    assert (await caller.get(asked, headers=rivals)).status_code == 404
    assert (await caller.get(asked, headers=sender)).status_code == 403
