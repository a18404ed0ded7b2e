"""Too often is 429 and says when to come back; nobody is kept out by what somebody else does."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from litestar import Litestar

from conftest import MakeKey
from sample_logs import ndjson, row
from stopped_clock import StoppedClock
from vendorwatch.settings import Settings
from vendorwatch.vendors.model import Engagement


@pytest.fixture
def engine_name() -> str:
    return "sqlite"


@pytest.fixture
def bounds() -> dict[str, str]:
    return {"VENDORWATCH_RATE_LIMIT": "3", "VENDORWATCH_FAILED_KEYS": "4"}


@pytest.fixture
def settings(settings: Settings, bounds: dict[str, str]) -> Settings:
    return Settings.from_env(settings.environment() | bounds)


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def test_a_key_that_is_used_too_often(
    client: httpx.AsyncClient, key: MakeKey, clock: StoppedClock
) -> None:
    mine, other = bearer(await key("read")), bearer(await key("read"))
    told = [(await client.get("/v1/me", headers=mine)).headers for _ in range(3)]
    assert {each["RateLimit-Policy"] for each in told} == {'"requests";q=3;w=60'}
    assert [each["RateLimit"] for each in told] == [
        '"requests";r=2;t=20',
        '"requests";r=1;t=20',
        '"requests";r=0;t=20',
    ]
    refused = await client.get("/v1/me", headers=mine)
    assert refused.status_code == 429
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.json()["type"].endswith("/too-many-requests")
    assert refused.headers["Retry-After"] == "20"
    assert refused.headers["RateLimit"] == '"requests";r=0;t=20'
    assert (await client.get("/v1/me", headers=other)).status_code == 200
    clock.advance(seconds=20)
    assert (await client.get("/v1/me", headers=mine)).status_code == 200
    page = (await client.get("/metrics")).text
    assert 'vendorwatch_refusals_total{limit="key"} 1' in page


async def test_a_refused_upload_is_not_read(client: httpx.AsyncClient, key: MakeKey) -> None:
    mine = bearer(await key("upload"))
    for _ in range(3):
        await client.get("/v1/me", headers=mine)
    read = False

    async def body() -> AsyncIterator[bytes]:
        nonlocal read
        read = True
        yield b"{}\n"

    answer = await client.post(
        "/v1/uploads",
        content=body(),
        headers=mine | {"Content-Type": "application/x-ndjson"},
    )
    assert answer.status_code == 429
    assert not read


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics", "/openapi.json", "/docs"])
async def test_what_needs_no_key_has_no_limit(client: httpx.AsyncClient, path: str) -> None:
    for _ in range(6):
        answer = await client.get(path)
        assert answer.status_code == 200
        assert "RateLimit" not in answer.headers


async def test_guessing_is_limited_and_keeps_no_good_key_out(
    client: httpx.AsyncClient, key: MakeKey, clock: StoppedClock
) -> None:
    good = bearer(await key("read"))
    guess = bearer("vw_live_guess")
    statuses = [(await client.get("/v1/me", headers=guess)).status_code for _ in range(6)]
    assert statuses == [401] * 4 + [429] * 2
    assert (await client.get("/v1/me")).status_code == 429
    assert (await client.get("/v1/me", headers=good)).status_code == 200
    clock.advance(seconds=15)
    assert (await client.get("/v1/me", headers=guess)).status_code == 401


async def test_a_header_cannot_pretend_another_address(client: httpx.AsyncClient) -> None:
    headers = [{"X-Forwarded-For": f"10.0.0.{n}", "Forwarded": f"for=10.0.0.{n}"} for n in range(5)]
    statuses = [(await client.get("/v1/me", headers=each)).status_code for each in headers]
    assert statuses == [401] * 4 + [429]


@pytest.mark.parametrize(
    "bounds", [{"VENDORWATCH_RATE_LIMIT": "0", "VENDORWATCH_FAILED_KEYS": "0"}]
)
async def test_limits_can_be_switched_off(client: httpx.AsyncClient, key: MakeKey) -> None:
    mine = bearer(await key("read"))
    for _ in range(50):
        answer = await client.get("/v1/me", headers=mine)
        assert answer.status_code == 200
        assert "RateLimit" not in answer.headers
    assert (await client.get("/v1/me")).status_code == 401


@pytest.mark.parametrize(
    ("bounds", "told"),
    [
        ({"VENDORWATCH_DAILY_ROWS": "3"}, "4 rows of 3"),
        ({"VENDORWATCH_DAILY_BYTES": "100"}, "bytes of 100"),
    ],
)
async def test_the_quota_of_the_day(
    client: httpx.AsyncClient,
    key: MakeKey,
    rival: Engagement,
    clock: StoppedClock,
    told: str,
) -> None:
    async def send(text: str, *numbers: int) -> httpx.Response:
        headers = bearer(text) | {"Content-Type": "application/x-ndjson"}
        body = ndjson(row(number) for number in numbers)
        return await client.post("/v1/uploads", content=body, headers=headers)

    mine, others = await key("upload"), await key("upload", of=rival)
    assert (await send(mine, 1, 2, 3, 4)).status_code == 201
    refused = await send(mine, 5)
    assert refused.status_code == 429
    assert refused.json()["type"].endswith("/quota-exceeded")
    assert told in refused.json()["detail"]
    assert refused.headers["Retry-After"] == str(16 * 3_600)  # it is 8 in the morning
    assert (await send(others, 5)).status_code == 201
    clock.advance(seconds=16 * 3_600)
    # At once, they are counted one after the other nevertheless.
    both = await asyncio.gather(send(mine, *range(5, 10)), send(mine, *range(10, 15)))
    assert sorted(answer.status_code for answer in both) == [201, 429]


@pytest.mark.parametrize("bounds", [{"VENDORWATCH_DAILY_ROWS": "2"}])
async def test_what_was_stored_is_answered_when_the_quota_is_used_up(
    client: httpx.AsyncClient, key: MakeKey
) -> None:
    """Its answer may have been lost: the same request again gets the receipt, and no other one."""

    async def send(
        body: bytes, name: dict[str, str], *, query: str = "", status: int
    ) -> httpx.Response:
        headers = mine | {"Content-Type": "application/x-ndjson"} | name
        answer = await client.post(f"/v1/uploads{query}", content=body, headers=headers)
        assert answer.status_code == status, answer.text
        return answer

    mine = bearer(await key("upload"))
    first, last = ndjson([row(1)]), ndjson([row(2)])
    named, other = {"Idempotency-Key": "nightly"}, {"Idempotency-Key": "another"}
    receipts = [await send(first, {}, status=201), await send(last, named, status=201)]
    again = [await send(first, {}, status=201), await send(last, named, status=201)]
    for receipt, replay in zip(receipts, again, strict=True):
        assert replay.headers["Idempotency-Replayed"] == "true"
        assert replay.json() == receipt.json()
    await send(last, other, status=429)
    await send(ndjson([row(3)]), {}, status=429)
    await send(first, {}, query="?dry_run=true", status=429)
    await send(first, named, status=422)


@pytest.mark.parametrize(
    "bounds", [{"VENDORWATCH_RATE_LIMIT": "77", "VENDORWATCH_DAILY_ROWS": "0"}]
)
async def test_limits_are_published(client: httpx.AsyncClient, key: MakeKey) -> None:
    limits = (await client.get("/v1/limits", headers=bearer(await key("upload")))).json()
    assert limits["requests_per_minute"] == 77
    assert limits["daily_rows"] is None
    assert limits["open_uploads"] == 100


async def test_no_other_site_may_read_an_answer(client: httpx.AsyncClient, app: Litestar) -> None:
    origin = {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}
    for method in ("GET", "OPTIONS"):
        for path in ("/v1/me", "/v1/uploads", "/health", "/metrics"):
            headers = (await client.request(method, path, headers=origin)).headers
            assert not [name for name in headers if name.lower().startswith("access-control")]
