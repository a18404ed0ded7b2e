"""Every error is problem+json, whatever caused it, and gives nothing of the inside away."""

import json
from typing import Any

import httpx
import pytest
from litestar import Litestar, get
from litestar.params import FromPath, FromQuery

from conftest import MakeKey
from vendorwatch.app import MOST_BODY_BYTES
from vendorwatch.db.engine import DatabaseUnavailable
from vendorwatch.web.exchange import TYPES

JSON = "application/json"


@get("/raise", opt={"public": True})
async def broken() -> None:
    raise RuntimeError("SELECT * FROM merchants")


@get("/unavailable", opt={"public": True})
async def unavailable() -> None:
    raise DatabaseUnavailable("Try again.", retry_after_seconds=7)


@get("/numbers/{number:int}", opt={"public": True})
async def numbers(number: FromPath[int], needed: FromQuery[str]) -> None:
    return None


@pytest.fixture
def engine_name() -> str:
    """What is promised here is the same on every database."""
    return "sqlite"


@pytest.fixture
def app(app: Litestar) -> Litestar:
    for handler in (broken, unavailable, numbers):
        app.register(handler)
    return app


@pytest.fixture
async def send(client: httpx.AsyncClient, key: MakeKey) -> Any:
    authorization = {"Authorization": f"Bearer {await key('upload')}"}

    async def put(body: bytes, content_type: str | None = JSON) -> httpx.Response:
        headers = authorization | ({"Content-Type": content_type} if content_type else {})
        return await client.put("/v1/agents", content=body, headers=headers)

    return put


def problem(answer: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert found["type"] == TYPES + slug
    assert found["status"] == status
    assert found["title"]
    assert found["detail"]
    assert found["request_id"] == answer.headers["X-Request-ID"]
    return found


@pytest.mark.parametrize("path", ["/", "/nothing", "/v1", "/v1/nothing", "/v1/%ff", "/schema"])
async def test_an_unknown_address(client: httpx.AsyncClient, path: str) -> None:
    problem(await client.get(path), 404, "not-found")


async def test_a_wrong_method(client: httpx.AsyncClient) -> None:
    answer = await client.delete("/v1/agents")
    problem(answer, 405, "method-not-allowed")
    assert set(answer.headers["Allow"].split(", ")) >= {"GET", "PUT"}


async def test_a_mistake_of_ours_is_not_told(
    client: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = await client.get("/raise")
    found = problem(answer, 500, "internal-error")
    assert "merchants" not in answer.text
    assert "RuntimeError" not in answer.text
    logged = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    [told] = [line for line in logged if line["event"] == "unexpected_error"]
    assert told["request_id"] == found["request_id"]
    assert "RuntimeError" in told["exception"]


async def test_an_outage_says_when_to_come_back(client: httpx.AsyncClient) -> None:
    answer = await client.get("/unavailable")
    problem(answer, 503, "database-unavailable")
    assert answer.headers["Retry-After"] == "7"


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "text/plain",
        "application/json; charset=latin1",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/vnd.api+json",
    ],
)
async def test_json_only_under_its_own_name(send: Any, content_type: str | None) -> None:
    problem(await send(b'[{"agent_id":"a"}]', content_type), 415, "unsupported-media-type")


@pytest.mark.parametrize("content_type", [JSON, "application/json; charset=UTF-8"])
async def test_json_under_its_own_name(send: Any, content_type: str) -> None:
    assert (await send(b'[{"agent_id":"a"}]', content_type)).status_code == 200


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "empty"),
        (b"[", "line 1, column 2"),
        (b'[{"agent_id":"\xff"}]', "not UTF-8, from byte 14"),
        (b"\xff\xfe[\x00]\x00", "not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b'[{"agent_id":"a","agent_id":"b"}]', "'agent_id' stands twice"),
        (b"[NaN]", "NaN is not a number"),
        (b"[-Infinity]", "-Infinity is not a number"),
        (b"[" + b"9" * 5_000 + b"]", "not JSON"),
        (b"[] []", "not JSON"),
    ],
)
async def test_a_body_that_cannot_be_read(send: Any, body: bytes, told: str) -> None:
    assert told in problem(await send(body), 400, "bad-body")["detail"]


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b"{}", {"detail": "Expected `array`, got `object`"}),
        (b'[{"agent_id":"a"},{}]', {"row": 2}),
        (b'[{"agent_id":7}]', {"row": 1, "field": "agent_id"}),
        (b'[{"agent_id":"a","score":100}]', {"row": 1}),
        (b'[{"agent_id":"a","languages":["vi",1]}]', {"row": 1, "field": "languages[1]"}),
        (b'[{"agent_id":"a","name":true}]', {"row": 1, "field": "name"}),
    ],
)
async def test_a_body_that_does_not_fit(send: Any, body: bytes, fault: dict[str, Any]) -> None:
    [found] = problem(await send(body), 422, "bad-content")["errors"]
    assert found["code"] == "bad_value"
    assert fault.items() <= found.items()


