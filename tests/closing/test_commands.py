"""`close-month`, `approve`, `revise` and `closing ...`, as whoever runs the server types them."""

from collections.abc import Callable
from typing import Any

import pytest

from conftest import Ran
from vendorwatch.periods import Month, load_zone
from vendorwatch.telemetry import system_clock

Command = Callable[..., Ran]


@pytest.fixture
def ids(command: Command) -> list[str]:
    """Two engagements whose months are closed from two months before this one on."""
    found = []
    for vendor in ("Hoa Sen BPO", "Rival BPO"):
        made = command(
            "engagement", "create", "--merchant", "Tra Sen", "--vendor", vendor,
            "--time-zone", "Asia/Ho_Chi_Minh", "--json",
        )  # fmt: skip
        found.append(made.json["engagement_id"])
        ran = command("closing", "rules", "--engagement", found[-1], "--first-month", MONTH)
        assert ran.exit_code == 0, ran.err
    return found


def _months_ago(number: int) -> str:
    month = Month.of(system_clock(), load_zone("Asia/Ho_Chi_Minh"))
    for _ in range(number):
        month = month.previous()
    return str(month)


MONTH, RUNNING = _months_ago(2), _months_ago(0)


def tables(command: Command, engagement: str) -> Any:
    return command("closing", "list", "--engagement", engagement, "--json").json


def test_a_month_is_closed_by_hand_once(command: Command, ids: list[str]) -> None:
    asked = ("close-month", "--month", MONTH, "--engagement", ids[0], "--json")
    dry = command(*asked, "--dry-run")
    assert [each["outcome"] for each in dry.json] == ["would_close"]
    assert {each["state"] for each in tables(command, ids[0]) if each["month"] == MONTH} == {"due"}
    first, again = command(*asked), command(*asked)
    assert (first.exit_code, again.exit_code) == (0, 0)
    assert (first.json[0]["outcome"], first.json[0]["is_late"]) == ("issued", True)
    assert again.json == [first.json[0] | {"outcome": "stood"}]
    assert command(*asked, "--dry-run").json[0]["outcome"] == "stood"
    shown = command("closing", "list", "--engagement", ids[0])
    assert f"{MONTH}  issued " in shown.out


def test_all_engagements_are_closed_and_those_that_are_not_due_told(
    command: Command, ids: list[str]
) -> None:
    asked = ("close-month", "--month", MONTH, "--all", "--json")
    assert (
        command("closing", "rules", "--engagement", ids[1], "--first-month", RUNNING).exit_code == 0
    )
    ran = command(*asked)
    assert (ran.exit_code, [each["outcome"] for each in ran.json]) == (0, ["issued", "not_due"])


def test_what_is_not_due_or_not_clear_is_refused(command: Command, ids: list[str]) -> None:
    early = command("close-month", "--month", RUNNING, "--engagement", ids[0])
    assert (early.exit_code, "is due at" in early.err) == (4, True)
    assert command("close-month", "--month", MONTH).exit_code == 2
    assert command("close-month", "--month", "10", "--all").exit_code == 2
    unknown = "00000000-0000-4000-8000-000000000000"
    assert command("close-month", "--month", MONTH, "--engagement", unknown).exit_code == 3
    assert command("approve", "--engagement", ids[0], "--month", MONTH).exit_code == 4
    bad = command("closing", "rules", "--engagement", ids[0], "--last-month", "2020-01")
    assert (bad.exit_code, "before the first month" in bad.err) == (2, True)


def test_a_held_month_is_approved_and_one_without_a_difference_not_revised(
    command: Command, ids: list[str]
) -> None:
    rules = command(
        "closing", "rules", "--engagement", ids[0], "--approval", "hold", "--late-data",
        "automatic", "--json",
    )  # fmt: skip
    assert rules.json["first_month"] == MONTH  # what is not named stays
    assert (rules.json["approval"], rules.json["late_data"]) == ("hold", "automatic")
    place = ("--engagement", ids[0], "--month", MONTH)
    held = command("close-month", *place)
    assert "frozen, waits for approval (revision 1" in held.out
    approved = command("approve", *place, "--reason", "seen", "--json")
    [revision] = approved.json["revisions"]
    assert (revision["state"], revision["decided_by"], revision["reason"]) == (
        "issued", "operator", "seen",
    )  # fmt: skip
    same = command("revise", *place, "--reason", "why", "--dry-run", "--json")
    assert same.json["revisable"] is False
    assert command("revise", *place, "--reason", "why").exit_code == 4
    assert command("revise", *place).exit_code == 2
    again = command("closing", "rules", "--engagement", ids[0], "--first-month", "engagement")
    assert f"first month  {RUNNING}" in again.out
