"""Whoever asks what is behind a figure gets exactly the interactions that it counts."""

import random
from collections import Counter
from typing import Any

import httpx
import msgspec
import pytest

from conftest import MakeKey
from knowledge import documents
from oracle import scores
from oracle.logs import Scenario, as_canonical_rows, random_scenario
from sample_logs import row
from stopped_clock import StoppedClock
from vendorwatch.db.engine import Database
from vendorwatch.policies import service as policies
from vendorwatch.scoring.metrics import KNOWLEDGE_METRICS
from vendorwatch.vendors import service as vendors
from vendorwatch.vendors.model import Engagement, RosterEntry

LATER = "2026-11-20T00:00:00+00:00"  # after everything that happens in any scenario
PARTS = ("numerator", "denominator", "pending", "missing", "excluded")
KNOWLEDGE = ("knowledge/results", "knowledge/answers")
UNKNOWN = "00000000-0000-4000-8000-000000000000"
RUBRIC = {
    "title": "Written",
    "criteria": [{"criterion_id": "tone", "title": "Tone", "weight": 1, "maximum": 5}],
}
# What is counted does not depend on the engine: test_figures compares them.
one_engine = pytest.mark.parametrize("engine_name", ["sqlite"])
Document = dict[str, Any]


class Caller:
    def __init__(self, client: httpx.AsyncClient, token: str) -> None:
        self.client, self.headers = client, {"Authorization": f"Bearer {token}"}

    async def get(self, address: str) -> httpx.Response:
        return await self.client.get(address, headers=self.headers)

    async def post(self, address: str, body: Any) -> Any:
        answer = await self.client.post(address, json=body, headers=self.headers)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    async def upload(self, rows: list[dict[str, Any]]) -> None:
        headers = self.headers | {"Content-Type": "application/x-ndjson"}
        body = b"\n".join(msgspec.json.encode(each) for each in rows)
        answer = await self.client.post("/v1/uploads", content=body, headers=headers)
        assert answer.status_code == 201, answer.text

    async def behind(
        self, card: Document, metric: str, part: str, agent: str | None = None, limit: int = 500
    ) -> list[Document]:
        """All pages of it."""
        query = httpx.QueryParams({"part": part, "limit": limit})
        if agent is not None:
            query = query.set("agent", agent)
        address, found = f"{card['links']['self']}/metrics/{metric}/interactions?{query}", []
        while address:
            answer = await self.get(address)
            assert answer.status_code == 200, answer.text
            assert len(answer.json()) <= limit
            found += answer.json()
            address = answer.links["next"]["url"] if "next" in answer.links else ""
        return found


async def caller_of(client: httpx.AsyncClient, key: MakeKey, of: Engagement) -> Caller:
    return Caller(client, await key("upload", "read", "score", "manage", of=of))


async def scored(
    scenario: Scenario,
    client: httpx.AsyncClient,
    database: Database,
    clock: StoppedClock,
    key: MakeKey,
) -> tuple[Caller, Document]:
    clock.set(LATER)
    own: Engagement | None = None
    for vendor in ("vendor-b", "vendor-a", "vendor-c"):
        async with database.write_as_operator() as connection:
            engagement = await vendors.create_engagement(
                connection, merchant="Tra Sen", vendor=vendor, time_zone=scenario.zone, now=clock()
            )
        own = own or engagement
        mine = [r for r in (*scenario.records, *scenario.pool) if r["vendor_id"] == vendor]
        await (await caller_of(client, key, engagement)).upload(as_canonical_rows(mine))
    assert own is not None
    async with database.write(own.scope) as connection:
        for source in scenario.policy_texts:
            await policies.set_policy(connection, own.scope, source, clock())
    caller = await caller_of(client, key, own)
    await review(caller, scenario)
    clock.now = scenario.now
    asked = {"month": scenario.month}
    if scenario.as_of is not None:
        asked["as_of"] = scores.rfc3339(scenario.as_of)
    return caller, await caller.post("/v1/scorecards", asked)


async def review(caller: Caller, scenario: Scenario) -> None:
    """Of the first interactions, of some twice, whether they are scored or not."""
    made = await caller.client.put("/v1/rubrics/written", json=RUBRIC, headers=caller.headers)
    assert made.status_code == 201, made.text
    reviews = [
        {
            "review_id": f"{place} {turn}",
            "interaction_id": record["interaction_id"],
            "source_account": record.get("source_account") or "",
            "rubric_id": "written",
            "sampling": "random",
            "scores": {"tone": (place + turn) % 6},
            "reviewed_at": scores.rfc3339(record["opened_at"] + turn),
        }
        for place, record in enumerate(scenario.records[:12])
        for turn in range(1 + place % 2)
    ]
    await caller.post("/v1/quality-reviews", reviews)


