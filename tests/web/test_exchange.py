"""What every exchange carries, and what is never logged."""

import json
from typing import Any

import httpx
import pytest
import structlog
from litestar import Litestar

from conftest import MakeKey
from vendorwatch.telemetry import configure_logging


@pytest.fixture
def engine_name() -> str:
    return "sqlite"


PATHS = ["/health", "/openapi.json", "/docs", "/nothing", "/v1/me", "/v1/nothing"]


@pytest.mark.parametrize("path", PATHS)
async def test_headers_of_every_answer(client: httpx.AsyncClient, path: str) -> None:
    headers = (await client.get(path)).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert len(headers.get_list("Content-Security-Policy")) == 1
    assert headers["X-Request-ID"]
    assert ("no-store" in headers.get("Cache-Control", "")) is path.startswith("/v1/")


async def test_every_exchange_has_an_id_of_its_own(client: httpx.AsyncClient) -> None:
    given = {"X-Request-ID": "mine"}
    ids = {(await client.get("/health", headers=given)).headers["X-Request-ID"] for _ in range(20)}
    assert len(ids) == 20
    assert "mine" not in ids


async def test_a_server_that_gives_all_exchanges_one_state_mixes_up_nobody(
    app: Litestar, key: MakeKey
) -> None:
    shared: dict[str, Any] = {}
    statuses, ids = [], []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])
            ids.append(dict(message["headers"])[b"x-request-id"])

    for headers in ([(b"authorization", f"Bearer {await key()}".encode())], []):
        scope: Any = {
            "type": "http",
            "method": "GET",
            "path": "/v1/me",
            "raw_path": b"/v1/me",
            "query_string": b"",
            "headers": headers,
            "state": shared,
        }
        await app(scope, receive, send)  # type: ignore[arg-type]  # a plain ASGI server's types
    assert statuses == [200, 401]
    assert len(set(ids)) == 2
    assert shared == {}


@pytest.mark.parametrize(
    "address",
    [
        "/v1/me?key={key}",
        "/v1/me?x={key}&y=1",
        "/v1/me?x=%76w_live_{rest}",
        "/v1/{key}",
        "/nothing/{key}?x=1",
    ],
)
async def test_a_key_in_an_address_is_refused_and_never_logged(
    client: httpx.AsyncClient, key: MakeKey, capsys: pytest.CaptureFixture[str], address: str
) -> None:
    text = await key("read")
    path = address.format(key=text, rest=text.removeprefix("vw_live_"))
    answer = await client.get(path, headers={"Authorization": f"Bearer {text}"})
    assert answer.status_code == 400
    assert answer.json()["type"].endswith("/key-in-address")
    assert answer.headers["Content-Type"] == "application/problem+json"
    secret = text.split("_")[-1]
    logged = capsys.readouterr()
    assert '"status": 400' in logged.err
    assert secret not in logged.err + logged.out + answer.text


async def test_the_log_names_the_route_and_not_the_address(
    client: httpx.AsyncClient, key: MakeKey, capsys: pytest.CaptureFixture[str]
) -> None:
    text = await key("read")
    answer = await client.get(
        "/v1/engagements/somebody@example.com",
        headers={"Authorization": f"Bearer {text}", "Cookie": "session=canary"},
    )
    logged = capsys.readouterr().err
    [line] = [json.loads(line) for line in logged.splitlines()]
    assert line["request_id"] == answer.headers["X-Request-ID"]
    assert (line["method"], line["status"]) == ("GET", 404)
    assert line["route"] == "/v1/engagements/{engagement_id}"
    for canary in ("somebody@example.com", "canary", text):
        assert canary not in logged


def test_the_level_is_respected(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("warning")
    try:
        structlog.get_logger().info("quiet")
        structlog.get_logger().warning("loud", field=1)
    finally:
        configure_logging("info")
    [line] = capsys.readouterr().err.splitlines()
    assert json.loads(line).items() >= {"event": "loud", "level": "warning", "field": 1}.items()
