"""`/v1/contact-counts` and `/v1/anomalies`, over HTTP, on both databases."""

from typing import Any

import httpx
import pytest

from conftest import MakeKey
from sample_logs import ndjson, row
from stopped_clock import StoppedClock
from vendorwatch.vendors.model import Engagement

NDJSON = {"Content-Type": "application/x-ndjson"}
COUNTS, ANOMALIES = "/v1/contact-counts", "/v1/anomalies/2026-10"


@pytest.fixture
async def caller(client: httpx.AsyncClient, key: MakeKey) -> httpx.AsyncClient:
    client.headers["Authorization"] = f"Bearer {await key('upload', 'read', 'score', 'manage')}"
    return client


async def send(caller: httpx.AsyncClient, rows: list[dict[str, object]]) -> None:
    sent = await caller.post("/v1/uploads", content=ndjson(rows), headers=NDJSON)
    assert sent.status_code == 201, sent.text


async def say(caller: httpx.AsyncClient, *counts: dict[str, Any]) -> Any:
    said = await caller.put(COUNTS, json=counts)
    assert said.status_code == 200, said.text
    return said.json()


async def test_what_is_told_changes_no_score(caller: httpx.AsyncClient) -> None:
    """A conversation cut in ten, numbers that never came, spam, and a day half of which is there."""
    cut = [
        row(n, customer_ref="An", opened_at=f"2026-10-01T08:{5 * n:02}:00+07:00") for n in range(10)
    ]
    others = [row(n) for n in range(10, 60) if not 20 <= n < 26]
    on_the_second = {"opened_at": "2026-10-02T09:00:00+07:00"}
    spam = [
        row(n, status="spam", first_reply_at=None, resolved_at=None, **on_the_second)
        for n in range(60, 70)
    ]
    await send(caller, [*cut, *others, *spam])
    card = (await caller.post("/v1/scorecards", json={"month": "2026-10"})).json()
    said = await say(caller, {"day": "2026-10-01", "contacts": 108})
    assert said == {"received": 1, "changed_days": 1}

    found = (await caller.get(ANOMALIES)).json()
    assert found["flags"] == ["volume", "contact_runs", "missing_numbers", "left_out"]
    assert (found["month"], found["time_zone"]) == ("2026-10", "Asia/Ho_Chi_Minh")
    assert found["as_of"] == card["as_of"]
    cell = {"day": "2026-10-01", "channel": None, "counted": 108, "logged": 54}
    assert found["volume"]["days"] == [cell]
    assert (found["volume"]["missing"], found["volume"]["surplus"]) == (54, 0)
    [run] = found["contact_runs"]["longest"]
    assert (run["interactions"], run["agent_ids"]) == (10, ["linh"])
    assert run["first_opened_at"] == "2026-10-01T01:00:00Z"
    [sequence] = found["missing_numbers"]["sequences"]
    assert sequence["gaps"] == [{"first": "T-20", "last": "T-25", "numbers": 6, "is_jump": False}]
    assert found["left_out"]["reasons"]["spam"] == card["volume"]["excluded"]["spam"] == 10

    again = await caller.post("/v1/scorecards", json={"month": "2026-10"})
    assert (again.status_code, again.json()["id"]) == (200, card["id"])


async def test_a_day_that_is_said_again_is_counted_anew(caller: httpx.AsyncClient) -> None:
    first = {"day": "2026-10-01", "contacts": 5}
    second = {"day": "2026-10-02", "contacts": 7, "channel": "email"}
    assert (await say(caller, first, second))["changed_days"] == 2
    assert (await say(caller, first, second))["changed_days"] == 0
    by_channel = [
        {"day": "2026-10-01", "contacts": 3, "channel": "chat"},
        {"day": "2026-10-01", "contacts": 2, "channel": "phone"},
    ]
    assert (await say(caller, *by_channel))["changed_days"] == 1
    listed = (await caller.get(f"{COUNTS}/2026-10")).json()
    assert listed == [*by_channel, second]
    assert (await say(caller, first))["changed_days"] == 1
    assert (await caller.get(f"{COUNTS}/2026-10")).json() == [first | {"channel": None}, second]
    audit = (await caller.get("/v1/audit")).json()
    told = [each["detail"]["days"] for each in audit if each["action"] == "contact_counts.set"]
    assert told == [1, 1, 2]