def counts(metric: Document) -> dict[str, int]:
    """What a document says of each part; without a numerator nothing is listed as one."""
    return {part: metric[part] or 0 for part in PARTS}


@one_engine
@pytest.mark.parametrize("seed", [3, 14, 24, 5])
async def test_what_is_listed_is_what_is_counted(
    seed: int,
    client: httpx.AsyncClient,
    database: Database,
    clock: StoppedClock,
    key: MakeKey,
) -> None:
    """For every metric and part, of the vendor and of every agent."""
    scenario = random_scenario(seed, n=60, columns_may_lack=False)
    caller, card = await scored(scenario, client, database, clock, key)
    dice = random.Random(seed)
    for metric, told in card["vendor_scores"]["metrics"].items():
        if metric in KNOWLEDGE_METRICS:
            continue
        listed = {part: await caller.behind(card, metric, part) for part in PARTS}
        assert {part: len(found) for part, found in listed.items()} == counts(told), metric
        by_agent = {
            part: Counter(each["agent_id"] for each in found) for part, found in listed.items()
        }
        for agent in card["agents"]:
            its = {part: by_agent[part][agent["agent_id"]] for part in PARTS}
            assert its == counts(agent["metrics"][metric]), (metric, agent["agent_id"])
        if card["agents"]:
            who, part = dice.choice(card["agents"])["agent_id"], dice.choice(PARTS)
            mine = [each for each in listed[part] if each["agent_id"] == who]
            assert await caller.behind(card, metric, part, who) == mine
        assert_parted(listed, card, metric)


def assert_parted(listed: dict[str, list[Document]], card: Document, metric: str) -> None:
    """No interaction is in two parts, and each that the month has is in one; runs apart."""
    if card["vendor_scores"]["metrics"][metric]["numerator"] is not None:
        good = [each for each in listed["denominator"] if each["part"] == "numerator"]
        assert good == listed["numerator"]
    for part in ("pending", "missing", "excluded"):
        assert {each["part"] for each in listed[part]} <= {part}
    apart = [keys(listed[part]) for part in PARTS[1:]]
    everything = set().union(*apart)
    assert sum(map(len, apart)) == len(everything) or metric == "next_reply_on_time"
    if metric != "next_reply_on_time" or everything:
        assert len(everything) == card["volume"]["in_month"], metric


def keys(found: list[Document]) -> set[tuple[str, str]]:
    return {(each["source_account"], each["interaction_id"]) for each in found}


@one_engine
async def test_pages_are_disjoint_and_in_order(
    client: httpx.AsyncClient, database: Database, clock: StoppedClock, key: MakeKey
) -> None:
    scenario = random_scenario(3, n=60, columns_may_lack=False)
    caller, card = await scored(scenario, client, database, clock, key)
    for metric, part in (
        ("next_reply_on_time", "denominator"),
        ("quality", "denominator"),
        ("first_reply_p50", "excluded"),
    ):
        whole = await caller.behind(card, metric, part)
        assert await caller.behind(card, metric, part, limit=2) == whole
        place = [(e["opened_at"], e["source_account"], e["interaction_id"]) for e in whole]
        assert place == sorted(place)
        assert len(whole) > 4, metric


@pytest.fixture
async def caller(client: httpx.AsyncClient, key: MakeKey, engagement: Engagement) -> Caller:
    """Has uploaded five contacts: two answered late, one of them never resolved."""
    made = await caller_of(client, key, engagement)
    await made.upload(
        [
            row(1),
            row(2, first_reply_at="2026-10-09T10:05:00+07:00", resolved_at=None, status="open"),
            row(3, first_reply_at="2026-10-09T10:05:00+07:00", resolved_at="2026-10-09T11:00:00Z"),
            row(4, status="spam"),
            row(5, agent_id="hoa", interaction_id="a/b?c", source_account="second desk"),
        ]
    )
    return made


