"""Instants, months and zones."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendorwatch.periods import (
    DAY,
    SECOND,
    Month,
    format_instant,
    load_zone,
    to_datetime,
    to_micros,
)

MONTHS = st.builds(Month, st.integers(1971, 2998), st.integers(1, 12))
MOMENTS = st.datetimes(
    min_value=datetime(1, 1, 2),  # noqa: DTZ001  the strategy wants naive bounds
    max_value=datetime(9999, 12, 30),  # noqa: DTZ001  as above
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))]),
)


@given(MOMENTS)
def test_micros_are_exact(moment: datetime) -> None:
    assert to_datetime(to_micros(moment)) == moment


@given(MOMENTS)
def test_an_instant_is_written_so_that_it_can_be_read(moment: datetime) -> None:
    instant = to_micros(moment)
    assert to_micros(datetime.fromisoformat(format_instant(instant))) == instant


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1, "1970-01-01T00:00:00.000001Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (1_793_606_400 * SECOND, "2026-11-02T08:00:00Z"),
        (1_793_606_400 * SECOND + 500_000, "2026-11-02T08:00:00.500000Z"),
    ],
)
def test_how_an_instant_is_written(instant: int, text: str) -> None:
    assert format_instant(instant) == text


def test_a_naive_moment_is_no_instant() -> None:
    with pytest.raises(ValueError, match="naive"):
        to_micros(datetime(2026, 1, 1))  # noqa: DTZ001  the point of the test


@given(MONTHS)
def test_months_go_back_and_forth(month: Month) -> None:
    assert month.next().previous() == month
    assert month.previous().next() == month
    assert month.previous() < month < month.next()
    assert Month.parse(str(month)) == month


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026",
        "2026-00",
        "2026-13",
        "٢٠٢٦-10",
        "2026-1",
        "26-01",
        "2026-01-01",
        "0001-01",
        "1969-12",
        "3000-01",
    ],
)
def test_what_is_not_a_month(text: str) -> None:
    with pytest.raises(ValueError, match="is not a month"):
        Month.parse(text)


@given(MONTHS, st.sampled_from(["UTC", "Asia/Ho_Chi_Minh", "Europe/Budapest", "Pacific/Apia"]))
def test_months_meet_without_gap(month: Month, name: str) -> None:
    zone = load_zone(name)
    start, end = month.bounds(zone)
    assert start < end
    assert month.next().bounds(zone)[0] == end


@pytest.mark.parametrize(
    ("month", "zone", "days", "hours"),
    [
        ("2026-10", "Asia/Ho_Chi_Minh", 31, 0),
        ("2026-03", "Europe/Budapest", 31, -1),
        ("2026-10", "Europe/Budapest", 31, 1),
        ("2024-02", "UTC", 29, 0),
        ("2011-12", "Pacific/Apia", 30, 0),  # a day was left out
    ],
)
def test_how_long_a_month_is(month: str, zone: str, days: int, hours: int) -> None:
    start, end = Month.parse(month).bounds(load_zone(zone))
    assert end - start == days * DAY + hours * 3_600 * SECOND


def test_a_month_starts_at_local_midnight() -> None:
    start, _ = Month.parse("2026-10").bounds(load_zone("Asia/Ho_Chi_Minh"))
    assert format_instant(start) == "2026-09-30T17:00:00Z"


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "a" * 5_000,
        "Mars/Base",
        "../UTC",
        "/etc/passwd",
        "Asia",
        "asia/bangkok",
        "UTC\0",
        "UTC/",
        "+01",
    ],
)
def test_what_is_not_a_zone(name: str) -> None:
    with pytest.raises(ValueError, match="is not an IANA time zone"):
        load_zone(name)


def test_zones_come_from_the_locked_package() -> None:
    assert load_zone("Asia/Ho_Chi_Minh") is load_zone("Asia/Ho_Chi_Minh")
    assert load_zone("Etc/GMT+12").key == "Etc/GMT+12"
