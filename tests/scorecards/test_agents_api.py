"""One agent's page over HTTP, on both databases."""

from typing import Any
from urllib.parse import quote

import httpx
import pytest

from conftest import MakeKey
from knowledge.documents import attempt, check, document, load, question
from sample_logs import ndjson, row
from scorecards.test_render import text_of
from stopped_clock import StoppedClock
from vendorwatch.db.engine import Database
from vendorwatch.vendors.model import Engagement

MONTH = {"month": "2026-10"}
ONE, OTHER, ODD = "an-01", "bình-02", "a/b.pdf"


@pytest.fixture
async def caller(client: httpx.AsyncClient, key: MakeKey) -> httpx.AsyncClient:
    client.headers["Authorization"] = f"Bearer {await key('upload', 'read', 'score', 'manage')}"
    return client


async def upload(caller: httpx.AsyncClient, *rows: dict[str, Any]) -> None:
    headers = {"Content-Type": "application/x-ndjson"}
    answer = await caller.post("/v1/uploads", content=ndjson(list(rows)), headers=headers)
    assert answer.status_code == 201, answer.text


async def card_of(caller: httpx.AsyncClient) -> dict[str, Any]:
    log = [row(n, agent_id=(ONE, OTHER)[n % 2], topic="returns") for n in range(1, 25)]
    await upload(caller, *log, row(90, agent_id=ODD))
    roster = [{"agent_id": ONE, "name": "Trần An"}, {"agent_id": OTHER, "name": "Lê Bình"}]
    assert (await caller.put("/v1/agents", json=roster)).is_success
    card: dict[str, Any] = (await caller.post("/v1/scorecards", json=MONTH)).json()
    return card


def address(card: dict[str, Any], agent: str, suffix: str = "") -> str:
    return f"/v1/scorecards/{card['id']}/agents/{quote(agent, safe='')}{suffix}"


async def test_the_page_is_the_scorecards_own(caller: httpx.AsyncClient) -> None:
    card = await card_of(caller)
    answer = await caller.get(address(card, ONE))
    assert answer.status_code == 200, answer.text
    page = answer.json()
    [agent] = [each for each in card["agents"] if each["agent_id"] == ONE]
    assert page["agent"] == agent
    assert page["scorecard_sha256"] == card["document_sha256"]
    assert page["replies"][0]["channel"] == "email"
    assert page["replies"][0]["n"] == agent["metrics"]["first_reply_on_time"]["denominator"] == 12
    assert [each["contacts"] for each in page["topics"]] == [12]
    assert len(page["to_read"]) == 3
    assert OTHER not in answer.text
    assert "Bình" not in answer.text
    assert (await caller.get(page["links"]["self"])).json() == page


async def test_what_comes_later_changes_no_page(
    caller: httpx.AsyncClient, database: Database, engagement: Engagement, clock: StoppedClock
) -> None:
    card = await card_of(caller)
    before = [(await caller.get(address(card, ONE, each))).content for each in (".json", ".html")]
    await upload(caller, *(row(n, agent_id=ONE, status="open") for n in range(2, 25, 2)))
    asked = document(
        questions=[question("q1", [1])],
        checks=[check("2026-10", ["q1"])],
        assignments=[{"check_id": "2026-10", "agent_id": ONE}],
        attempts=[attempt(ONE, {"q1": [1]})],
    )
    await load(database, engagement, asked, clock())
    await caller.put("/v1/agents", json=[{"agent_id": ONE, "name": "Somebody Else"}])
    after = [(await caller.get(address(card, ONE, each))).content for each in (".json", ".html")]
    assert before == after
    card = (await caller.post("/v1/scorecards", json=MONTH)).json()
    again = (await caller.get(address(card, ONE))).json()
    assert again["agent"]["name"] == "Somebody Else"
    assert {"topic": "brewing_advice", "contacts": 0, "asked": 1, "right": 1} in again["topics"]


async def test_pdf_and_html_show_the_page(caller: httpx.AsyncClient) -> None:
    card = await card_of(caller)
    pdf = await caller.get(address(card, ONE, ".pdf?language=vi"))
    assert pdf.headers["Content-Type"] == "application/pdf"
    name = "Hoa-Sen-BPO_2026-10_r0_Tr%E1%BA%A7n-An.pdf"
    assert name in pdf.headers["Content-Disposition"]
    assert "Trần An" in text_of(pdf.content)
    assert "Không đo" in text_of(pdf.content)
    html = await caller.get(address(card, ONE, ".html"))
    assert html.headers["Content-Type"].startswith("text/html")
    assert "script-src" not in html.headers["Content-Security-Policy"]
    for page in (text_of(pdf.content), html.text):
        assert "Lê Bình" not in page
        assert OTHER not in page


@pytest.mark.parametrize("engine_name", ["sqlite"])  # nothing here depends on the engine
async def test_any_id_can_be_asked_for(caller: httpx.AsyncClient) -> None:
    card = await card_of(caller)
    for suffix in (".json", ".html", ".pdf"):
        answer = await caller.get(address(card, ODD, suffix))
        assert answer.status_code == 200, answer.text
    assert (await caller.get(address(card, ODD, ".json"))).json()["agent"]["agent_id"] == ODD
    assert (await caller.get(address(card, ODD))).status_code == 404  # a PDF of a/b


async def test_who_is_not_on_the_scorecard_is_not_there(
    caller: httpx.AsyncClient, key: MakeKey, rival: Engagement
) -> None:
    card = await card_of(caller)
    for suffix in ("", ".json", ".html", ".pdf"):
        assert (await caller.get(address(card, "nobody", suffix))).status_code == 404
    rivals = {"Authorization": f"Bearer {await key('read', of=rival)}"}
    unknown = {"id": "0b6fb2a3-0000-4000-8000-000000000000"}
    told = set()
    for asked, agent in ((card, ONE), (card, "nobody"), (unknown, ONE)):
        answer = await caller.get(address(asked, agent), headers=rivals)
        assert answer.status_code == 404
        told.add(answer.json()["detail"])
    assert len(told) == 1


@pytest.mark.parametrize("engine_name", ["sqlite"])
async def test_a_language_is_one_that_there_is_and_for_words_alone(
    caller: httpx.AsyncClient,
) -> None:
    card = await card_of(caller)
    for asked in (".pdf?language=xx", ".json?language=vi", "?language=vi"):
        assert (await caller.get(address(card, ONE, asked))).status_code == 400
