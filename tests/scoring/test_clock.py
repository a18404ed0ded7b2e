"""Business time and clock times against counts of minutes, over the clock changes of any zone."""

import random
from bisect import bisect_left
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracle import clock as oracle
from oracle.clock import MINUTE, business_micros_by_minute, business_micros_by_wall
from scoring.calendars import (
    ANY,
    ODD,
    ODD_ZONES,
    Situation,
    Weekly,
    as_versions,
    calendars_around,
    hours,
    offsets,
    situations,
    wall,
)
from vendorwatch.periods import DAY, Month, load_zone, to_micros
from vendorwatch.scoring.clock import (
    BusinessClock,
    Calendars,
    Clocks,
    reading_of,
    with_readings,
)

ALWAYS: Weekly = (((0, 1440),),) * 7
NEVER: Weekly = ((),) * 7
NIGHT_AND_DAY: Weekly = (((0, 360), (540, 1080), (1320, 1440)),) * 7
OFFICE: Weekly = (((540, 1080),),) * 5 + ((),) * 2


def open_at(
    calendars: Calendars, zone: str, instants: Sequence[int], channel: str = "email"
) -> list[int]:
    """Open microseconds up to each, by a clock that is made for just these instants."""
    clock = Clocks(calendars, load_zone(zone), min(instants), max(instants)).by_channel[channel]
    return readings(clock, instants)


def readings(clock: BusinessClock, instants: Sequence[int | None]) -> list[Any]:
    frame = pl.DataFrame({"at": instants}, schema={"at": pl.Int64})
    return with_readings(frame, [clock], ["at"])[reading_of("at", 0)].to_list()


def open_between(
    calendars: Calendars, zone: str, start: int, end: int, channel: str = "email"
) -> int:
    before, after = open_at(calendars, zone, [start, end], channel)
    return after - before


def due_after(
    calendars: Calendars, zone: str, starts: Sequence[int], minutes: int, clock: str, until: int
) -> list[int | None]:
    clocks = Clocks(calendars, load_zone(zone), min(starts), until)
    moments = clocks.due_moments("email", minutes, business=clock == "business")
    frame = pl.DataFrame({"start": starts}, schema={"start": pl.Int64})
    return frame.select(moments.after(pl.col("start")).alias("due"))["due"].to_list()


def instant(text: str) -> int:
    return to_micros(datetime.fromisoformat(text))


def compare(situation: Situation) -> None:
    """One clock over all instants, and a clock for each span alone: both are what was counted."""
    zone, channel, calendars = situation.zone, situation.channel, situation.calendars
    counted = situation.counted()
    over_all = open_at(calendars, zone, situation.instants, channel)
    assert [after - before for before, after in pairwise(over_all)] == counted
    for (start, end), expected in zip(pairwise(situation.instants), counted, strict=True):
        assert open_between(calendars, zone, start, end, channel) == expected


@pytest.mark.parametrize("zone", ODD_ZONES)
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_equals_a_count_of_minutes_where_clocks_are_odd(zone: str, data: st.DataObject) -> None:
    compare(data.draw(situations(st.just(zone))))


@settings(max_examples=40, deadline=None)
@given(situation=situations(ANY))
def test_equals_a_count_of_minutes_in_any_zone(situation: Situation) -> None:
    compare(situation)


@pytest.mark.parametrize(
    ("zone", "around"),
    [
        ("America/New_York", "2026-07-05"),
        ("Africa/Casablanca", "2025-03-01"),
        ("Pacific/Apia", "2011-12-01"),
        ("Pacific/Chatham", "2026-07-05"),
    ],
)
@settings(max_examples=5, deadline=None)
@given(data=st.data())
def test_equals_a_count_of_minutes_over_half_a_year(
    zone: str, around: str, data: st.DataObject
) -> None:
    middle = date.fromisoformat(around)
    first, last = middle - timedelta(days=125), middle + timedelta(days=125)
    place = load_zone(zone)
    begin, end = (oracle.wall_to_instant(day, "00:00", place) for day in (first, last))
    calendars = data.draw(calendars_around(first, middle))
    instants = data.draw(st.lists(st.integers(begin, end), min_size=2, max_size=4))
    compare(Situation(zone, first, last, calendars, "email", sorted([begin, *instants])))


