"""`vendorwatch engagement ...` and `vendorwatch agent ...`."""

from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Ran
from vendorwatch.vendors.model import Engagement

Command = Callable[..., Ran]
CREATE = ("engagement", "create", "--merchant", "Tra Sen", "--vendor", "Hoa Sen BPO")


def test_an_engagement_is_created_once(command: Command) -> None:
    first = command(*CREATE, "--time-zone", "Asia/Ho_Chi_Minh", "--json")
    assert first.exit_code == 0
    assert set(first.json) == {"engagement_id", "merchant_id", "vendor_id"}
    assert command(*CREATE, "--time-zone", "Asia/Ho_Chi_Minh", "--json").json == first.json
    listed = command("engagement", "list", "--json").json
    assert listed == [
        first.json
        | {"merchant": "Tra Sen", "vendor": "Hoa Sen BPO", "time_zone": "Asia/Ho_Chi_Minh"}
    ]
    assert first.json["engagement_id"] in command("engagement", "list").out


def test_other_terms_are_a_conflict(command: Command) -> None:
    assert command(*CREATE, "--time-zone", "Asia/Ho_Chi_Minh").exit_code == 0
    ran = command(*CREATE, "--time-zone", "Asia/Bangkok", "--json")
    assert (ran.exit_code, ran.out) == (4, "")
    assert "Asia/Ho_Chi_Minh" in ran.err


def test_every_fault_has_a_line_of_its_own(command: Command) -> None:
    ran = command(
        "engagement", "create", "--merchant", " ", "--vendor", "V", "--time-zone", "Mars/Base"
    )
    assert ran.exit_code == 2
    told = ran.err.splitlines()
    assert [line.split(":")[0] for line in told[1:]] == ["  merchant", "  time_zone"]


def test_a_roster_is_imported(command: Command, engagement: Engagement, tmp_path: Path) -> None:
    file = tmp_path / "roster.csv"
    file.write_text("agent_id,name,team\n007,Nguyễn An,Night\n8,,\n", encoding="utf-8")
    imported = ("agent", "import", "--engagement", engagement.engagement_id, str(file))
    assert command(*imported, "--json").json == {"received": 2, "created": 2, "updated": 0}
    assert "2 updated" in command(*imported).out
    listed = command("agent", "list", "--engagement", engagement.engagement_id, "--json").json
    assert [(agent["agent_id"], agent["name"], agent["on_roster"]) for agent in listed] == [
        ("007", "Nguyễn An", True),
        ("8", None, True),
    ]
    assert "Nguyễn An" in command("agent", "list", "--engagement", engagement.engagement_id).out


def test_a_refused_roster_names_its_rows(
    command: Command, engagement: Engagement, tmp_path: Path
) -> None:
    file = tmp_path / "roster.csv"
    file.write_text("agent_id,ended_on\na,\na,x\n")
    ran = command("agent", "import", "--engagement", engagement.engagement_id, str(file))
    assert ran.exit_code == 2
    assert [line.split(":")[0] for line in ran.err.splitlines()[1:]] == [
        "  row 2, ended_on",
        "  row 2, agent_id",
    ]


@pytest.mark.parametrize("arguments", [("list",), ("import", __file__)])
def test_an_unknown_engagement(
    command: Command, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    file = tmp_path / "roster.csv"
    file.write_text("agent_id\na\n")
    given = [str(file) if argument == __file__ else argument for argument in arguments]
    assert command("agent", *given, "--engagement", "nothing").exit_code == 3
