"""Two servers, two processes, one database: uploads that arrive at the same moment."""

import asyncio
import hashlib
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

import httpx
import pytest

from running_server import running_server
from sample_logs import ndjson, row
from vendorwatch.settings import Settings

NDJSON = {"Content-Type": "application/x-ndjson"}
Pair = tuple[httpx.AsyncClient, httpx.AsyncClient]


@pytest.fixture
def addresses(settings: Settings, tmp_path: Path) -> Iterator[list[str]]:
    environment = dict(os.environ) | settings.environment()
    with ExitStack() as stack:
        found = []
        for name in ("one", "two"):
            folder = tmp_path / name
            folder.mkdir()
            found.append(stack.enter_context(running_server(environment, folder)))
        yield found


@pytest.fixture
async def servers(addresses: list[str], key: Callable[..., Awaitable[str]]) -> AsyncIterator[Pair]:
    headers = NDJSON | {"Authorization": f"Bearer {await key('upload')}"}
    async with AsyncExitStack() as stack:
        one, two = [
            await stack.enter_async_context(
                httpx.AsyncClient(base_url=address, headers=headers, timeout=60)
            )
            for address in addresses
        ]
        yield one, two


async def test_uploads_at_once_in_two_processes_have_one_effect_each_and_an_unbroken_chain(
    servers: Pair,
) -> None:
    for number in range(4):
        body = ndjson(row(n, topic=f"t{number}") for n in range(50))
        given = {"Idempotency-Key": f"night-{number}"}
        both = await asyncio.gather(
            *(each.post("/v1/uploads", content=body, headers=given) for each in servers)
        )
        stored = [each for each in both if "Idempotency-Replayed" not in each.headers]
        assert [each.status_code for each in stored if each.status_code != 409] == [201]
        assert {each.status_code for each in both} <= {201, 409}
        assert len({each.json()["id"] for each in both if each.status_code == 201}) == 1

    others = await asyncio.gather(
        *(servers[n % 2].post("/v1/uploads", content=ndjson([row(n, topic="x")])) for n in range(8))
    )
    assert {each.status_code for each in others} == {201}

    receipts = (await servers[1].get("/v1/uploads")).json()[::-1]
    assert [each["sequence"] for each in receipts] == list(range(1, 13))
    previous = None
    for receipt in receipts:
        assert receipt["previous_sha256"] == previous
        document = {k: v for k, v in receipt.items() if k not in {"receipt_sha256", "links"}}
        canonical = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        previous = hashlib.sha256(canonical.encode()).hexdigest()
    assert sum(each["created"] for each in receipts) == 50
    shown = (await servers[0].get("/v1/interactions?limit=500")).json()
    assert len(shown) == 50
