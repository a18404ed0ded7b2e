"""What an engagement sent today, counted from what was stored, on both databases."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import replace

import httpx
import pytest

from conftest import MakeKey, running
from sample_logs import ndjson, row
from stopped_clock import StoppedClock
from vendorwatch.app import create_app
from vendorwatch.db.engine import Database
from vendorwatch.interactions.quota import DailyQuota, QuotaExceeded
from vendorwatch.periods import DAY
from vendorwatch.settings import Bounds, Settings
from vendorwatch.vendors.model import Engagement


@pytest.fixture
async def send(client: httpx.AsyncClient, key: MakeKey, rival: Engagement) -> object:
    keys = {False: await key("upload"), True: await key("upload", of=rival)}

    async def post(*numbers: int, by_rival: bool = False) -> None:
        headers = {
            "Authorization": f"Bearer {keys[by_rival]}",
            "Content-Type": "application/x-ndjson",
        }
        body = ndjson(row(number) for number in numbers)
        (await client.post("/v1/uploads", content=body, headers=headers)).raise_for_status()

    return post


async def check(
    quota: DailyQuota, database: Database, engagement: Engagement, clock: StoppedClock
) -> bool:
    try:
        async with database.read(engagement.scope) as connection:
            await quota.check(connection, engagement.scope, clock())
    except QuotaExceeded:
        return False
    return True


async def test_rows_of_today_count_and_nobody_elses(
    send: object, database: Database, engagement: Engagement, clock: StoppedClock
) -> None:
    assert callable(send)
    quota, fresh = DailyQuota(Bounds(daily_rows=5)), DailyQuota(Bounds(daily_rows=5))
    assert await check(quota, database, engagement, clock)
    await send(1, 2)
    await send(*range(20), by_rival=True)
    assert await check(quota, database, engagement, clock)
    await send(3, 4)
    assert await check(quota, database, engagement, clock)
    await send(5)
    # What was remembered and what is read anew come to the same.
    assert not await check(quota, database, engagement, clock)
    assert not await check(fresh, database, engagement, clock)
    clock.advance(seconds=DAY // 1_000_000)
    assert await check(quota, database, engagement, clock)
    await send(*range(10, 15))
    assert not await check(quota, database, engagement, clock)


async def test_bytes_count_as_sent(
    send: object, database: Database, engagement: Engagement, clock: StoppedClock
) -> None:
    assert callable(send)
    size = len(ndjson([row(1)]))
    quota = DailyQuota(Bounds(daily_rows=0, daily_bytes=size + 1))
    await send(1)
    assert await check(quota, database, engagement, clock)
    await send(2)
    assert not await check(quota, database, engagement, clock)
    assert await check(DailyQuota(Bounds(daily_rows=0, daily_bytes=0)), database, engagement, clock)


async def test_uploads_at_once_use_up_no_more_than_there_is(
    settings: Settings, key: MakeKey, engagement: Engagement, clock: StoppedClock
) -> None:
    """Two servers on one database, and twenty uploads that all began while the quota was untouched."""
    settings = replace(settings, bounds=Bounds(daily_rows=7))
    headers = {
        "Authorization": f"Bearer {await key('upload')}",
        "Content-Type": "application/x-ndjson",
    }
    async with AsyncExitStack() as stack:
        clients = []
        for _ in range(2):
            app = create_app(settings, clock=clock)
            await stack.enter_async_context(running(app))
            transport = httpx.ASGITransport(app)  # type: ignore[arg-type]  # its ASGI types are looser
            client = httpx.AsyncClient(transport=transport, base_url="http://localhost")
            clients.append(await stack.enter_async_context(client))
        answers = await asyncio.gather(
            *(
                clients[number % 2].post(
                    "/v1/uploads",
                    content=ndjson([row(2 * number), row(2 * number + 1)]),
                    headers=headers,
                )
                for number in range(20)
            )
        )
    statuses = Counter(answer.status_code for answer in answers)
    assert statuses == {201: 4, 429: 16}  # the fourth began below seven
    refused = {answer.headers.get("Retry-After") for answer in answers if answer.is_error}
    assert refused == {str(16 * 3_600)}  # it is 8 in the morning
