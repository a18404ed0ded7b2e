"""A real log in its vendor's own CSV: pushed over HTTP with a mapping file, and nothing else."""

import csv
import io
import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import httpx
import pypdf
import pytest

from conftest import MakeKey
from vendorwatch.interactions.instants import parse_instant
from vendorwatch.periods import SECOND
from vendorwatch.resources import FIXTURES

pytestmark = pytest.mark.real_data

_BESIDE = Path(__file__).resolve().parents[2].parent / "shared" / "data"
_HERE = Path(os.environ.get("VENDORWATCH_REAL_DATA", _BESIDE)) / "servicenow"


def rows(name: str) -> Iterator[dict[str, str]]:
    with (_HERE / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


async def test_the_log_gives_the_expected_cases_and_figures(
    client: httpx.AsyncClient, key: MakeKey
) -> None:
    if not _HERE.is_dir():
        pytest.skip(f"the real log is not at {_HERE}")
    client.headers["Authorization"] = f"Bearer {await key('upload', 'read', 'score')}"
    receipt = await _push(client)
    assert (receipt["received"], receipt["created"], receipt["revised"]) == (3217, 396, 2821)
    assert (receipt["duplicate"], receipt["rejected"], receipt["skipped"]) == (0, 0, 0)

    cases = {each["interaction_id"]: each async for each in _in_force(client)}
    expected = {row["number"]: row for row in rows("expected_cases.csv")}
    assert cases.keys() == expected.keys()
    for number, row in expected.items():
        told = int(float(row["resolution_s"])) if row["resolution_s"] else None
        assert _seconds(cases[number]) == told, number
        assert cases[number]["reopens"] == int(row["reopen_count"]), number

    by_resolver: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for case in cases.values():
        by_resolver[case["resolved_by_agent_id"] or "?"].append(case)
    for row in rows("expected_by_resolver.csv"):
        mine = by_resolver.pop(row["resolved_by"])
        assert len(mine) == int(row["n"])
        spans = sorted(s for s in map(_seconds, mine) if s is not None)
        assert len(spans) == int(row["n_resolved"])
        if len(spans) > 1:  # interpolated between ranks, as the figures to compare with are
            ninth_decile = quantiles(spans, n=10, method="inclusive")[8]
            assert median(spans) == float(row["res_median_s"])
            assert ninth_decile == pytest.approx(float(row["res_p90_s_interp"]))
        assert sum(case["reopens"] > 0 for case in mine) == int(row["reopened_n"])
    assert not by_resolver

    march = (await client.post("/v1/scorecards", json={"month": "2016-03"})).json()
    opened = [row for row in expected.values() if row["opened"] >= "2016-03-01"]
    resolved = march["vendor_scores"]["metrics"]["resolution_rate"]
    assert march["volume"]["scored"] == resolved["denominator"] > 0
    # The engagement's day starts seven hours before UTC's: a few of 29 February belong to March.
    assert march["volume"]["in_month"] >= len(opened)
    reply = march["vendor_scores"]["metrics"]["first_reply_on_time"]
    assert (reply["contract"], reply["denominator"]) == ("not_measurable", 0)
    assert reply["missing"] == march["volume"]["scored"]
    pdf = await client.get(march["links"]["pdf"])
    text = pypdf.PdfReader(io.BytesIO(pdf.content)).pages[0].extract_text()
    assert "March 2016" in text
    assert "Not measurable" in text


async def test_pushed_again_it_stores_nothing(client: httpx.AsyncClient, key: MakeKey) -> None:
    if not _HERE.is_dir():
        pytest.skip(f"the real log is not at {_HERE}")
    client.headers["Authorization"] = f"Bearer {await key('upload')}"
    first = await _push(client)
    assert await _push(client) == first
    again = await _push(client, "in-another-request")
    assert (again["duplicate"], again["created"], again["revised"]) == (3217, 0, 0)


async def _push(client: httpx.AsyncClient, idempotency_key: str | None = None) -> dict[str, Any]:
    mapping = (FIXTURES / "mappings" / "servicenow.toml").read_bytes()
    stored = await client.post(
        "/v1/mappings", content=mapping, headers={"Content-Type": "application/toml"}
    )
    assert stored.status_code in {200, 201}, stored.text
    headers = {"Content-Type": "text/csv"}
    if idempotency_key:
        headers["Idempotency-Key"] = idempotency_key
    answer = await client.post(
        f"/v1/uploads?format=mapped&mapping={stored.json()['version']}",
        content=(_HERE / "incident_event_log_396.csv").read_bytes(),
        headers=headers,
    )
    assert answer.status_code == 201, answer.text
    receipt: dict[str, Any] = answer.json()
    return receipt


async def _in_force(client: httpx.AsyncClient) -> Any:
    address = "/v1/interactions?limit=500"
    while address:
        answer = await client.get(address)
        for each in answer.json():
            yield each
        address = answer.links["next"]["url"] if "next" in answer.links else ""


def _seconds(case: dict[str, Any]) -> int | None:
    if case["resolved_at"] is None:
        return None
    return (parse_instant(case["resolved_at"]) - parse_instant(case["opened_at"])) // SECOND
