"""docs/reference/anomalies.md says what the code does: its thresholds, its reasons, its example."""

import csv
from pathlib import Path
from typing import get_args

import httpx
import pytest

from conftest import MakeKey
from sample_logs import ndjson, row
from vendorwatch.anomalies.model import MOST_COUNTS
from vendorwatch.anomalies.parse import read_counts
from vendorwatch.integrity import left_out, numbers, runs
from vendorwatch.integrity.measure import MATERIAL
from vendorwatch.integrity.report import Flag
from vendorwatch.periods import SECOND

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "anomalies.md").read_text("utf-8")
IN_ONE_LINE = " ".join(PAGE.split())
NDJSON = {"Content-Type": "application/x-ndjson"}


@pytest.fixture
def engine_name() -> str:
    return "sqlite"


def table(head: str) -> list[list[str]]:
    """The rows of the table that begins like that."""
    _, found = PAGE.split(f"| {head} |", 1)
    lines = found.split("\n\n", 1)[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_flag_has_a_row_and_a_chapter() -> None:
    assert [first.strip("`") for first, *_ in table("flag")] == list(get_args(Flag))
    assert [flag for flag in get_args(Flag) if f"\n## {flag}\n" not in PAGE] == []


def test_the_thresholds_are_those_of_the_code() -> None:
    shares = [MATERIAL, MATERIAL, MATERIAL, left_out.MANY]
    told = [share.split(" % ")[0] for _, _, share, _ in table("flag")]
    assert told == [str(share * 100) for share in shares]
    sentences = [
        f"A run is {runs.LEAST} interactions or more of one customer, each opened",
        f"opened within {runs.WITHIN // (60 * SECOND)} minutes of the one before.",
        f"The {runs.MOST_RUNS} longest runs are listed, each with its first {runs.MOST_IDS} agents",
        f"There are {numbers.LEAST} or more.",
        f"For one number that is missing, at least {numbers.GAPS_SHARE} are there.",
        f"a gap of more than {numbers.SHORTEST_JUMP} numbers that is also longer than a tenth of",
        f"The {numbers.MOST_SEQUENCES} sequences with the most missing are listed, each with",
        f"each with its {numbers.MOST_GAPS} longest gaps",
        f"`agents` are the {left_out.MOST_AGENTS} who",
        f"At most {MOST_COUNTS:,} counts at once.".replace(",", " "),
        *(f"`{each}`" for each in left_out.REASONS),
    ]
    assert numbers.JUMP_SHARE == 10  # "a tenth"
    assert [each for each in sentences if each not in IN_ONE_LINE] == []


def test_the_file_of_counts_can_be_read() -> None:
    source = PAGE.split("```csv\n", 1)[1].split("```", 1)[0]
    counts = read_counts(source)
    assert [each.contacts for each in counts] == [
        int(each["contacts"]) for each in csv.DictReader(source.splitlines())
    ]
    assert [each.channel for each in counts] == ["email", "phone", None]


async def test_the_example_comes_out_as_told(client: httpx.AsyncClient, key: MakeKey) -> None:
    client.headers["Authorization"] = f"Bearer {await key('upload', 'read', 'manage')}"
    columns = ("interaction_id", "opened_at", "customer_ref", "agent_id", "status")
    rows = [
        row(1, first_reply_at=None, resolved_at=None, **dict(zip(columns, cells, strict=True)))
        for cells in table(columns[0])
    ]
    for each in rows:
        each["opened_at"] = str(each["opened_at"]).replace("+", ":00+")
    sent = await client.post("/v1/uploads", content=ndjson(rows), headers=NDJSON)
    assert sent.json()["created"] == len(rows) == 5
    counted = [{"day": "2026-10-01", "contacts": 6}]
    assert (await client.put("/v1/contact-counts", json=counted)).is_success
    found = (await client.get("/v1/anomalies/2026-10")).json()
    assert found["flags"] == ["volume", "contact_runs", "left_out"]
    volume, on_end, out = found["volume"], found["contact_runs"], found["left_out"]
    assert (volume["counted"], volume["logged"]) == (6, 4)
    assert (volume["missing"], volume["surplus"]) == (2, 0)
    assert (on_end["runs"], on_end["interactions"], on_end["of"]) == (1, 3, 4)
    begins = [each["interaction_id"] for each in on_end["longest"][0]["begins_with"]]
    assert begins == ["T-1", "T-2", "T-3"]
    assert found["missing_numbers"]["sequences"] == []
    assert (out["interactions"], out["of"], out["reasons"]["spam"]) == (1, 5, 1)
    assert out["agents"] == [{"agent_id": "linh", "left_out": 1, "of": 3}]
    for told in (
        "`missing` 2, `surplus` 0",
        "`interactions` 3 of 4",
        "1 of 5, `spam` 1, by linh 1 of 3",
    ):
        assert told in PAGE
