"""Business time against a count of open minutes, over clock changes of many zones."""

import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from oracle.clock import business_micros_by_minute, business_micros_by_wall
from vendorwatch.periods import Month, load_zone, to_micros
from vendorwatch.scoring.clock import Calendars, channel_clocks
from vendorwatch.scoring.policy import Hours

MINUTE = 60_000_000
NIGHT_AND_DAY = (((0, 360), (540, 1080), (1320, 1440)),) * 7


def hours(weekly: tuple[tuple[tuple[int, int], ...], ...], *holidays: date) -> Hours:
    return Hours(weekly, frozenset(holidays))


def open_between(
    calendars: Calendars, zone: str, start: int, end: int, channel: str = "email"
) -> int:
    clock = channel_clocks(calendars, load_zone(zone), start=start, end=end)[channel]
    at = clock.at(pl.Series("at", [start, end], dtype=pl.Int64))
    return int(at[1] - at[0])


def as_tables(
    weekly: tuple[tuple[tuple[int, int], ...], ...], holidays: list[str]
) -> dict[str, object]:
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    texts = {
        name: [f"{a // 60:02}:{a % 60:02}-{b // 60:02}:{b % 60:02}" for a, b in intervals]
        for name, intervals in zip(names, weekly, strict=True)
    }
    return {"hours": {"default": {**texts, "holidays": holidays}}}


@pytest.mark.parametrize(
    ("zone", "around"),
    [
        ("America/New_York", "2026-03-08"),
        ("America/New_York", "2026-11-01"),
        ("Europe/Budapest", "2026-03-29"),
        ("Europe/Budapest", "2026-10-25"),
        ("Australia/Lord_Howe", "2026-04-05"),  # half an hour
        ("Pacific/Chatham", "2026-09-27"),  # an offset of 45 minutes
        ("Asia/Ho_Chi_Minh", "2026-10-25"),
    ],
)
def test_equals_a_count_of_open_minutes(zone: str, around: str) -> None:
    dice = random.Random(f"{zone} {around}")
    middle = to_micros(datetime.fromisoformat(around).replace(tzinfo=UTC))
    holiday = date.fromisoformat(around) + timedelta(days=2)
    tables = as_tables(NIGHT_AND_DAY, [holiday.isoformat()])
    calendars = [(Month(2026, 1), {"default": hours(NIGHT_AND_DAY, holiday)})]
    for _ in range(8):
        start = middle + dice.randint(-3 * 1440, 1440) * MINUTE
        end = start + dice.randint(0, 4 * 1440) * MINUTE
        expected = business_micros_by_minute(
            start, end, "email", [("2026-01", tables)], ZoneInfo(zone)
        )
        assert open_between(calendars, zone, start, end) == expected


def test_exact_to_the_microsecond_and_half_open() -> None:
    calendars = [(Month(2026, 1), {"default": hours((((540, 1080),),) * 7)})]
    nine = to_micros(datetime(2026, 10, 5, 9, tzinfo=UTC))
    assert open_between(calendars, "UTC", nine - 5, nine) == 0
    assert open_between(calendars, "UTC", nine - 5, nine + 1) == 1
    assert open_between(calendars, "UTC", nine, nine + 24 * 60 * MINUTE) == 9 * 60 * MINUTE


def test_a_channel_may_have_hours_of_its_own() -> None:
    tables = {"default": hours(((),) * 7), "chat": hours((((0, 1440),),) * 7)}
    start = to_micros(datetime(2026, 10, 5, tzinfo=UTC))
    calendars = [(Month(2026, 1), tables)]
    assert open_between(calendars, "UTC", start, start + MINUTE) == 0
    assert open_between(calendars, "UTC", start, start + MINUTE, "chat") == MINUTE


def test_each_day_is_read_from_the_version_of_its_month() -> None:
    closed, always = hours(((),) * 7), hours((((0, 1440),),) * 7)
    calendars = [(Month(2026, 1), {"default": closed}), (Month(2026, 11), {"default": always})]
    start = to_micros(datetime(2026, 10, 31, tzinfo=UTC))
    day = 24 * 60 * MINUTE
    assert open_between(calendars, "UTC", start, start + 2 * day) == day


def test_a_month_without_hours_has_no_business_time() -> None:
    start = to_micros(datetime(2026, 10, 1, tzinfo=UTC))
    calendars = [(Month(2026, 1), {"default": hours(((),) * 7)})]
    assert open_between(calendars, "UTC", start, start + 40 * 1440 * MINUTE) == 0


def test_the_wall_clock_oracle_agrees_with_the_minutes() -> None:
    """The oracle's two clocks share no code; where they agree, the yardstick can be trusted."""
    zone = ZoneInfo("Europe/Budapest")
    tables = as_tables(NIGHT_AND_DAY, [])
    start = to_micros(datetime(2026, 10, 24, 20, 30, tzinfo=UTC))
    end = start + 2 * 1440 * MINUTE
    by_minute = business_micros_by_minute(start, end, "email", [("2026-01", tables)], zone)
    assert by_minute == business_micros_by_wall(start, end, "email", [("2026-01", tables)], zone)


def test_where_nobody_said_when_the_shop_is_open_there_are_no_clocks() -> None:
    assert channel_clocks([], load_zone("UTC"), start=0, end=1) == {}
