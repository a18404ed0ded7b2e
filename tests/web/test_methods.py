"""OPTIONS, and the Allow of a 405, name every method of an address."""

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
        address = re.sub(r"\{\w+\}", "7", path)
        told = await client.options(address)
        assert told.status_code == 204, path
        assert set(told.headers["Allow"].split(", ")) == methods, path
        assert told.content == b""
        for method in {"GET", "PUT", "POST", "DELETE", "PATCH", "TRACE"} - methods:
            refused = await client.request(method, address)
            assert refused.status_code == 405, (method, path)
            assert set(refused.headers["Allow"].split(", ")) == methods, path


async def test_without_a_key_nothing_is_told(client: httpx.AsyncClient) -> None:
    assert (await client.options("/v1/keys")).status_code == 401
