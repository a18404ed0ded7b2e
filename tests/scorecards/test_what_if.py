"""`vendorwatch score --policy FILE`: what a month would be under another policy."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from conftest import MakeKey, Ran
from sample_logs import ndjson, row
from stopped_clock import StoppedClock
from vendorwatch.policies.service import default_policy
from vendorwatch.scorecards.commands import score
from vendorwatch.settings import Settings
from vendorwatch.terminal import Runtime, run
from vendorwatch.vendors.model import Engagement

DEFAULT = default_policy().source
# Replies within half an hour, on shorter days: half of the sample is late, in fewer hours.
STRICT = (
    DEFAULT.replace("seconds = 14_400 ", "seconds = 1_800 ")
    .replace('"08:00-20:00"', '"09:00-17:00"')
    .replace("weight = 30\n", "weight = 40\n", 1)
)
Score = Callable[..., Awaitable[Ran]]


@pytest.fixture
async def caller(client: httpx.AsyncClient, key: MakeKey) -> httpx.AsyncClient:
    client.headers["Authorization"] = f"Bearer {await key('upload', 'read', 'score', 'manage')}"
    rows = [row(number) for number in range(1, 41)]
    rows += [row(number, resolved_at=None, status="open") for number in range(41, 46)]
    headers = {"Content-Type": "application/x-ndjson"}
    answer = await client.post("/v1/uploads", content=ndjson(rows), headers=headers)
    assert answer.status_code == 201, answer.text
    return client


@pytest.fixture
def scored(
    settings: Settings,
    clock: StoppedClock,
    engagement: Engagement,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Score:
    """`vendorwatch score` of October."""
    monkeypatch.setitem(score.context_settings, "obj", Runtime(settings, clock))

    async def invoke(*arguments: str) -> Ran:
        capsys.readouterr()
        asked = ["--engagement", engagement.engagement_id, "--month", "2026-10", *arguments]
        exit_code = await asyncio.to_thread(run, score, asked)  # it runs a loop of its own
        return Ran(exit_code, *capsys.readouterr())

    return invoke


def written(folder: Path, source: str) -> str:
    path = folder / "strict.toml"
    path.write_bytes(source.encode())
    return str(path)


def figures(document: Any) -> Any:
    return {each: document[each] for each in ("vendor_scores", "agents", "as_of", "status")}


async def test_both_results_are_those_that_each_policy_gives(
    caller: httpx.AsyncClient, scored: Score, tmp_path: Path
) -> None:
    # What the file says of its first month does not matter.
    later = STRICT.replace('"2000-01"', '"2031-01"')
    both = (await scored("--policy", written(tmp_path, later), "--json")).json
    assert list(both) == ["in_force", "what_if"]
    assert both["in_force"] == (await scored("--json")).json
    assert (both["what_if"]["policy"]["id"], both["what_if"]["policy"]["version"]) == ("what-if", 1)
    on_time = both["what_if"]["vendor_scores"]["metrics"]["first_reply_on_time"]
    assert (on_time["numerator"], on_time["denominator"]) == (11, 45)  # opened from 09:35 on
    assert both["in_force"]["vendor_scores"]["metrics"]["first_reply_on_time"]["numerator"] == 45

    # Nothing of it was stored; and setting the file gives what was foretold.
    assert (await caller.get("/v1/policies")).json() == []
    assert (await caller.get("/v1/scorecards")).json() == []
    headers = {"Content-Type": "application/toml"}
    made = await caller.post("/v1/policies", content=STRICT.encode(), headers=headers)
    assert made.status_code == 201, made.text
    assert figures((await scored("--json")).json) == figures(both["what_if"])


async def test_the_hours_of_the_file_count_for_the_whole_span(
    caller: httpx.AsyncClient, scored: Score, tmp_path: Path
) -> None:
    """A version that begins in November changes November's hours, but not what the file asks."""
    closed = DEFAULT.replace('"2000-01"', '"2026-11"').replace('["08:00-20:00"]', "[]")
    file = written(tmp_path, STRICT.replace("seconds = 86_400 ", "seconds = 959_400 "))
    arguments = ("--policy", file, "--as-of", "2026-11-02T05:00:00Z", "--json")
    before = (await scored(*arguments)).json
    # Five are still open: after 265 hours up to Monday, 2 November, and three on its morning.
    on_time = before["what_if"]["vendor_scores"]["metrics"]["resolution_on_time"]
    assert (on_time["denominator"], on_time["pending"]) == (45, 0)
    headers = {"Content-Type": "application/toml"}
    made = await caller.post("/v1/policies", content=closed.encode(), headers=headers)
    assert made.status_code == 201, made.text
    after = (await scored(*arguments)).json
    assert figures(after["what_if"]) == figures(before["what_if"])


@pytest.mark.parametrize("engine_name", ["sqlite"])  # the figures are those of above
async def test_side_by_side_what_changes_is_marked(
    caller: httpx.AsyncClient, scored: Score, tmp_path: Path
) -> None:
    file = written(tmp_path, STRICT)
    both = (await scored("--policy", file, "--json")).json
    told = (await scored("--policy", file)).out
    lines = {line[2:].split(" ")[0]: line for line in told.splitlines()[2:] if line}
    assert lines["policy"].split()[1:] == ["the", "default", "strict.toml"]
    one, other = (both[side]["vendor_scores"] for side in ("in_force", "what_if"))
    for name, metric in one["metrics"].items():
        second = other["metrics"][name]
        differs = any(metric[key] != second[key] for key in ("value", "points", "contract"))
        assert lines[name].startswith("*" if differs else " "), name
        for points in {metric["points"], second["points"]} - {None}:
            assert f" {points} " in lines[name]
    assert lines["first_reply_on_time"].startswith("*")
    assert lines["first_reply_on_time"].split()[2:4] == ["100.00", "%"]
    assert "24.44 %" in lines["first_reply_on_time"]
    assert lines["reopen_rate"].startswith(" ")
    assert lines["response"].startswith("*")
    assert lines["response"].rstrip().endswith("(weight 40)")


@pytest.mark.parametrize("engine_name", ["sqlite"])
async def test_a_file_with_mistakes_is_refused_with_all_of_them(
    caller: httpx.AsyncClient, scored: Score, tmp_path: Path
) -> None:
    bad = DEFAULT.replace("settling_days = 7", "settling_days = 1_000")
    bad = bad.replace('clock = "calendar"', 'clock = "office"', 1)
    refused = await scored("--policy", written(tmp_path, bad), "--json")
    assert (refused.exit_code, refused.out) == (2, "")
    assert "line 8, settling_days: " in refused.err
    assert "targets.first_reply.chat.clock: " in refused.err
