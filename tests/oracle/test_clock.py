"""Open time day by day against open time minute by minute, across every kind of clock change."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from oracle.clock import (
    MINUTE,
    WEEKDAYS,
    Versions,
    business_micros,
    business_micros_by_minute,
    business_micros_by_wall,
    due,
    micros,
    month_bounds,
    offsets,
    open_minutes,
    shown_at,
    version_on,
    wall_to_instant,
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
        ("2026-09", {"wed": ["09:00-12:00"]}), ("2026-10", {"thu": ["09:00-10:00"]})
    )
    zone = ZoneInfo("Asia/Ho_Chi_Minh")
    span = at("2026-09-29T17:00Z"), at("2026-10-01T17:00Z")
    assert business_micros(*span, "email", calendar, zone) == (180 + 60) * MINUTE
    assert version_on(datetime(2026, 8, 5, tzinfo=UTC).date(), calendar) is calendar[0][1]


def test_a_later_version_replaces_earlier_ones_from_its_own_month_on() -> None:
    calendar = versions(
        ("2026-10", {"thu": ["09:00-10:00"]}), ("2026-09", {"wed": ["09:00-12:00"]})
    )
    assert version_on(date(2026, 10, 1), calendar) is calendar[1][1]
    assert version_on(date(2026, 9, 30), calendar) is calendar[1][1]
    assert version_on(date(2026, 8, 31), calendar) is calendar[0][1]


def test_months_are_bounded_by_local_midnights() -> None:
    start, end = month_bounds("2025-11", ZoneInfo("America/New_York"))
    assert (start, end) == (at("2025-11-01T04:00Z"), at("2025-12-01T05:00Z"))
    start, end = month_bounds("2025-12", ZoneInfo("Asia/Ho_Chi_Minh"))
    assert (start, end) == (at("2025-11-30T17:00Z"), at("2025-12-31T17:00Z"))


def on_wall(text: str, zone: ZoneInfo) -> int:
    """Of a time that the clock shows once, twice or never: by counting minutes alone."""
    day = date.fromisoformat(text[:10])
    return shown_at(day, text[11:], offsets(day, day, zone))


@pytest.mark.parametrize(
    ("zone", "wall", "instant"),
    [
        ("America/New_York", "2025-03-09 01:59", "2025-03-09T06:59Z"),
        ("America/New_York", "2025-03-09 02:00", "2025-03-09T07:00Z"),  # skipped until 03:00
        ("America/New_York", "2025-03-09 02:59", "2025-03-09T07:59Z"),
        ("America/New_York", "2025-03-09 03:00", "2025-03-09T07:00Z"),
        ("America/New_York", "2025-11-02 01:30", "2025-11-02T05:30Z"),  # the first of the two
        ("America/New_York", "2025-11-02 02:00", "2025-11-02T07:00Z"),
        ("Australia/Lord_Howe", "2025-10-05 02:10", "2025-10-04T15:40Z"),  # skipped until 02:30
        ("Australia/Lord_Howe", "2025-04-06 01:45", "2025-04-05T14:45Z"),  # from 02:00 back 30 min
        ("Antarctica/Troll", "2025-03-30 01:30", "2025-03-30T01:30Z"),  # skipped until 03:00
        ("Antarctica/Troll", "2025-10-26 02:59", "2025-10-26T00:59Z"),
        ("Africa/Casablanca", "2025-04-06 02:30", "2025-04-06T02:30Z"),  # Ramadan is over
        ("Pacific/Apia", "2011-12-30 09:00", "2011-12-30T19:00Z"),  # a day that never was
        ("Pacific/Apia", "2011-12-31 09:00", "2011-12-30T19:00Z"),
    ],
)
def test_when_a_clock_on_the_wall_shows_a_time(zone: str, wall: str, instant: str) -> None:
    place = ZoneInfo(zone)
    assert on_wall(wall, place) == at(instant)
    day, shown = date.fromisoformat(wall[:10]), wall[11:]
    assert wall_to_instant(day, shown, place) == at(instant)


@pytest.mark.parametrize(("zone", "start"), CLOCK_CHANGES)
@pytest.mark.parametrize("hours", [ROUND_THE_CLOCK, ACROSS_THE_CHANGE, INSIDE_THE_CHANGE])
def test_flagged_minutes_are_the_minutes_that_some_interval_holds(
    zone: str, start: str, hours: dict[str, list[str]]
) -> None:
    begin, place, calendar = at(start), ZoneInfo(zone), versions(("2025-01", hours))
    end = begin + 3 * 1440 * MINUTE
    first, last = date.fromisoformat(start[:10]), date.fromisoformat(start[:10]) + timedelta(days=5)
    flagged = open_minutes(first, last, "email", calendar, offsets(first, last, place))
    counted = business_micros_by_minute(begin, end, "email", calendar, place)
    assert flagged.between(begin, end) == counted > 0


def test_flagged_minutes_are_split_to_the_microsecond() -> None:
    zone, calendar = ZoneInfo("Asia/Ho_Chi_Minh"), versions(("2025-01", {"mon": ["09:00-10:00"]}))
    day = date(2025, 6, 2)
    flagged = open_minutes(day, day, "email", calendar, offsets(day, day, zone))
    opens = at("2025-06-02T09:00+07:00")
    closes = opens + 60 * MINUTE
    for start, end in ((-5, 7), (3, 9), (0, MINUTE), (-1, MINUTE + 1), (MINUTE - 1, 2 * MINUTE)):
        assert flagged.between(opens + start, opens + end) == end - max(start, 0)
    assert flagged.between(closes - 3, closes + 9) == 3
    assert flagged.between(opens, opens) == 0


OFFICE = {day: ["09:00-18:00"] for day in ("mon", "tue", "wed", "thu", "fri")}
EVERY_DAY = {day: ["09:00-18:00"] for day in WEEKDAYS}
VIETNAM = "+07:00"


@pytest.mark.parametrize(
    ("start", "clock", "expected"),
    [
        # Monday 2 June 2025, in Hanoi.
        ("2025-06-02T18:59:59.999999", "calendar", "2025-06-02T19:00"),
        ("2025-06-02T19:00:00", "calendar", "2025-06-03T19:00"),
        ("2025-06-02T19:00:00.000001", "calendar", "2025-06-03T19:00"),
        ("2025-06-02T00:00:00", "business", "2025-06-02T19:00"),
        ("2025-06-06T19:00:00", "calendar", "2025-06-07T19:00"),
        ("2025-06-06T18:59:59.999999", "business", "2025-06-06T19:00"),
        ("2025-06-06T19:00:00", "business", "2025-06-09T19:00"),  # Friday evening: by Monday
        ("2025-06-07T10:00:00", "business", "2025-06-09T19:00"),
        # Tuesday and Wednesday of the week after are holidays.
        ("2025-06-09T20:00:00", "business", "2025-06-12T19:00"),
        ("2025-06-10T12:00:00", "business", "2025-06-12T19:00"),
        ("2025-06-10T12:00:00", "calendar", "2025-06-10T19:00"),
    ],
)
def test_due_is_the_next_time_the_clock_shows_it(start: str, clock: str, expected: str) -> None:
    calendar = versions(("2025-01", OFFICE | {"holidays": ["2025-06-10", "2025-06-11"]}))
    found = due(
        at(start + VIETNAM), "19:00", clock, "email", calendar, ZoneInfo("Asia/Ho_Chi_Minh")
    )
    assert found == at(expected + VIETNAM)


@pytest.mark.parametrize("clock", ["calendar", "business"])
@pytest.mark.parametrize(
    ("start", "wall", "expected"),
    [
        # 9 March 2025: from 02:00 EST to 03:00 EDT. Half past two is read with the old offset.
        ("2025-03-09T01:30-05:00", "02:30", "2025-03-09T03:30-04:00"),
        ("2025-03-09T03:29:59.999999-04:00", "02:30", "2025-03-09T03:30-04:00"),
        ("2025-03-09T03:30-04:00", "02:30", "2025-03-10T02:30-04:00"),
        ("2025-03-08T02:30-05:00", "02:30", "2025-03-09T03:30-04:00"),  # 24 hours later
        ("2025-03-09T01:30-05:00", "03:30", "2025-03-09T03:30-04:00"),
        # 2 November 2025: from 02:00 EDT back to 01:00 EST. The first half past one counts.
        ("2025-11-02T01:29:59.999999-04:00", "01:30", "2025-11-02T01:30-04:00"),
        ("2025-11-02T01:30-04:00", "01:30", "2025-11-03T01:30-05:00"),
        ("2025-11-02T01:10-05:00", "01:30", "2025-11-03T01:30-05:00"),
        ("2025-11-01T02:00-04:00", "02:00", "2025-11-02T02:00-05:00"),  # 25 hours later
    ],
)
def test_due_times_that_a_clock_change_skips_or_doubles(
    start: str, wall: str, expected: str, clock: str
) -> None:
    calendar = versions(("2025-01", EVERY_DAY))
    zone = ZoneInfo("America/New_York")
    assert due(at(start), wall, clock, "email", calendar, zone) == at(expected)


def test_due_days_are_those_of_the_channel_in_the_version_of_their_month() -> None:
    zone = ZoneInfo("Asia/Ho_Chi_Minh")
    before = {"default": OFFICE, "chat": EVERY_DAY}
    after = {"default": OFFICE | {"holidays": ["2025-07-01"]}, "chat": {"fri": ["09:00-10:00"]}}
    calendar: Versions = [("2025-01", {"hours": before}), ("2025-07", {"hours": after})]
    start = at("2025-06-28T08:00+07:00")  # a Saturday
    assert due(start, "07:00", "business", "email", calendar, zone) == at("2025-06-30T07:00+07:00")
    assert due(start, "07:00", "business", "chat", calendar, zone) == at("2025-06-29T07:00+07:00")
    end = at("2025-06-30T08:00+07:00")
    assert due(end, "07:00", "business", "email", calendar, zone) == at("2025-07-02T07:00+07:00")
    assert due(end, "07:00", "business", "chat", calendar, zone) == at("2025-07-04T07:00+07:00")


def test_nothing_is_due_where_the_channel_never_opens_again() -> None:
    zone, start = ZoneInfo("Asia/Ho_Chi_Minh"), at("2025-06-28T08:00+07:00")
    closed = versions(("2025-01", OFFICE), ("2025-06", {}))
    assert due(start, "07:00", "business", "email", closed, zone) is None
    assert due(start, "07:00", "calendar", "email", closed, zone) == at("2025-06-29T07:00+07:00")
    again = [*closed, *versions(("2026-01", OFFICE))]
    assert due(start, "07:00", "business", "email", again, zone) == at("2026-01-01T07:00+07:00")
