"""OPTIONS, and the Allow of a 405, name every method of an address; HEAD is GET without a body."""

import re
from collections.abc import Awaitable, Callable

import httpx
import pytest

from vendorwatch.access.model import SCOPES


@pytest.fixture
def engine_name() -> str:
    return "sqlite"


async def test_every_method_of_every_address_is_told(
    client: httpx.AsyncClient, key: Callable[..., Awaitable[str]]
) -> None:
    client.headers["Authorization"] = f"Bearer {await key(*SCOPES)}"
    paths = (await client.get("/openapi.json")).json()["paths"]
    assert max(len(item) for item in paths.values()) > 1
    for path, item in paths.items():
        methods = {method.upper() for method in item} | {"OPTIONS"}
        if "GET" in methods:
            methods.add("HEAD")
        address = re.sub(r"\{\w+\}", "7", path)
        told = await client.options(address)
        assert told.status_code == 204, path
        assert set(told.headers["Allow"].split(", ")) == methods, path
        assert told.content == b""
        for method in {"GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "TRACE"} - methods:
            refused = await client.request(method, address)
            assert refused.status_code == 405, (method, path)
            assert set(refused.headers["Allow"].split(", ")) == methods, path


async def test_head_is_answered_as_get_is_without_the_body(
    client: httpx.AsyncClient, key: Callable[..., Awaitable[str]]
) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    addresses = [re.sub(r"\{\w+\}", "7", path) for path, item in paths.items() if "get" in item]
    addresses += ["/docs", "/openapi.json", "/nothing", "/v1/uploads?limit=0"]
    assert len(addresses) > 30
    for keys in ({}, {"Authorization": f"Bearer {await key(*SCOPES)}"}):
        for address in addresses:
            got = await client.get(address, headers=keys)
            told = await client.head(address, headers=keys)
            assert told.status_code == got.status_code, address
            assert told.content == b""
            assert told.headers.keys() == got.headers.keys(), address
            for name in ("Content-Type", "Content-Length", "WWW-Authenticate", "Cache-Control"):
                if address != "/metrics":
                    assert told.headers.get(name) == got.headers.get(name), address
    page = (await client.get("/metrics")).text
    assert 'method="HEAD",route="/v1/me",status="200"' in page


async def test_without_a_key_nothing_is_told(client: httpx.AsyncClient) -> None:
    assert (await client.options("/v1/keys")).status_code == 401