async def test_an_item_says_why_it_counts_so(caller: Caller) -> None:
    card = await caller.post("/v1/scorecards", {"month": "2026-10"})
    good, second = await caller.behind(card, "first_reply_on_time", "numerator")
    assert good == {
        "interaction_id": "T-1",
        "source_account": "",
        "opened_at": "2026-10-01T02:01:00Z",
        "agent_id": "linh",
        "part": "numerator",
        "reason": good["reason"],
        "clock": {
            "clock": "business",
            "start": "2026-10-01T02:01:00Z",
            "end": "2026-10-01T03:05:00Z",
            "span": 64 * 60 * 10**6,
            "target": good["clock"]["target"],
            "due": None,
        },
        "review_id": None,
        "share": None,
        "links": {"interaction": "/v1/interactions/T-1"},
    }
    assert good["reason"]
    for each in (good, second):
        shown = (await caller.get(each["links"]["interaction"])).json()["interaction"]
        assert (shown["interaction_id"], shown["source_account"]) == (
            each["interaction_id"],
            each["source_account"],
        )
    reasons = {
        each["interaction_id"]: each["reason"]
        for each in await caller.behind(card, "first_reply_on_time", "excluded", "linh")
    }
    assert reasons == {"T-4": "spam"}


async def test_a_correction_changes_no_list_of_a_kept_scorecard(caller: Caller) -> None:
    card = await caller.post("/v1/scorecards", {"month": "2026-10"})
    before = await caller.behind(card, "first_reply_on_time", "denominator")
    await caller.upload(
        [
            row(
                2,
                first_reply_at="2026-10-01T09:03:00+07:00",
                source_updated_at="2026-11-01T00:00:00Z",
            ),
            row(50),
        ]
    )
    assert await caller.behind(card, "first_reply_on_time", "denominator") == before
    new = await caller.post("/v1/scorecards", {"month": "2026-10"})
    assert len(await caller.behind(new, "first_reply_on_time", "denominator")) == len(before) + 1


@one_engine
async def test_questions_that_cannot_be_answered(
    caller: Caller, client: httpx.AsyncClient, key: MakeKey, rival: Engagement, database: Database
) -> None:
    card = await caller.post("/v1/scorecards", {"month": "2026-10"})
    home = card["links"]["self"]

    async def refused(address: str) -> tuple[int, str, str]:
        answer = await caller.get(address)
        told = answer.json()
        return answer.status_code, told["type"].rpartition("/")[2], told["detail"]

    status, slug, detail = await refused(f"{home}/metrics/speed/interactions")
    assert (status, slug) == (400, "bad-parameter")
    assert "first_reply_on_time" in detail
    assert "quality" in detail
    status, slug, detail = await refused(f"{home}/metrics/csat/interactions?part=half")
    assert (status, slug) == (400, "bad-parameter")
    assert all(part in detail for part in PARTS)
    for metric in KNOWLEDGE_METRICS:
        status, slug, detail = await refused(f"{home}/metrics/{metric}/interactions")
        assert (status, slug) == (400, "bad-parameter")
        told = "answers" if metric == "knowledge_coverage" else "results"
        assert detail.endswith(f"{home}/knowledge/{told}.")
    status, slug, _ = await refused(f"{home}/metrics/csat/interactions?agent=nobody")
    assert (status, slug) == (404, "not-found")
    for other in (f"/v1/scorecards/{UNKNOWN}", "/v1/scorecards/x"):
        assert (await refused(f"{other}/metrics/csat/interactions"))[0] == 404
        for behind in KNOWLEDGE:
            assert (await refused(f"{other}/{behind}"))[0] == 404
    for behind in KNOWLEDGE:
        assert (await refused(f"{home}/{behind}?agent=nobody"))[0] == 404
        assert (await caller.get(f"{home}/{behind}?agent=linh")).json() == []
    theirs = await caller_of(client, key, rival)
    for address in (f"{home}/{each}" for each in ("metrics/csat/interactions", *KNOWLEDGE)):
        assert (await theirs.get(address)).status_code == 404
        uploader = Caller(client, await key("upload"))
        assert (await uploader.get(address)).status_code == 403


@one_engine
async def test_a_cursor_of_one_list_opens_no_other(caller: Caller) -> None:
    card = await caller.post("/v1/scorecards", {"month": "2026-10"})
    home = f"{card['links']['self']}/metrics"
    first = await caller.get(f"{home}/csat/interactions?part=excluded&limit=1")
    cursor = httpx.URL(first.links["next"]["url"]).params["cursor"]
    for other in ("reopen_rate/interactions?part=excluded", "csat/interactions?part=missing"):
        assert (await caller.get(f"{home}/{other}&cursor={cursor}")).status_code == 400


