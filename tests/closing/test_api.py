"""Months over HTTP: listed, previewed, approved, revised; and by what rules they are closed."""

from typing import Any

import httpx
import pytest

from closing.conftest import DUE, OCTOBER, Office
from sample_logs import row
from stopped_clock import StoppedClock
from vendorwatch.periods import Month

REASON = {"reason": "the night shift"}


class Desk:
    def __init__(self, office: Office, headers: dict[str, str]) -> None:
        self.client, self.headers = office.client, headers

    async def get(self, path: str) -> Any:
        answer = await self.client.get(path, headers=self.headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def send(self, method: str, path: str, body: Any) -> httpx.Response:
        return await self.client.request(method, path, json=body, headers=self.headers)


@pytest.fixture
async def desk(office: Office) -> Desk:
    return Desk(office, await office.headers())


async def test_a_month_from_open_to_revised(
    office: Office, desk: Desk, clock: StoppedClock
) -> None:
    put = await desk.send(
        "PUT", "/v1/closing-rules", {"approval": "hold", "first_month": "2026-10"}
    )
    assert put.json() == {
        "approval": "hold", "late_data": "ask", "first_month": "2026-10",
        "first_month_by": "rule", "last_month": None,
    }  # fmt: skip
    assert await desk.get("/v1/closing-rules") == put.json()
    november, october = await desk.get("/v1/closings")
    assert [november["month"], november["state"]] == ["2026-11", "open"]
    assert october["due_at"] == "2026-11-07T17:00:00Z"
    assert (october["revision"], october["scorecard_id"], october["revisable"]) == (0, None, None)
    assert len(october["missing_days"]) == 30
    early = await desk.send("POST", "/v1/closings/2026-10/approve", {})
    assert (early.status_code, early.json()["type"][-16:]) == (409, "month-not-frozen")

    clock.set(DUE)
    await office.close()
    late = await office.upload(row(50), row(51))
    held = (await desk.get("/v1/closings/2026-10"))["closing"]
    assert (held["state"], held["revision"], held["decided_by"]) == ("held", 1, None)
    assert held["uploads_up_to"] == late["sequence"] - 1
    approved = await desk.send("POST", "/v1/closings/2026-10/approve", {"reason": "seen"})
    assert approved.status_code == 200
    assert approved.json()["closing"]["state"] == "issued"
    doubts = await desk.get(approved.json()["closing"]["links"]["anomalies"])
    assert doubts["month"] == "2026-10"
    again = await desk.send("POST", "/v1/closings/2026-10/approve", {"reason": "twice"})
    assert again.json() == approved.json()

    preview = await desk.get("/v1/closings/2026-10/changes")
    assert (preview["revisable"], preview["differs"]) == (True, ["records"])
    revised = await desk.send("POST", "/v1/closings/2026-10/revise", REASON)
    assert revised.status_code == 201, revised.text
    one, two = revised.json()["revisions"]
    assert (one["reason"], one["changes"]) == ("seen", None)
    assert two["reason"] == "the night shift"
    assert two["changes"] == preview["changes"]
    me = await desk.get("/v1/me")
    assert [one["decided_by"], two["decided_by"]] == [me["key_id"]] * 2
    for number, each in ((1, one), (2, two)):  # both stay downloadable
        assert (await desk.get(each["links"]["scorecard"]))["revision"] == number
        figures = await office.client.get(each["links"]["csv"], headers=desk.headers)
        assert f"2026-10_r{number}.csv" in figures.headers["Content-Disposition"]
    nothing = await desk.send("POST", "/v1/closings/2026-10/revise", REASON)
    assert (nothing.status_code, nothing.json()["title"]) == (
        409,
        "A revision would change nothing",
    )


async def test_months_come_page_by_page(office: Office, desk: Desk) -> None:
    await office.rules(first_month=Month(2026, 2))
    found, address = [], "/v1/closings?limit=4"
    while address:
        answer = await office.client.get(address, headers=desk.headers)
        found += [each["month"] for each in answer.json()]
        address = answer.links["next"]["url"] if "next" in answer.links else ""
    assert found == [f"2026-{month:02}" for month in range(11, 1, -1)]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "slug"),
    [
        ("PUT", "/v1/closing-rules", {"first_month": "October"}, 422, "bad-closing-request"),
        ("PUT", "/v1/closing-rules", {"first_month": "2024-01"}, 422, "bad-closing-request"),
        ("PUT", "/v1/closing-rules", {"first_month": "2026-10", "last_month": "2026-09"}, 422,
         "bad-closing-request"),
        ("PUT", "/v1/closing-rules", {"approval": "maybe"}, 422, "bad-content"),
        ("POST", "/v1/closings/2026-10/revise", {}, 422, "bad-content"),
        ("POST", "/v1/closings/2026-10/revise", {"reason": " "}, 422, "bad-closing-request"),
        ("POST", "/v1/closings/2026-10/revise", {"reason": "x\0"}, 422, "bad-closing-request"),
        ("POST", "/v1/closings/2026-10/approve", {"reason": 1_001 * "x"}, 422,
         "bad-closing-request"),
        ("POST", "/v1/closings/2026-10/revise", REASON, 409, "month-not-frozen"),
        ("POST", "/v1/closings/October/approve", {}, 404, "not-found"),
        ("GET", "/v1/closings/2026-10/changes", None, 409, "month-not-frozen"),
        ("GET", "/v1/closings/2026-09", None, 404, "not-found"),
        ("GET", "/v1/closings/2026-12", None, 404, "not-found"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("engine_name", ["sqlite"])  # nothing here depends on the engine
async def test_what_cannot_be_is_refused_and_changes_nothing(
    office: Office, desk: Desk, method: str, path: str, body: Any, status: int, slug: str
) -> None:
    before = await desk.get("/v1/closing-rules")
    answer = await desk.send(method, path, body)
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (status, slug)
    assert await desk.get("/v1/closing-rules") == before
    assert await office.rows_of("issuances") == []


@pytest.mark.parametrize("scope", ["upload", "read", "score"])
@pytest.mark.parametrize("engine_name", ["sqlite"])
async def test_only_a_key_that_manages_decides(
    office: Office, clock: StoppedClock, scope: str
) -> None:
    await office.rules(approval="hold")
    clock.set(DUE)
    await office.close()
    await office.upload(row(50))
    desk = Desk(office, await office.headers(scope))
    for method, path, body in (
        ("PUT", "/v1/closing-rules", {}),
        ("POST", "/v1/closings/2026-10/approve", {}),
        ("POST", "/v1/closings/2026-10/revise", REASON),
    ):
        assert (await desk.send(method, path, body)).status_code == 403
    [standing] = await office.revisions()
    assert (standing.state, standing.month) == ("held", OCTOBER)
    listed = await desk.send("GET", "/v1/closings", None)
    assert listed.status_code == (403 if scope == "upload" else 200)