async def test_a_body_that_is_too_large(send: Any) -> None:
    body = b'[{"agent_id":"' + b"a" * MOST_BODY_BYTES + b'"}]'
    problem(await send(body), 413, "body-too-large")


async def test_half_a_character_is_quoted_and_not_choked_on(send: Any) -> None:
    found = problem(await send(b'[{"agent_id":"a\\ud800"}]'), 422, "bad-roster")
    assert found["errors"][0]["code"] == "illegal_character"
    doubled = b'[{"agent_id":"\\ud800"},{"agent_id":"\\ud800"}]'
    found = problem(await send(doubled), 422, "bad-roster")
    assert {error["code"] for error in found["errors"]} == {"illegal_character", "duplicate_id"}
    problem(await send(b'[{"agent_id":"a","\\ud800":1}]'), 422, "bad-content")


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("nothing=1", ["nothing"]),
        ("limit=1&limit=2", ["limit"]),
        ("limit=1&b=1&a=1", ["a", "b"]),
        ("limit=0", ["limit"]),
        ("limit=501", ["limit"]),
        ("limit=-1", ["limit"]),
        ("limit=1e3", ["limit"]),
        ("limit=", ["limit"]),
        ("limit=%ff", ["limit"]),
    ],
)
async def test_a_parameter_that_is_refused(
    client: httpx.AsyncClient, key: MakeKey, query: str, fields: list[str]
) -> None:
    headers = {"Authorization": f"Bearer {await key('read')}"}
    found = problem(await client.get(f"/v1/agents?{query}", headers=headers), 400, "bad-parameter")
    assert [error["field"] for error in found["errors"]] == fields


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("/v1/interactions?channel=fax&status=new", {"channel": "chat", "status": "on_hold"}),
        ("/v1/uploads/x/rejects?format=xml", {"format": "ndjson"}),
        ("/v1/quality-reviews?sampling=all", {"sampling": "stratified"}),
    ],
)
async def test_a_value_that_is_not_known_is_answered_with_those_that_are(
    client: httpx.AsyncClient, key: MakeKey, target: str, told: dict[str, str]
) -> None:
    headers = {"Authorization": f"Bearer {await key('read', 'upload')}"}
    found = problem(await client.get(target, headers=headers), 400, "bad-parameter")
    assert {error["field"] for error in found["errors"]} == told.keys()
    for error in found["errors"]:
        assert f"{error['field']}: " in found["detail"]
        assert told[error["field"]] in error["detail"].split(" is not one of ")[1].split(", ")


async def test_a_parameter_that_is_missing(client: httpx.AsyncClient) -> None:
    found = problem(await client.get("/numbers/1"), 400, "bad-parameter")
    assert "'needed'" in found["detail"]
    assert "http" not in found["detail"]


async def test_a_path_that_does_not_fit(client: httpx.AsyncClient) -> None:
    problem(await client.get("/numbers/x?needed=1"), 404, "not-found")


async def test_no_more_than_a_hundred_faults_are_listed(send: Any) -> None:
    body = json.dumps([{"agent_id": " "}] * 150).encode()
    found = problem(await send(body), 422, "bad-roster")
    assert len(found["errors"]) == 100
    assert "299 faults" in found["detail"]  # 150 of white space, 149 of doubled ids
