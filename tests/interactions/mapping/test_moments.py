"""Instants in the formats of a mapping, and instants computed from durations."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapped_cells import apply, refusal
from vendorwatch.periods import to_datetime, to_micros

_DATES = [
    ("%d/%m/%Y %H:%M", "29/2/2016 1:16", "2016-02-29T01:16:00Z"),
    ("%d/%m/%Y %H:%M", "29/02/2016 01:16", "2016-02-29T01:16:00Z"),
    ("%m/%d/%Y %I:%M:%S %p", "1/31/2023 12:00:58 AM", "2023-01-31T00:00:58Z"),
    ("%m/%d/%Y %I:%M %p", "1/31/2023 12:05 pm", "2023-01-31T12:05:00Z"),
    ("%d-%b-%y %H:%M", "01-Aug-23 11:13", "2023-08-01T11:13:00Z"),
    ("%A, %d %B %Y %R", "Tuesday, 1 August 2023 11:13", "2023-08-01T11:13:00Z"),
    ("%Y%m%d%H%M%S", "20230801111359", "2023-08-01T11:13:59Z"),
    ("%F %T.%f", "2023-08-01 11:13:59.25", "2023-08-01T11:13:59.250000Z"),
    ("%Y-%m-%dT%H:%M:%S%z", "2023-08-01T11:13:59+07:00", "2023-08-01T04:13:59Z"),
    ("%Y-%m-%d %H:%M:%S %z", "2023-08-01 11:13:59 -0430", "2023-08-01T15:43:59Z"),
    ("iso", "2023-08-01T11:13:59.5+02:00", "2023-08-01T09:13:59.500000Z"),
    ("iso", "2023-08-01 11:13:59", "2023-08-01T11:13:59Z"),
    ("epoch_seconds", "1690888439", "2023-08-01T11:13:59Z"),
    ("epoch_seconds", "1690888439.250", "2023-08-01T11:13:59.250000Z"),
    ("epoch_milliseconds", "1690888439250", "2023-08-01T11:13:59.250000Z"),
    ("%y%m%d %H:%M:%S", "690101 0:00:31", "1969-01-01T00:00:31Z"),
    ("%d.%m.%Y %H Uhr %M", "1.8.2023 11 Uhr 13", "2023-08-01T11:13:00Z"),
    ("%-d/%-m/%Y %-H:%M", "1/8/2023 9:13", "2023-08-01T09:13:00Z"),
]


@pytest.mark.parametrize(("form", "text", "instant"), _DATES)
def test_formats_of_dates(form: str, text: str, instant: str) -> None:
    rule = f'csat_at = {{ column = "at", format = "{form}" }}'
    assert apply(rule, at=text)["csat_at"] == instant


_NO_DATES = [
    ("%d/%m/%Y %H:%M", "31/2/2016 01:16"),
    ("%d/%m/%Y %H:%M", "2016-02-29 01:16"),
    ("%d/%m/%Y %H:%M", "29/2/2016 24:00"),
    ("%d/%m/%Y %H:%M", "29/2/2016 01:16 "),
    ("%d/%m/%Y %H:%M", "٢٩/2/2016 01:16"),
    ("%m/%d/%Y %I:%M %p", "1/31/2023 13:05 PM"),
    ("%m/%d/%Y %I:%M %p", "1/31/2023 0:05 AM"),
    ("%y%m%d %H:%M:%S", "99111 0:00:31"),
    ("%Y-%m-%dT%H:%M:%S%z", "2023-08-01T11:13:59"),
    ("iso", "1/2/2023 10:00"),
    ("epoch_seconds", "99999999999999999"),
]


@pytest.mark.parametrize(("form", "text"), _NO_DATES)
def test_what_is_no_date_in_the_format(form: str, text: str) -> None:
    code, detail = refusal(f'csat_at = {{ column = "at", format = "{form}" }}', at=text)
    assert code == "bad_timestamp"
    assert detail.startswith(f'mapping line 12: column "at" holds "{text}", which is not a')


def test_the_message_names_line_column_value_and_format() -> None:
    _, detail = refusal('csat_at = "at"', at="31/2/2016 01:16")
    assert detail == (
        'mapping line 12: column "at" holds "31/2/2016 01:16", '
        "which is not a date in the format %d/%m/%Y %H:%M"
    )
    _, detail = refusal('csat_at = { join = ["d", "t"] }', d="3/4/2026", t="noon")
    assert detail.startswith('mapping line 12: columns "d" and "t" hold "3/4/2026" and "noon", ')


@given(st.integers(min_value=-30 * 365, max_value=200 * 365 * 86_400))
def test_every_second_written_by_strftime_is_read_back(seconds: int) -> None:
    moment = to_datetime(seconds * 1_000_000)
    form = "%d %b %Y, %I:%M:%S %p"
    rule = f'csat_at = {{ column = "at", format = "{form}" }}'
    written = str(apply(rule, at=moment.strftime(form))["csat_at"])
    assert to_micros(moment) == to_micros(moment.fromisoformat(written))


def test_several_formats_are_tried_in_their_order() -> None:
    rule = 'csat_at = { column = "at", format = ["%d/%m/%Y %H:%M", "iso"] }'
    assert apply(rule, at="3/4/2026 5:06")["csat_at"] == "2026-04-03T05:06:00Z"
    assert apply(rule, at="2026-04-03T05:06:00Z")["csat_at"] == "2026-04-03T05:06:00Z"
    assert "neither a date in the format" in refusal(rule, at="soon")[1]


def test_dates_without_a_time_say_which_time_is_meant() -> None:
    rule = 'csat_at = { column = "at", format = "%d-%b-%y", at = "23:59:59" }'
    assert apply(rule, at="01-Aug-23")["csat_at"] == "2023-08-01T23:59:59Z"


def test_local_times_that_never_were_or_were_twice() -> None:
    rule = 'csat_at = { column = "at", zone = "Europe/Budapest" }'
    assert apply(rule, at="29/3/2026 03:00")["csat_at"] == "2026-03-29T01:00:00Z"
    assert refusal(rule, at="29/3/2026 02:30")[0] == "nonexistent_local_time"
    assert refusal(rule, at="25/10/2026 02:30")[0] == "ambiguous_local_time"
    assert apply(rule, at="25/10/2026 03:00")["csat_at"] == "2026-10-25T02:00:00Z"


_DURATIONS = [
    ("seconds", "90", 90),
    ("seconds", "90.0", 90),
    ("minutes", "1.5", 90),
    ("hours", "3.87", 13932),
    ("days", "2", 172_800),
    ("milliseconds", "90000", 90),
    ("H:MM:SS", "0:01:30", 90),
    ("H:MM:SS", "101:01:30", 363_690),
    ("H:MM", "1:30", 5400),
    ("MM:SS", "61:30", 3690),
    ("words", "1d 2h", 93_600),
    ("words", "2 hours, 5 minutes and 1 second", 7501),
    ("words", "1 day, 2:03:04", 93_784),
]


@pytest.mark.parametrize(("unit", "text", "seconds"), _DURATIONS)
def test_durations(unit: str, text: str, seconds: int) -> None:
    rule = f'csat_at = {{ field = "opened_at", add = "d", unit = "{unit}" }}'
    opened = to_micros(to_datetime(0).replace(year=2026, month=2, day=1, hour=10))
    written = str(apply(rule, d=text)["csat_at"])
    assert to_micros(to_datetime(0).fromisoformat(written)) == opened + seconds * 1_000_000


@pytest.mark.parametrize(
    ("unit", "text"),
    [
        ("seconds", "1:30"),
        ("H:MM:SS", "1:30"),
        ("H:MM:SS", "1:60:00"),
        ("words", "soon"),
        ("words", "-"),
    ],
)
def test_what_is_no_duration(unit: str, text: str) -> None:
    rule = f'csat_at = {{ field = "opened_at", add = "d", unit = "{unit}" }}'
    code, detail = refusal(rule, d=text)
    assert code == "bad_value"
    assert f'column "d" holds "{text}", which is not a ' in detail


def test_negative_and_empty_durations_mean_what_the_mapping_says() -> None:
    rule = 'csat_at = { field = "opened_at", add = "d", unit = "minutes" }'
    assert apply(rule, d="")["csat_at"] is None
    assert refusal(rule, d="-1")[0] == "out_of_range"
    for key, text, instant in (
        ('if_negative = "null"', "-1", None),
        ('if_negative = "zero"', "-1", "2026-02-01T10:00:00Z"),
        ('if_negative = "keep"', "-1", "2026-02-01T09:59:00Z"),
        ('if_empty = "zero"', "", "2026-02-01T10:00:00Z"),
    ):
        assert apply(rule.replace(" }", f", {key} }}"), d=text)["csat_at"] == instant


def test_durations_are_summed_and_subtracted() -> None:
    rule = 'opened_at = { column = "answered", subtract = ["a", "b"], unit = "seconds" }'
    fields = apply(rule, answered="1/2/2026 10:00", a="30", b="15")
    assert fields["opened_at"] == "2026-02-01T09:59:15Z"


def test_the_order_of_fields_in_the_file_does_not_matter() -> None:
    rule = """first_reply_at = { field = "csat_at", add = "d", unit = "days" }
csat_at = { field = "opened_at", add = "d", unit = "days" }"""
    assert apply(rule, d="1")["first_reply_at"] == "2026-02-03T10:00:00Z"


def test_the_next_day_only_where_the_time_lies_before() -> None:
    rule = 'csat_at = { column = "at", next_day_if_before = "opened_at" }'
    assert apply(rule, at="1/2/2026 09:59")["csat_at"] == "2026-02-02T09:59:00Z"
    assert apply(rule, at="1/2/2026 10:00")["csat_at"] == "2026-02-01T10:00:00Z"
