"""What may be said about firms and agents."""

import unicodedata
from typing import Any

import pytest

from vendorwatch.vendors.model import (
    MOST_AGENTS,
    BadEngagement,
    BadRoster,
    RosterEntry,
    agree,
    check_roster,
)


def faults_of(*rows: dict[str, Any]) -> list[tuple[int | None, str | None, str]]:
    with pytest.raises(BadRoster) as raised:
        check_roster([RosterEntry(**row) for row in rows])
    return [(fault.row, fault.field, fault.code) for fault in raised.value.faults]


def test_names_are_normalised() -> None:
    decomposed = unicodedata.normalize("NFD", "  Trà Sen ")
    terms = agree(decomposed, "Hoa Sen BPO\n", "Asia/Ho_Chi_Minh")
    assert (terms.merchant, terms.vendor) == ("Trà Sen", "Hoa Sen BPO")


def test_every_fault_of_an_engagement_is_told() -> None:
    with pytest.raises(BadEngagement) as raised:
        agree(" ", "a\r\nBcc: x", "Mars/Base")
    assert [(fault.field, fault.code) for fault in raised.value.faults] == [
        ("merchant", "missing_required"),
        ("vendor", "illegal_character"),
        ("time_zone", "bad_value"),
    ]


@pytest.mark.parametrize("name", ["x" * 201, "a\0b", "\ud800"])
def test_a_name_that_cannot_be_kept(name: str) -> None:
    with pytest.raises(BadEngagement):
        agree(name, "Vendor", "UTC")


@pytest.mark.parametrize("zone", ["", "utc/..", "../UTC", "+07:00", "EST5EDT4", "Asia"])
def test_a_zone_must_be_an_iana_zone(zone: str) -> None:
    with pytest.raises(BadEngagement):
        agree("Merchant", "Vendor", zone)


def test_a_roster_is_normalised_and_ordered() -> None:
    decomposed = unicodedata.normalize("NFD", "é")
    checked = check_roster(
        [
            RosterEntry(agent_id="b", name="", team="", aliases=(decomposed,)),
            RosterEntry(agent_id=decomposed, name=decomposed),
            RosterEntry(agent_id="007"),
        ]
    )
    assert [entry.agent_id for entry in checked] == ["007", "b", "é"]
    assert checked[1] == RosterEntry(agent_id="b", aliases=("é",))
    assert checked[2].name == "é"


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ({"agent_id": ""}, ("agent_id", "bad_value")),
        ({"agent_id": " a"}, ("agent_id", "bad_value")),
        ({"agent_id": "a\u00a0"}, ("agent_id", "bad_value")),
        ({"agent_id": "x" * 129}, ("agent_id", "out_of_range")),
        ({"agent_id": "a\0"}, ("agent_id", "illegal_character")),
        ({"agent_id": "a", "name": "\udc00"}, ("name", "illegal_character")),
        ({"agent_id": "a", "team": "x" * 201}, ("team", "out_of_range")),
        ({"agent_id": "a", "started_on": "2026-02-30"}, ("started_on", "bad_value")),
        ({"agent_id": "a", "started_on": "20260201"}, ("started_on", "bad_value")),
        ({"agent_id": "a", "ended_on": "yesterday"}, ("ended_on", "bad_value")),
        ({"agent_id": "a", "languages": ("vi_VN",)}, ("languages", "bad_value")),
        ({"agent_id": "a", "aliases": ("",)}, ("aliases", "bad_value")),
        (
            {"agent_id": "a", "started_on": "2026-02-02", "ended_on": "2026-02-01"},
            ("ended_on", "bad_value"),
        ),
    ],
)
def test_a_row_that_is_refused(row: dict[str, Any], fault: tuple[str, str]) -> None:
    assert faults_of({"agent_id": "first"}, row) == [(2, *fault)]


def test_all_faults_of_all_rows_are_told() -> None:
    rows = [
        {"agent_id": "a", "started_on": "x", "ended_on": "y"},
        {"agent_id": "b"},
        {"agent_id": "a"},
    ]
    assert faults_of(*rows) == [
        (1, "started_on", "bad_value"),
        (1, "ended_on", "bad_value"),
        (3, "agent_id", "duplicate_id"),
    ]


def test_the_same_id_in_two_forms_is_one_id() -> None:
    assert faults_of({"agent_id": "é"}, {"agent_id": "e\u0301"}) == [
        (2, "agent_id", "duplicate_id")
    ]


def test_a_roster_has_a_largest_size() -> None:
    entries = [RosterEntry(agent_id=str(number)) for number in range(MOST_AGENTS + 1)]
    assert len(check_roster(entries[:-1])) == MOST_AGENTS
    with pytest.raises(BadRoster, match="5000"):
        check_roster(entries)
