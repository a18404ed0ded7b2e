"""Instants are read exactly, whatever form they have, or refused with the reason."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendorwatch.interactions.instants import BadInstant, parse_instant, resolve_local
from vendorwatch.periods import format_instant, load_zone, to_micros

BERLIN = load_zone("Europe/Berlin")
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
OFFSETS = st.integers(-23 * 60 - 59, 23 * 60 + 59)


def code_of(text: object, **how: object) -> str:
    with pytest.raises(BadInstant) as caught:
        parse_instant(text, **how)  # type: ignore[arg-type]  # the very point of some cases
    return caught.value.code


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-10-31T09:05:00Z", "2026-10-31T09:05:00Z"),
        ("2026-10-31t09:05:00z", "2026-10-31T09:05:00Z"),
        ("2026-10-31 09:05:00+05:30", "2026-10-31T03:35:00Z"),
        ("2026-10-31T09:05:00-00:00", "2026-10-31T09:05:00Z"),
        ("2026-11-01T13:00:00+14:00", "2026-10-31T23:00:00Z"),
        ("2026-10-31T09:05Z", "2026-10-31T09:05:00Z"),
        ("2026-10-31T09:05-05:30", "2026-10-31T14:35:00Z"),
        ("2026-10-31T09:05+05:30", "2026-10-31T03:35:00Z"),
        ("2026-10-31T09:05:00.1Z", "2026-10-31T09:05:00.100000Z"),
        ("2026-10-31T09:05:00.123456Z", "2026-10-31T09:05:00.123456Z"),
        ("2026-10-31T09:05:00.123456000Z", "2026-10-31T09:05:00.123456Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_instants_with_an_offset_are_read_exactly(text: str, utc: str) -> None:
    assert format_instant(parse_instant(text)) == utc


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-10-31",
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-10-31T24:00:00Z",
        "2026-10-31T09:60:00Z",
        "2026-12-31T23:59:60Z",
        "2026-10-31T09:05:00+24:00",
        "2026-10-31T09:05:00+05:60",
        "2026-10-31T09:05:00+0530",
        "2026-10-31T09:05:00.1234567Z",
        "2026-10-31T09:05:00.1234561Z",
        "2026-10-31T09:05:00,5Z",
        "2026-W44-6T09:05:00Z",
        "20261031T090500Z",
        " 2026-10-31T09:05:00Z",
        "2026-10-31T09:05:00Z\n",
        "٢٠٢٦-10-31T09:05:00Z",
        "0000-12-31T00:00:00Z",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "1793437500",
        1793437500,
        1793437500.5,
        None,
        True,
        ["2026-10-31T09:05:00Z"],
    ],
)
def test_everything_else_is_a_bad_timestamp(text: object) -> None:
    assert code_of(text) == "bad_timestamp"


@given(st.datetimes(timezones=st.builds(timezone, OFFSETS.map(lambda m: timedelta(minutes=m)))))
def test_every_aware_moment_of_the_calendar_is_itself_or_refused(moment: datetime) -> None:
    if to_micros(FIRST) <= to_micros(moment) <= to_micros(LAST):
        assert parse_instant(moment.isoformat()) == to_micros(moment)
    else:
        assert code_of(moment.isoformat()) == "bad_timestamp"


@given(st.text(max_size=40), st.sampled_from([None, "dmy", "mdy", "ymd"]))
def test_no_text_raises_anything_else(text: str, order: object) -> None:
    with suppress(BadInstant):
        parse_instant(text, BERLIN, order)  # type: ignore[arg-type]  # sampled


def test_an_instant_without_offset_needs_a_zone() -> None:
    assert code_of("2026-07-01T09:00:00") == "timezone_required"
    assert format_instant(parse_instant("2026-07-01T09:00:00", BERLIN)) == "2026-07-01T07:00:00Z"
    assert format_instant(parse_instant("2026-01-01 09:00", BERLIN)) == "2026-01-01T08:00:00Z"


def test_an_offset_wins_over_the_zone_of_the_file() -> None:
    assert parse_instant("2026-07-01T09:00:00Z", BERLIN) == parse_instant("2026-07-01T09:00:00Z")


def test_a_skipped_local_time_did_not_happen() -> None:
    assert code_of("2026-03-29T02:30:00", zone=BERLIN) == "nonexistent_local_time"
    assert format_instant(parse_instant("2026-03-29T03:00:00", BERLIN)) == "2026-03-29T01:00:00Z"


def test_a_doubled_local_time_is_ambiguous() -> None:
    assert code_of("2026-10-25T02:00:00", zone=BERLIN) == "ambiguous_local_time"
    assert code_of("2026-10-25T02:59:59.5", zone=BERLIN) == "ambiguous_local_time"
    assert format_instant(parse_instant("2026-10-25T03:00:00", BERLIN)) == "2026-10-25T02:00:00Z"


@given(st.datetimes(), st.sampled_from(["Europe/Berlin", "Pacific/Apia", "Asia/Kolkata", "UTC"]))
def test_a_local_time_is_what_clocks_there_showed(moment: datetime, name: str) -> None:
    zone = load_zone(name)
    try:
        instant = resolve_local(moment, zone)
    except BadInstant:
        return
    shown = datetime.fromtimestamp(instant // 1_000_000, UTC).astimezone(zone)
    assert shown.replace(tzinfo=None) == moment.replace(microsecond=0)


@pytest.mark.parametrize(
    ("text", "order", "utc"),
    [
        ("31/10/2026 9:05", "dmy", "2026-10-31T09:05:00Z"),
        ("29/2/2016 01:16", "dmy", "2016-02-29T01:16:00Z"),
        ("10/11/2026 09:05:30", "dmy", "2026-11-10T09:05:30Z"),
        ("10/11/2026 09:05:30", "mdy", "2026-10-11T09:05:30Z"),
        ("10-11-2026 9:05 PM", "mdy", "2026-10-11T21:05:00Z"),
        ("10.11.2026 12:05 am", "dmy", "2026-11-10T00:05:00Z"),
        ("2026/1/2 12:05 pm", "ymd", "2026-01-02T12:05:00Z"),
        ("2026-01-02 03:04:05", "dmy", "2026-01-02T03:04:05Z"),
    ],
)
def test_other_dates_need_their_order(text: str, order: str, utc: str) -> None:
    assert format_instant(parse_instant(text, load_zone("UTC"), order)) == utc  # type: ignore[arg-type]  # literal


def test_a_date_that_reads_in_several_ways_is_refused() -> None:
    zone = load_zone("UTC")
    assert code_of("10/11/2026 09:05", zone=zone) == "bad_timestamp"
    assert code_of("31/10/2026 09:05", zone=zone, date_order="mdy") == "bad_timestamp"
    assert code_of("31/10/26 09:05", zone=zone, date_order="dmy") == "bad_timestamp"
    assert code_of("31/10/2026 13:05 PM", zone=zone, date_order="dmy") == "bad_timestamp"


@pytest.mark.parametrize("value", [Decimal("1759309200.5"), True, [1], {"at": 1}, None])
def test_what_is_no_text_is_shown_as_json_has_it(value: object) -> None:
    with pytest.raises(BadInstant) as caught:
        parse_instant(value)
    told = caught.value.detail.partition(" is not text")[0]
    assert told in {"1759309200.5", "true", "a list", "an object", "null"}
