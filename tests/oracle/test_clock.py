"""Open time day by day against open time minute by minute, across every kind of clock change."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from oracle.clock import (
    MINUTE,
    Versions,
    business_micros,
    business_micros_by_minute,
    business_micros_by_wall,
    micros,
    month_bounds,
    version_on,
)

CLOCK_CHANGES = [
    ("America/New_York", "2025-03-07T12:00Z"),
    ("America/New_York", "2025-10-31T12:00Z"),
    ("Europe/Budapest", "2025-03-28T12:00Z"),
    ("Europe/Budapest", "2025-10-24T12:00Z"),
    ("Australia/Lord_Howe", "2025-04-04T12:00Z"),
    ("Australia/Lord_Howe", "2025-10-03T12:00Z"),
    ("Pacific/Chatham", "2025-04-04T12:00Z"),
    ("Pacific/Chatham", "2025-09-26T12:00Z"),
    ("Asia/Ho_Chi_Minh", "2025-10-30T12:00Z"),
]
ROUND_THE_CLOCK = {day: ["00:00-24:00"] for day in ("sat", "sun")}
ACROSS_THE_CHANGE = {
    "fri": ["09:00-12:15", "13:00-18:00"],
    "sat": ["22:00-24:00"],
    "sun": ["00:00-06:00", "20:30-24:00"],
    "mon": ["00:00-04:45"],
}
INSIDE_THE_CHANGE = {
    "sun": ["00:30-01:15", "01:30-02:10", "02:20-02:50", "03:05-03:20"],
    "mon": ["09:00-18:00"],
}


def at(text: str) -> int:
    return micros(datetime.fromisoformat(text))


def versions(*tables: tuple[str, dict[str, Any]]) -> Versions:
    return [(month, {"hours": {"default": hours}}) for month, hours in tables]


@pytest.mark.parametrize(("zone", "start"), CLOCK_CHANGES)
@pytest.mark.parametrize("hours", [ROUND_THE_CLOCK, ACROSS_THE_CHANGE, INSIDE_THE_CHANGE])
def test_open_time_is_the_number_of_open_minutes(
    zone: str, start: str, hours: dict[str, list[str]]
) -> None:
    begin, place = at(start), ZoneInfo(zone)
    with_holiday = hours | {"holidays": [start[:10]]}
    for table, length in ((hours, 3 * 1440), (with_holiday, 900), (hours, 7)):
        end, calendar = begin + length * MINUTE, versions(("2025-01", table))
        counted = business_micros_by_minute(begin, end, "email", calendar, place)
        assert business_micros(begin, end, "email", calendar, place) == counted


@pytest.mark.parametrize(("zone", "start"), CLOCK_CHANGES)
@pytest.mark.parametrize("hours", [ROUND_THE_CLOCK, ACROSS_THE_CHANGE])
def test_open_time_is_what_a_clock_on_the_wall_would_count(
    zone: str, start: str, hours: dict[str, list[str]]
) -> None:
    begin, place, calendar = at(start), ZoneInfo(zone), versions(("2025-01", hours))
    end = begin + 3 * 1440 * MINUTE
    counted = business_micros_by_wall(begin, end, "email", calendar, place)
    assert business_micros(begin, end, "email", calendar, place) == counted


@pytest.mark.parametrize(
    ("zone", "day", "hours", "expected"),
    [
        ("America/New_York", "2025-03-09", "00:00-24:00", 23 * 60),
        ("America/New_York", "2025-11-02", "00:00-24:00", 25 * 60),
        ("Australia/Lord_Howe", "2025-10-05", "00:00-24:00", 23 * 60 + 30),
        ("Australia/Lord_Howe", "2025-04-06", "00:00-24:00", 24 * 60 + 30),
        ("Asia/Ho_Chi_Minh", "2025-11-02", "00:00-24:00", 24 * 60),
        # Doubled: half past one means the first of the two.
        ("America/New_York", "2025-11-02", "01:30-05:00", 4 * 60 + 30),
        ("America/New_York", "2025-11-02", "00:30-01:30", 60),
        # Skipped: half past two is read with the offset of before, and so means half past three.
        ("America/New_York", "2025-03-09", "02:30-05:00", 90),
        ("America/New_York", "2025-03-09", "01:00-02:30", 90),
        ("America/New_York", "2025-03-09", "02:30-03:00", 0),
    ],
)
def test_days_of_a_clock_change(zone: str, day: str, hours: str, expected: int) -> None:
    calendar = versions(("2025-01", {"sun": [hours]}))
    noon = at(f"{day}T12:00Z")
    span = noon - 2 * 1440 * MINUTE, noon + 2 * 1440 * MINUTE
    assert business_micros(*span, "email", calendar, ZoneInfo(zone)) == expected * MINUTE


@pytest.mark.parametrize(("second", "minutes"), [("03:00-04:00", 120), ("03:00-03:20", 90)])
def test_time_that_two_intervals_share_after_a_skip_counts_once(second: str, minutes: int) -> None:
    calendar = versions(("2025-01", {"sun": ["01:00-02:30", second]}))
    span = at("2025-03-09T00:00Z"), at("2025-03-09T23:00Z")
    zone = ZoneInfo("America/New_York")
    assert business_micros(*span, "email", calendar, zone) == minutes * MINUTE


def test_open_time_is_exact_to_the_microsecond_and_half_open() -> None:
    calendar = versions(("2025-01", {"mon": ["09:00-10:00"]}))
    opens, zone = at("2025-06-02T09:00+07:00"), ZoneInfo("Asia/Ho_Chi_Minh")
    closes = opens + 60 * MINUTE
    assert business_micros(opens - 5, opens + 7, "email", calendar, zone) == 7
    assert business_micros(closes - 3, closes + 9, "email", calendar, zone) == 3
    assert business_micros(closes, closes + 9, "email", calendar, zone) == 0
    assert business_micros(closes, opens, "email", calendar, zone) == 0


def test_a_channel_has_its_own_hours_and_holidays() -> None:
    tables = {
        "default": {"wed": ["09:00-18:00"], "holidays": ["2026-09-02"]},
        "chat": {"wed": ["10:00-11:00"]},
    }
    span, zone = (at("2026-09-01T00:00Z"), at("2026-09-04T00:00Z")), ZoneInfo("Asia/Ho_Chi_Minh")
    calendar: Versions = [("2026-01", {"hours": tables})]
    assert business_micros(*span, "chat", calendar, zone) == 60 * MINUTE
    assert business_micros(*span, "email", calendar, zone) == 0


def test_each_local_day_is_read_from_the_version_of_its_month() -> None:
    calendar = versions(
        ("2026-10", {"thu": ["09:00-10:00"]}), ("2026-09", {"wed": ["09:00-12:00"]})
    )
    zone = ZoneInfo("Asia/Ho_Chi_Minh")
    span = at("2026-09-29T17:00Z"), at("2026-10-01T17:00Z")
    assert business_micros(*span, "email", calendar, zone) == (180 + 60) * MINUTE
    assert version_on(datetime(2026, 8, 5, tzinfo=UTC).date(), calendar) is calendar[1][1]


def test_months_are_bounded_by_local_midnights() -> None:
    start, end = month_bounds("2025-11", ZoneInfo("America/New_York"))
    assert (start, end) == (at("2025-11-01T04:00Z"), at("2025-12-01T05:00Z"))
    start, end = month_bounds("2025-12", ZoneInfo("Asia/Ho_Chi_Minh"))
    assert (start, end) == (at("2025-11-30T17:00Z"), at("2025-12-31T17:00Z"))
