"""Nothing that a caller sends turns up in logs, in figures, or before anybody else's eyes."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from litestar import Litestar, get
from litestar.params import FromPath
from sqlalchemy import text

from conftest import MakeKey
from sample_logs import csv_file, ndjson, row
from vendorwatch.db.engine import Database

_numbers = itertools.count(1)
MARK = "canary"


def canary() -> str:
    return f"{MARK}{next(_numbers):06}x"


def quote(name: str) -> None:
    raise ValueError(f"cannot read {name}")


@get("/raise/{name:str}", opt={"public": True})
async def broken(name: FromPath[str]) -> None:
    try:
        quote(name)
    except ValueError as error:
        raise ExceptionGroup(f"with {name}", [KeyError(name), error]) from error


@pytest.fixture
def engine_name() -> str:
    return "sqlite"


@pytest.fixture
def app(app: Litestar) -> Litestar:
    app.register(broken)
    return app


@pytest.fixture
def caller(client: httpx.AsyncClient) -> httpx.AsyncClient:
    """Leaves a canary wherever a request has room for one."""
    client.headers.update(
        {
            "User-Agent": canary(),
            "Cookie": f"session={canary()}",
            "X-Request-ID": canary(),
            "Referer": f"https://{canary()}.example/",
            "X-Forwarded-For": canary(),
            f"X-{canary()}": canary(),
        }
    )
    return client


def rows(**changes: Any) -> Iterator[dict[str, object]]:
    for _ in range(3):
        yield (
            row()
            | {
                "interaction_id": canary(),
                "customer_ref": f"{canary()}@example.com",
                "order_ref": canary(),
                "agent_id": canary(),
                "topic": canary(),
            }
            | changes
        )


UPLOADS: list[tuple[str, str, bytes]] = [
    ("", "application/x-ndjson", ndjson(rows())),
    ("", "text/csv", csv_file(rows())),
    ("", "application/x-ndjson", ndjson(rows(status=canary()))),
    ("", "application/x-ndjson", ndjson(rows(opened_at=canary()))),
    ("", "application/x-ndjson", b'{"' + canary().encode() + b'": \xff\n'),
    ("", "text/csv", f"{canary()},{canary()}\r\n1,2\r\n".encode()),
    ("", "application/x-ndjson", ndjson([*rows(), *rows(channel=canary())])),
    ("?mode=atomic", "application/x-ndjson", ndjson([*rows(), *rows(channel=canary())])),
    ("?dry_run=true", "application/x-ndjson", ndjson(rows())),
    (f"?{canary()}={canary()}", "application/x-ndjson", ndjson(rows())),
    (f"?format={canary()}", "application/x-ndjson", ndjson(rows())),
    (f"?time_zone={canary()}", "application/x-ndjson", ndjson(rows())),
    ("?mapping=x" + canary(), "application/x-ndjson", ndjson(rows())),
    ("", f"text/{canary()}", ndjson(rows())),
]


async def send_all(caller: httpx.AsyncClient, key: str) -> set[int]:
    """Statuses of all that can be answered."""
    mine = {"Authorization": f"Bearer {key}"}
    toml = mine | {"Content-Type": "application/toml"}
    uploads = [
        (
            "POST",
            f"/v1/uploads{query}",
            body,
            mine | {"Content-Type": media, "Idempotency-Key": canary()},
        )
        for query, media, body in UPLOADS
    ]
    bad_headers = [
        ("POST", "/v1/uploads", b"a", mine | {"Content-Type": "text/csv", name: canary()})
        for name in ("Content-Digest", "Content-Encoding")
    ]
    addresses = [
        (method, path, b"", mine)
        for path in (
            f"/v1/interactions/{canary()}",
            f"/v1/uploads/{canary()}",
            f"/v1/interactions?agent_id={canary()}",
            f"/v1/uploads?cursor={canary()}",
            f"/v1/me?k=vw_live_{canary()}",
            f"/{canary()}/{canary()}?{canary()}={canary()}",
            f"/raise/{canary()}",
            "/v1/uploads",
        )
        for method in ("GET", canary().upper())
    ]
    keys = [
        ("GET", "/v1/me", b"", {"Authorization": text})
        for text in (canary(), f"Bearer {canary()}", f"Bearer vw_live_{canary()}")
    ]
    documents = [
        ("PUT", "/v1/agents", b'[{"x": "' + canary().encode() + b'"}]', mine),
        ("POST", "/v1/mappings", f"name = '{canary()}".encode(), toml),
    ]
    statuses = set()
    for method, path, body, headers in (*uploads, *bad_headers, *addresses, *keys, *documents):
        answer = await caller.request(method, path, content=body, headers=headers)
        statuses.add(answer.status_code)
    return statuses


async def test_no_canary_gets_out(
    caller: httpx.AsyncClient,
    key: MakeKey,
    database: Database,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    secret = await key("upload", "read")
    statuses = await send_all(caller, secret)
    assert statuses >= {200, 201, 207, 400, 401, 404, 405, 415, 422, 500}
    async with database.write_as_owner() as connection:  # every statement on it fails now
        await connection.execute(text("ALTER TABLE uploads RENAME TO gone"))
    assert 500 in await send_all(caller, secret)
    logged = "".join(capfd.readouterr()) + caplog.text
    assert logged.count('"event": "request"') > 60
    assert logged.count('"event": "unexpected_error"') > 2
    others = [(await caller.get(path)).text for path in ("/metrics", "/openapi.json", "/docs")]
    assert 'route="/v1/uploads"' in others[0]
    for told in (logged, *others):
        assert MARK not in told.lower()
        assert secret.rpartition("_")[2] not in told


async def test_a_log_line_holds_what_was_named_and_nothing_else(
    caller: httpx.AsyncClient, key: MakeKey, capsys: pytest.CaptureFixture[str]
) -> None:
    text = await key("read")
    await caller.get("/v1/me", headers={"Authorization": f"Bearer {text}"})
    [line] = [json.loads(each) for each in capsys.readouterr().err.splitlines()]
    assert line.keys() == {
        "event", "key_id", "level", "method", "milliseconds", "received", "request_id", "route",
        "sent", "status", "timestamp",
    }  # fmt: skip
    assert line["key_id"] in text
    assert line["route"] == "/v1/me"
