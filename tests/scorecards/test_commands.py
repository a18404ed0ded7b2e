"""`vendorwatch scorecard`: the vendor's pages, one agent's, or all agents'."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Ran
from knowledge import documents
from scorecards.test_render import read, text_of

Command = Callable[..., Ran]
ASKED = ("scorecard", "--month", "2026-10", "--as-of", "2026-11-01T00:00:00Z", "--engagement")
pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"])  # others compare the engines


@pytest.fixture
def engagement_id(command: Command, tmp_path: Path) -> str:
    """Two agents were asked what they know; nothing else is there."""
    made = command(
        "engagement", "create", "--merchant", "Trà Sen", "--vendor", "Hoa Sen BPO",
        "--time-zone", "Asia/Ho_Chi_Minh", "--json",
    )  # fmt: skip
    asked = tmp_path / "knowledge.json"
    asked.write_text(json.dumps(documents.document()))
    found = str(made.json["engagement_id"])
    assert command("knowledge", "load", "--engagement", found, str(asked)).exit_code == 0
    return found


def test_one_agents_page_and_all_of_them(
    command: Command, engagement_id: str, tmp_path: Path
) -> None:
    one, every = tmp_path / "one.pdf", tmp_path / "all.pdf"
    asked = (*ASKED, engagement_id, "--language", "vi")
    assert command(*asked, "--pdf", str(one), "--agent", "hs-01").exit_code == 0
    assert command(*asked, "--pdf", str(every), "--agents").exit_code == 0
    [page] = read(one.read_bytes()).pages
    assert "hs-01" in page.extract_text()
    assert "hs-02" not in text_of(one.read_bytes())
    assert len(read(every.read_bytes()).pages) == 2
    assert "Bảng điểm nhân viên" in text_of(every.read_bytes())


def test_an_unknown_agent_and_two_wishes_at_once(
    command: Command, engagement_id: str, tmp_path: Path
) -> None:
    target = tmp_path / "none.pdf"
    asked = (*ASKED, engagement_id, "--pdf", str(target))
    assert command(*asked, "--agent", "hs-99").exit_code == 3
    assert command(*asked, "--agent", "hs-01", "--agents").exit_code == 2
    assert not target.exists()