async def test_knowledge_is_shown_as_it_was_known(
    caller: Caller, database: Database, engagement: Engagement, clock: StoppedClock
) -> None:
    await documents.load(database, engagement, documents.document(), clock())
    async with database.write(engagement.scope) as connection:
        entry = RosterEntry(agent_id="hoa", aliases=("hs-01",))
        await vendors.put_roster(connection, engagement.scope, [entry], clock())
    card = await caller.post("/v1/scorecards", {"month": "2026-10"})
    home = card["links"]["self"]
    shown = [(await caller.get(f"{home}/{each}")).json() for each in KNOWLEDGE]
    results = {each["agent_id"]: each for each in shown[0]}
    told = {each["agent_id"]: each["metrics"] for each in card["agents"]}
    assert results.keys() == {"hoa", "hs-02", "hs-03"}
    for agent, result in results.items():
        if not result["excused"]:
            score = told[agent]["knowledge_score"]
            assert (score["numerator"], score["denominator"]) == (
                result["earned"],
                result["possible"],
            )
    assert results["hs-03"]["excused"]
    assert shown[1] == [{"agent_id": "hoa", "topic": "brewing_advice", "asked": 2, "right": 1}]
    await documents.withdraw(database, engagement, "q1", clock())
    assert [(await caller.get(f"{home}/{each}")).json() for each in KNOWLEDGE] == shown


@one_engine
async def test_answers_are_counted_by_topic_and_kept_so(
    caller: Caller, database: Database, engagement: Engagement, clock: StoppedClock
) -> None:
    """One agent's answers under two ids are the agent's."""
    await documents.load(database, engagement, documents.many(), clock())
    async with database.write(engagement.scope) as connection:
        entry = RosterEntry(agent_id="hoa", aliases=("hs-00", "hs-01", "hs-02"))
        await vendors.put_roster(connection, engagement.scope, [entry], clock())
    card = await caller.post("/v1/scorecards", {"month": "2026-10"})
    home = card["links"]["self"]
    for behind, mine in (("results", 3), ("answers", 1)):
        address = f"{home}/knowledge/{behind}"
        everything = (await caller.get(f"{address}?limit=500")).json()
        assert [each["agent_id"] for each in everything].count("hoa") == mine
        own = (await caller.get(f"{address}?agent=hoa")).json()
        assert own == [each for each in everything if each["agent_id"] == "hoa"]
        listed, sizes, following = [], [], f"{address}?limit=8"
        while following:
            answer = await caller.get(following)
            listed += answer.json()
            sizes.append(len(answer.json()))
            following = answer.links["next"]["url"] if "next" in answer.links else ""
        assert listed == everything
        assert sizes == [8, 8, 8, len(everything) - 24]
        # A cursor of one list opens no other.
        cursor = httpx.URL((await caller.get(f"{address}?limit=1")).links["next"]["url"]).params
        other = await caller.get(f"{address}?agent=hoa&cursor={cursor['cursor']}")
        assert other.status_code == 400
    assert (await caller.get(f"{home}/knowledge/answers?agent=hoa")).json() == [
        {"agent_id": "hoa", "topic": "brewing_advice", "asked": 9, "right": 5}
    ]


@one_engine
async def test_whom_an_excluded_contact_names_is_shown_by_the_own_id(
    caller: Caller, database: Database, engagement: Engagement, clock: StoppedClock
) -> None:
    """Also an agent of whom nothing counts, so that the scorecard does not name them."""
    await caller.upload([row(6, agent_id="desk 7", status="spam")])
    async with database.write(engagement.scope) as connection:
        entry = RosterEntry(agent_id="mai", aliases=("desk 7",))
        await vendors.put_roster(connection, engagement.scope, [entry], clock())
    card = await caller.post("/v1/scorecards", {"month": "2026-10"})
    assert "mai" not in {each["agent_id"] for each in card["agents"]}
    excluded = await caller.behind(card, "first_reply_on_time", "excluded")
    assert {each["interaction_id"]: each["agent_id"] for each in excluded} == {
        "T-4": "linh",
        "T-6": "mai",
    }


@one_engine
async def test_a_card_of_an_earlier_version_says_what_to_do(
    caller: Caller, database: Database
) -> None:
    card = await caller.post("/v1/scorecards", {"month": "2026-10"})
    async with database.write_as_owner() as connection:
        await connection.exec_driver_sql("UPDATE scorecards SET basis = NULL")
    for rest in ("metrics/csat/interactions", *KNOWLEDGE):
        answer = await caller.get(f"{card['links']['self']}/{rest}")
        assert answer.status_code == 409
        assert answer.json()["type"].endswith("scorecard-not-verifiable")
