"""`/metrics` tells what happened, in figures that come out right."""

import asyncio
import gzip
import time

import httpx
import pytest

from conftest import MakeKey
from sample_logs import ndjson, row
from vendorwatch.web.metrics import Metrics, _Worst

NDJSON = "application/x-ndjson"


@pytest.fixture
def engine_name() -> str:
    return "sqlite"


async def figures(client: httpx.AsyncClient) -> dict[str, float]:
    answer = await client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = [line.rsplit(" ", 1) for line in answer.text.splitlines() if line[0] != "#"]
    return {name: float(value) for name, value in lines}


async def test_an_upload_in_figures(client: httpx.AsyncClient, key: MakeKey) -> None:
    headers = {"Authorization": f"Bearer {await key('upload')}", "Content-Type": NDJSON}
    body = ndjson([row(1), row(2), row(2), row(3, status="odd"), row(4, opened_at="odd")])
    for content in (body, body, b""):
        await client.post("/v1/uploads", content=content, headers=headers)
    decoded = ndjson([row(10)])
    wire = gzip.compress(decoded)
    packed = headers | {"Content-Encoding": "gzip"}
    await client.post("/v1/uploads", content=wire, headers=packed)
    await client.post("/v1/uploads?dry_run=true", content=ndjson([row(9)]), headers=headers)
    await client.get("/v1/uploads/nothing", headers=headers)
    found = await figures(client)
    for outcome in ("partial", "replayed", "refused", "dry_run"):
        assert found[f'vendorwatch_uploads_total{{outcome="{outcome}"}}'] == 1
    rows = {
        outcome: found[f'vendorwatch_upload_rows_total{{outcome="{outcome}"}}']
        for outcome in ("created", "revised", "duplicate", "rejected", "skipped")
    }
    assert rows == {"created": 3, "revised": 0, "duplicate": 1, "rejected": 2, "skipped": 0}
    codes = [v for name, v in found.items() if name.startswith("vendorwatch_upload_rejects_total")]
    assert sum(codes) == 2
    route = 'route="/v1/uploads"'
    assert found['vendorwatch_upload_bytes_total{form="wire"}'] == len(body) + len(wire)
    assert found['vendorwatch_upload_bytes_total{form="decoded"}'] == len(body) + len(decoded)
    sent = 2 * len(body) + len(wire) + len(ndjson([row(9)]))
    assert found[f"vendorwatch_request_body_bytes_total{{{route}}}"] == sent
    counted = f'vendorwatch_request_seconds_count{{method="POST",{route},status="207"}}'
    assert found[counted] == 2
    unknown = 'method="GET",route="/v1/uploads/{upload_id}",status="404"'
    assert found[f"vendorwatch_request_seconds_count{{{unknown}}}"] == 1
    assert found["vendorwatch_upload_wait_seconds_count"] >= 3
    assert found["vendorwatch_database_statement_seconds_count"] > 10
    assert found["vendorwatch_database_connections_in_use"] == 0
    assert found["vendorwatch_uploads_open"] == 0


async def test_a_busy_loop_shows() -> None:
    metrics = Metrics()
    async with metrics.watching_the_loop():
        await asyncio.sleep(0.05)
        time.sleep(0.4)  # noqa: ASYNC251  keeps the loop, which is what is to be seen
        await asyncio.sleep(0.15)
    text = metrics.registry.text()
    found = dict(line.rsplit(" ", 1) for line in text.splitlines() if line[0] != "#")
    assert float(found["vendorwatch_loop_lag_max_seconds"]) > 0.3
    assert float(found['vendorwatch_loop_lag_seconds_bucket{le="0.25"}']) < float(
        found["vendorwatch_loop_lag_seconds_count"]
    )


def test_the_worst_is_forgotten_after_two_windows() -> None:
    worst = _Worst(60)
    worst.note(3, 10)
    worst.note(1, 50)
    assert worst.value(59) == 3
    assert worst.value(61) == 3
    worst.note(2, 70)
    assert worst.value(119) == 3
    assert worst.value(121) == 2
    assert worst.value(500) == 0