@pytest.mark.parametrize(
    ("count", "field", "told"),
    [
        ({"day": "2026-11-02", "contacts": 1}, "day", "not over yet"),
        ({"day": "1969-12-31", "contacts": 1}, "day", "too early"),
        ({"day": "2026-10-01", "contacts": 1, "channel": "fax"}, "channel", "'fax' is not one of"),
        ({"day": "2026-10-30", "contacts": 2}, "day", "stands more than once"),
        ({"day": "2026-10-30", "contacts": 2, "channel": "sms"}, "channel", "as a whole, too"),
    ],
)
async def test_a_count_that_cannot_be_is_refused_with_its_row(
    caller: httpx.AsyncClient, count: dict[str, Any], field: str, told: str
) -> None:
    good = {"day": "2026-10-30", "contacts": 1}
    refused = await caller.put(COUNTS, json=[good, count])
    assert refused.status_code == 422
    problem = refused.json()
    assert problem["type"].endswith("/bad-contact-counts")
    [*_, fault] = problem["errors"]
    assert (fault["row"], fault["field"]) == (2, field)
    assert told in fault["detail"]
    assert (await caller.get(f"{COUNTS}/2026-10")).json() == []


@pytest.mark.parametrize(
    "body",
    [
        [],
        [{"day": "2026-10-01"}],
        [{"day": "2026-10-01", "contacts": -1}],
        [{"day": "2026-10-01", "contacts": "5"}],
        [{"day": "2026-13-01", "contacts": 5}],
        [{"day": "2026-10-01", "contacts": 5, "vendor": "x"}],
        [{"day": "2026-10-01", "contacts": 10**7 + 1}],
    ],
)
async def test_a_body_of_another_form_is_refused(caller: httpx.AsyncClient, body: Any) -> None:
    assert (await caller.put(COUNTS, json=body)).status_code == 422


@pytest.mark.parametrize(
    "path", [f"{COUNTS}/october", "/v1/anomalies/2026-13", "/v1/anomalies/٢٠٢٦-10"]
)
async def test_what_is_no_month_is_not_found(caller: httpx.AsyncClient, path: str) -> None:
    answer = await caller.get(path)
    assert (answer.status_code, answer.json()["type"].split("/")[-1]) == (404, "not-found")


async def test_a_month_that_has_not_begun_has_no_log(caller: httpx.AsyncClient) -> None:
    answer = await caller.get("/v1/anomalies/2026-12")
    assert (answer.status_code, answer.json()["type"].split("/")[-1]) == (422, "future-as-of")


async def test_today_is_that_of_the_engagements_zone(
    caller: httpx.AsyncClient, clock: StoppedClock
) -> None:
    clock.set("2026-11-02T17:30:00+00:00")  # half past midnight in Ho Chi Minh City
    await say(caller, {"day": "2026-11-02", "contacts": 1})


async def test_only_the_merchant_counts(client: httpx.AsyncClient, key: MakeKey) -> None:
    for scopes in (("upload",), ("read",), ("score",)):
        client.headers["Authorization"] = f"Bearer {await key(*scopes)}"
        said = await client.put(COUNTS, json=[{"day": "2026-10-01", "contacts": 1}])
        assert said.status_code == 403
        may_read = 200 if scopes == ("read",) else 403
        for path in (f"{COUNTS}/2026-10", ANOMALIES):
            assert (await client.get(path)).status_code == may_read


async def test_of_a_rivals_log_nothing_is_told(
    caller: httpx.AsyncClient, key: MakeKey, rival: Engagement
) -> None:
    """Its numbers fill no gap of ours, and its contacts are in no run of ours."""
    await send(caller, [row(n, customer_ref="An") for n in range(0, 60, 2)])
    before = (await caller.get(ANOMALIES)).content
    theirs = {"Authorization": f"Bearer {await key('upload', 'manage', of=rival)}"}
    rows = ndjson([row(n, customer_ref="An") for n in range(1, 60, 2)])
    sent = await caller.post("/v1/uploads", content=rows, headers=NDJSON | theirs)
    assert sent.is_success
    counted = [{"day": "2026-10-01", "contacts": 1}]
    assert (await caller.put(COUNTS, json=counted, headers=theirs)).is_success
    assert (await caller.get(ANOMALIES)).content == before


async def test_other_names_of_an_agent_are_one_agent(caller: httpx.AsyncClient) -> None:
    await send(
        caller, [row(n, agent_id=name, status="spam") for n, name in enumerate(["zd-8", "linh"])]
    )
    roster = [{"agent_id": "linh", "aliases": ["zd-8"]}]
    assert (await caller.put("/v1/agents", json=roster)).is_success
    found = (await caller.get(ANOMALIES)).json()
    assert found["left_out"]["agents"] == [{"agent_id": "linh", "left_out": 2, "of": 2}]