@settings(max_examples=25, deadline=None)
@given(situation=situations(ODD))
def test_spans_add_up_and_never_shrink(situation: Situation) -> None:
    calendars, zone = situation.calendars, situation.zone
    first, *_, last = situation.instants
    whole = open_between(calendars, zone, first, last, situation.channel)
    for middle in situation.instants:
        one = open_between(calendars, zone, first, middle, situation.channel)
        other = open_between(calendars, zone, middle, last, situation.channel)
        assert one + other == whole
        assert 0 <= one <= min(whole, middle - first)
    assert open_between(calendars, zone, first, first, situation.channel) == 0


@pytest.mark.parametrize(
    ("zone", "around"),
    [
        ("America/New_York", "2026-03-08"),
        ("Europe/Budapest", "2026-10-25"),
        ("Australia/Lord_Howe", "2026-04-05"),
    ],
)
def test_equals_a_count_of_minutes_that_some_interval_holds(zone: str, around: str) -> None:
    """By the oracle's oldest count: it asks each minute for all of the hours around it."""
    dice = random.Random(f"{zone} {around}")
    middle = instant(f"{around}T00:00Z")
    holiday = date.fromisoformat(around) + timedelta(days=2)
    calendars = [(Month(2026, 1), {"default": hours(NIGHT_AND_DAY, holiday)})]
    for _ in range(5):
        start = middle + dice.randint(-3 * 1440, 1440) * MINUTE
        end = start + dice.randint(0, 4 * 1440) * MINUTE
        expected = business_micros_by_minute(
            start, end, "email", as_versions(calendars), load_zone(zone)
        )
        assert open_between(calendars, zone, start, end) == expected


@pytest.mark.parametrize(
    ("zone", "day", "length"),
    [
        ("America/New_York", "2026-03-08", 23 * 60),
        ("America/New_York", "2026-11-01", 25 * 60),
        ("Australia/Lord_Howe", "2026-10-04", 23 * 60 + 30),
        ("Australia/Lord_Howe", "2026-04-05", 24 * 60 + 30),
        ("Antarctica/Troll", "2026-03-29", 22 * 60),
        ("Antarctica/Troll", "2026-10-25", 26 * 60),
        ("Asia/Kathmandu", "2026-03-29", 24 * 60),
    ],
)
def test_a_day_that_is_open_throughout_is_as_long_as_it_is(
    zone: str, day: str, length: int
) -> None:
    only = date.fromisoformat(day)
    weekly = tuple(((0, 1440),) if each == only.weekday() else () for each in range(7))
    calendars = [(Month(2026, 1), {"default": hours(weekly)})]
    noon = instant(f"{day}T12:00Z")
    assert open_between(calendars, zone, noon - 3 * DAY, noon + 3 * DAY) == length * MINUTE


@pytest.mark.parametrize(
    ("day", "opens", "closes", "expected"),
    [
        # New York skips 02:00-03:00 that day; what lies in it is read with the offset of before.
        ("2026-03-08", 150, 300, 90),
        ("2026-03-08", 60, 150, 90),
        ("2026-03-08", 150, 180, 0),
        # It doubles 01:00-02:00: the first one is meant.
        ("2026-11-01", 90, 300, 4 * 60 + 30),
        ("2026-11-01", 30, 90, 60),
    ],
)
def test_boundaries_that_a_clock_change_skips_or_doubles(
    day: str, opens: int, closes: int, expected: int
) -> None:
    calendars = [(Month(2026, 1), {"default": hours((((opens, closes),),) * 7)})]
    midnight = oracle.wall_to_instant(
        date.fromisoformat(day), "00:00", load_zone("America/New_York")
    )
    found = open_between(calendars, "America/New_York", midnight, midnight + DAY - 2 * 60 * MINUTE)
    assert found == expected * MINUTE


def test_hours_that_a_skip_makes_overlap_count_once() -> None:
    """Until half past two, which means half past three that day: so it is open from one to that."""
    calendars = [(Month(2026, 1), {"default": hours((((60, 150), (180, 200)),) * 7)})]
    one = instant("2026-03-08T01:00-05:00")
    assert open_between(calendars, "America/New_York", one, one + 5 * 60 * MINUTE) == 90 * MINUTE


def test_a_day_that_was_skipped_whole_is_read_with_the_offset_of_before() -> None:
    """Samoa had no Friday 30 December 2011: that Friday's hours are the ones of the Saturday."""
    friday = ((), (), (), (), ((540, 1020),), (), ())
    calendars = [(Month(2011, 1), {"default": hours(friday)})]
    saturday = instant("2011-12-31T09:00+14:00")
    found = open_between(calendars, "Pacific/Apia", saturday, saturday + DAY // 2)
    assert found == 8 * 60 * MINUTE


def test_exact_to_the_microsecond_and_half_open() -> None:
    calendars = [(Month(2026, 1), {"default": hours((((540, 1080),),) * 7)})]
    nine = instant("2026-10-05T09:00Z")
    assert open_between(calendars, "UTC", nine - 5, nine) == 0
    assert open_between(calendars, "UTC", nine - 5, nine + 1) == 1
    assert open_between(calendars, "UTC", nine, nine + 24 * 60 * MINUTE) == 9 * 60 * MINUTE
    six = nine + 9 * 60 * MINUTE
    assert open_between(calendars, "UTC", six - 1, six) == 1
    assert open_between(calendars, "UTC", six, six + 1) == 0
    assert open_between(calendars, "UTC", six - 1, six + 60 * MINUTE) == 1


def test_a_night_shift_is_two_intervals_and_no_gap() -> None:
    calendars = [(Month(2026, 1), {"default": hours((((0, 360), (1320, 1440)),) * 7)})]
    ten = instant("2026-10-05T22:00Z")
    assert open_between(calendars, "UTC", ten, ten + 8 * 60 * MINUTE) == 8 * 60 * MINUTE
    assert open_between(calendars, "UTC", ten - 1, ten + 9 * 60 * MINUTE) == 8 * 60 * MINUTE
    midnight = ten + 2 * 60 * MINUTE
    assert open_between(calendars, "UTC", midnight - 1, midnight + 1) == 2


def test_an_unknown_instant_has_no_open_time() -> None:
    calendars = [(Month(2026, 1), {"default": hours(ALWAYS)})]
    start = instant("2026-10-05T00:00Z")
    clock = Clocks(calendars, load_zone("UTC"), start, start + DAY).by_channel["email"]
    first, unknown, second = readings(clock, [start, None, start + 1])
    assert unknown is None
    assert second - first == 1
    assert [clock.reading_at(each) for each in (start, start + 1)] == [first, second]


def test_a_channel_may_have_hours_of_its_own() -> None:
    tables = {"default": hours(NEVER), "chat": hours(ALWAYS)}
    start = instant("2026-10-05T00:00Z")
    calendars = [(Month(2026, 1), tables)]
    assert open_between(calendars, "UTC", start, start + MINUTE) == 0
    assert open_between(calendars, "UTC", start, start + MINUTE, "chat") == MINUTE


def test_each_day_is_read_from_the_version_of_its_month() -> None:
    calendars = [
        (Month(2026, 1), {"default": hours(NEVER)}),
        (Month(2026, 11), {"default": hours(ALWAYS)}),
    ]
    start = instant("2026-10-31T00:00Z")
    assert open_between(calendars, "UTC", start, start + 2 * DAY) == DAY
    midnight = start + DAY
    assert open_between(calendars, "UTC", midnight - 1, midnight + 1) == 1


def test_a_month_without_hours_has_no_business_time() -> None:
    start = instant("2026-10-01T00:00Z")
    calendars = [(Month(2026, 1), {"default": hours(NEVER)})]
    assert open_between(calendars, "UTC", start, start + 40 * DAY) == 0


def test_the_wall_clock_oracle_agrees_with_the_minutes() -> None:
    """The oracle's clocks share no code; where they agree, the yardstick can be trusted."""
    zone = load_zone("Europe/Budapest")
    versions = as_versions([(Month(2026, 1), {"default": hours(NIGHT_AND_DAY)})])
    start = instant("2026-10-24T20:30Z")
    end = start + 2 * DAY
    by_minute = business_micros_by_minute(start, end, "email", versions, zone)
    assert by_minute == business_micros_by_wall(start, end, "email", versions, zone)


def test_where_nobody_said_when_the_shop_is_open_there_are_no_clocks() -> None:
    assert Clocks([], load_zone("UTC"), 0, 1).by_channel == {}


@pytest.mark.parametrize("clock", ["calendar", "business"])
@settings(max_examples=40, deadline=None)
@given(
    situation=situations(ODD | ANY),
    minutes=st.integers(0, 240) | st.integers(0, 1439),
)
def test_due_is_the_next_time_that_the_clock_shows_it(
    clock: str, situation: Situation, minutes: int
) -> None:
    calendars, zone, place = situation.calendars, situation.zone, load_zone(situation.zone)
    moments = [
        oracle.wall_to_instant(day, wall(minutes), place) + beside
        for day in (situation.first + timedelta(days=each) for each in (1, 2, 3))
        for beside in (-1, 0, 1)
    ]
    starts = [*situation.instants, *moments]
    until = max(starts)
    found = due_after(calendars, zone, starts, minutes, clock, until)
    for start, due in zip(starts, found, strict=True):
        expected = oracle.due(start, wall(minutes), clock, "email", as_versions(calendars), place)
        if expected is None or expected > until + 30 * DAY:  # nothing is measured so far ahead
            assert due is None or due == expected
        else:
            assert due == expected


@settings(max_examples=25, deadline=None)
@given(situation=situations(ODD), minutes=st.integers(0, 1439))
def test_due_is_when_minutes_are_counted_up_to_it(situation: Situation, minutes: int) -> None:
    """Against the minutes of the wall clock: no walk over days, no rule for skipped times."""
    spare = timedelta(days=3)
    between = offsets(situation.zone, situation.first - spare, situation.last + spare)
    day, shown = situation.first - spare, []
    while day <= situation.last + spare:
        shown.append(oracle.shown_at(day, wall(minutes), between))
        day += timedelta(days=1)
    starts, until = situation.instants, situation.instants[-1]
    found = due_after(situation.calendars, situation.zone, starts, minutes, "calendar", until)
    assert found == [shown[bisect_left(shown, start + 1)] for start in starts]


@pytest.mark.parametrize(
    ("start", "clock", "expected"),
    [
        ("2026-10-05T18:59:59.999999Z", "business", "2026-10-05T19:00Z"),  # a Monday
        ("2026-10-05T19:00:00Z", "business", "2026-10-06T19:00Z"),
        ("2026-10-05T19:00:00Z", "calendar", "2026-10-06T19:00Z"),
        ("2026-10-07T08:00:00Z", "business", "2026-10-08T19:00Z"),  # a holiday
        ("2026-10-07T08:00:00Z", "calendar", "2026-10-07T19:00Z"),
        ("2026-10-09T19:00:00Z", "business", "2026-10-12T19:00Z"),  # over the week-end
    ],
)
def test_due_by_hand(start: str, clock: str, expected: str) -> None:
    calendars = [(Month(2026, 1), {"default": hours(OFFICE, date(2026, 10, 7))})]
    begin = instant(start)
    assert due_after(calendars, "UTC", [begin], 19 * 60, clock, begin + DAY) == [instant(expected)]


def test_nothing_is_due_on_the_business_clock_where_the_channel_never_opens() -> None:
    calendars = [(Month(2026, 1), {"default": hours(NEVER)})]
    start = instant("2026-10-05T00:00Z")
    assert due_after(calendars, "UTC", [start], 0, "business", start + DAY) == [None]
    assert due_after(calendars, "UTC", [start], 0, "calendar", start + DAY) == [start + DAY]
