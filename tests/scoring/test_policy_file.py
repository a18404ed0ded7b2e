"""A policy is read whole or refused with everything that is wrong with it."""

from datetime import date
from decimal import Decimal

import pytest

from vendorwatch.periods import Month
from vendorwatch.policies.service import default_policy
from vendorwatch.scoring.policy import MetricRule, Target, in_force
from vendorwatch.scoring.policy_file import parse_policy
from vendorwatch.scoring.policy_reader import BadPolicy

SMALL = """
name = "Small"
effective_from = "2026-10"
[hours.default]
mon = ["09:00-12:00", "13:00-24:00"]
holidays = ["2026-09-02", 2026-12-25]
[targets.first_reply.default]
seconds = 3600
clock = "business"
[targets.first_reply.chat]
seconds = 60
clock = "calendar"
[targets.first_reply.chat.urgent]
seconds = 30
clock = "calendar"
[targets.first_reply.phone.urgent]
seconds = 20
clock = "calendar"
[targets.resolution.default]
seconds = 86400
clock = "calendar"
[dimensions.response]
weight = 1
[dimensions.response.metrics.first_reply_on_time]
weight = 1
target = 0.90
floor = 0.6
"""


def faults(source: str) -> dict[str, str]:
    with pytest.raises(BadPolicy) as caught:
        parse_policy(source)
    return {fault.field or "": fault.code for fault in caught.value.faults}


def mistakes(source: str) -> list[tuple[int | None, str | None, str]]:
    """Line, place and code, as they are told."""
    with pytest.raises(BadPolicy) as caught:
        parse_policy(source)
    return [(fault.line, fault.field, fault.code) for fault in caught.value.faults]


def test_what_the_file_says_is_what_counts() -> None:
    policy = parse_policy(SMALL)
    assert policy.effective_from == Month(2026, 10)
    assert (policy.settling_days, policy.repeat_window_days, policy.short_abandon_seconds) == (
        7,
        7,
        5,
    )
    assert policy.balance
    assert policy.minimum_volume.vendor == 30
    assert policy.hours["default"].weekly[0] == ((540, 720), (780, 1440))
    assert policy.hours["default"].weekly[1] == ()
    assert policy.hours["default"].holidays == {date(2026, 9, 2), date(2026, 12, 25)}
    rule = policy.rule("first_reply_on_time")
    assert rule is not None
    assert (rule.target, rule.floor) == (Decimal("0.90"), Decimal("0.6"))
    assert str(rule.target) == "0.90"
    assert policy.rule("csat") is None
    assert policy.dimensions["knowledge"].weight == 0


@pytest.mark.parametrize(
    ("channel", "priority", "expected"),
    [
        ("email", "urgent", Target(3600, "business")),
        ("chat", None, Target(60, "calendar")),
        ("chat", "high", Target(60, "calendar")),
        ("chat", "urgent", Target(30, "calendar")),
        ("phone", "urgent", Target(20, "calendar")),
        ("phone", "low", Target(3600, "business")),  # phone speaks of urgent calls only
    ],
)
def test_the_most_specific_target_wins(
    channel: str, priority: str | None, expected: Target
) -> None:
    assert parse_policy(SMALL).targets["first_reply"].find(channel, priority) == expected


def test_the_policy_of_the_package_is_valid_and_counts_for_any_month() -> None:
    policy = parse_policy(default_policy().source)
    assert policy.effective_from < Month(2010, 1)
    assert sum(dimension.weight for dimension in policy.dimensions.values()) == 100


def test_all_mistakes_are_told_at_once() -> None:
    source = SMALL.replace('name = "Small"', "nam = 1").replace("weight = 1\n", "weight = -1\n", 1)
    source = source.replace("floor = 0.6", "floor = 0.90").replace("13:00-24:00", "11:00-24:00")
    source += "[dimensions.response.metrics.csta]\nweight = 1\n[unheard]\n"
    assert faults(source) == {
        "name": "missing",
        "nam": "unknown-key",
        "unheard": "unknown-key",
        "hours.default.mon": "bad-value",
        "dimensions.response.weight": "bad-value",
        "dimensions.response.metrics.csta": "unknown-key",
        "dimensions.response.metrics.first_reply_on_time": "target-equals-floor",
        "dimensions": "no-weight",
    }


@pytest.mark.parametrize(
    ("before", "after", "field"),
    [
        ("target = 0.90", "target = 90", "dimensions.response.metrics.first_reply_on_time.target"),
        ("target = 0.90", "target = nan", "dimensions.response.metrics.first_reply_on_time.target"),
        ("seconds = 3600", "seconds = -1", "targets.first_reply.default.seconds"),
        ("seconds = 3600", "seconds = true", "targets.first_reply.default.seconds"),
        ('clock = "business"', 'clock = "office"', "targets.first_reply.default.clock"),
        ('"2026-10"', '"2026-13"', "effective_from"),
        ("09:00-12:00", "12:00-09:00", "hours.default.mon"),
        ("09:00-12:00", "9-12", "hours.default.mon"),
        ("2026-09-02", "2026-02-30", "hours.default.holidays"),
        ("mon = ", "monday = ", "hours.default.monday"),
        ("[targets.first_reply.chat]", "[targets.first_reply.chta]", "targets.first_reply.chta"),
    ],
)
def test_each_mistake_is_named_by_its_place(before: str, after: str, field: str) -> None:
    assert before in SMALL
    assert field in faults(SMALL.replace(before, after))


def test_of_a_table_that_is_not_there_nothing_more_is_told() -> None:
    assert faults('name = "x"\neffective_from = "2026-10"\nhours = 3') == {
        "targets": "missing",
        "hours": "bad-value",
        "dimensions": "missing",
    }


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ('name = "x"\n=', 2),
        ('name = "x"\n\nhours = [', 3),
        ("a = 1\nb = 2\na = 3\n# and so on", 3),
        ("a = 1\nweight = 1e99999999999999999999\nb = 2", 2),
        ("a = 1\n\nweight = " + "9" * 5_000 + "\nb = 2", 3),
        ("a = 1\nb = " + "[" * 20_000, 2),
        ("# a comment\na" + ".a" * 300 + " = 1", 2),
    ],
)
def test_a_text_that_is_not_toml_is_told_with_its_line(source: str, line: int) -> None:
    assert mistakes(source) == [(line, None, "not-toml")]


def test_a_file_beyond_measure_is_not_even_read() -> None:
    assert mistakes("#" * 65_537) == [(1, None, "too-long")]
    parse_policy(SMALL + "#" * (65_536 - len(SMALL)))


def test_every_mistake_has_its_line() -> None:
    source = """balance = 1
effective_from = "2026-10"

[hours.chat]
monday = []
[targets.first_reply.chat]
seconds = 1
clock = ["business"]
[targets.resolution.default]
seconds = 60
[targets.resolution.email]
clock = "calendar"

[dimensions.response.metrics.first_reply_on_time]
weight = 1
target = 0.5
floor = 0.5
[dimensions.response.metrics.csat]
"""
    first_reply = "dimensions.response.metrics.first_reply_on_time"
    assert mistakes(source) == [
        (1, "name", "missing"),
        (1, "balance", "bad-value"),
        (5, "hours.chat.monday", "unknown-key"),
        (6, "targets.first_reply.default", "missing"),  # where its table is first spoken of
        (8, "targets.first_reply.chat.clock", "bad-value"),
        (9, "targets.resolution.default.clock", "missing"),
        (11, "targets.resolution.email.seconds", "missing"),
        (14, "dimensions.response.weight", "missing"),
        (14, first_reply, "target-equals-floor"),
        (14, "dimensions", "no-weight"),
        (18, "dimensions.response.metrics.csat", "unknown-key"),
    ]


def test_a_mistake_reads_as_a_sentence() -> None:
    with pytest.raises(BadPolicy) as caught:
        parse_policy(SMALL.replace("seconds = 3600", 'seconds = "1 h"'))
    place = "line 8, targets.first_reply.default.seconds"
    assert [str(each) for each in caught.value.faults] == [
        f"{place}: must be a whole number from 0 to 31622400"
    ]


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_lines_are_counted_whatever_ends_them(end: str) -> None:
    source = SMALL.replace("floor = 0.6", "floor = 6").replace("\n", end)
    line = SMALL[: SMALL.index("floor")].count("\n") + 1
    place = "dimensions.response.metrics.first_reply_on_time.floor"
    for text in (source, "\ufeff" + source):
        assert mistakes(text) == [(line, place, "bad-value")]


BY_TIME = SMALL.replace("seconds = 60\n", 'reply_by = "19:00"\n')


def test_a_target_may_be_a_clock_time_wherever_targets_stand() -> None:
    source = BY_TIME.replace('"19:00"\nclock = "calendar"', '"19:00"')
    source = source.replace("seconds = 3600", 'reply_by = "24:00"')
    source = source.replace("seconds = 30\n", 'reply_by = "00:00"\n')
    source = source.replace("seconds = 86400", 'reply_by = "23:59"')
    source += '[targets.next_reply.default]\nreply_by = "08:30"\n'
    policy = parse_policy(source)
    first = policy.targets["first_reply"]
    assert first.find("email", None) == Target(None, "business", 1_440)
    assert first.find("chat", None) == Target(None, "calendar", 19 * 60)
    assert first.find("chat", "urgent") == Target(None, "calendar", 0)
    assert first.find("phone", "urgent") == Target(20, "calendar")
    assert policy.targets["resolution"].default == Target(None, "calendar", 23 * 60 + 59)
    assert policy.targets["next_reply"].default == Target(None, "calendar", 8 * 60 + 30)


def test_a_channel_with_priorities_may_have_a_clock_time_of_its_own() -> None:
    source = SMALL + '[targets.resolution.chat]\nreply_by = "18:00"\n'
    source += "[targets.resolution.chat.low]\nseconds = 9\nclock = 'calendar'\n"
    found = parse_policy(source).targets["resolution"]
    assert found.find("chat", "high") == Target(None, "calendar", 18 * 60)
    assert found.find("chat", "low") == Target(9, "calendar")


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ('reply_by = "19:00"\nseconds = 1', "two-targets"),
        ('reply_by = "24:01"', "bad-value"),
        ('reply_by = "7:00"', "bad-value"),
        ('reply_by = "19:60"', "bad-value"),
        ("reply_by = 19:00:00", "bad-value"),
        ("reply_by = 1900", "bad-value"),
    ],
)
def test_a_clock_time_stands_alone_and_is_one(written: str, code: str) -> None:
    place = "targets.first_reply.chat.reply_by"
    assert faults(SMALL.replace("seconds = 60", written)) == {place: code}


def test_a_clock_time_on_days_with_hours_needs_hours() -> None:
    head, _, rest = BY_TIME.partition("[hours.default]")
    without = head + rest[rest.index("[targets") :]
    without = without.replace('clock = "business"', 'clock = "calendar"')
    parse_policy(without)
    by_day = without.replace('"19:00"\nclock = "calendar"', '"19:00"\nclock = "business"')
    assert faults(by_day) == {"hours.default": "missing"}


@pytest.mark.parametrize(
    ("dimension", "metric"),
    [
        ("response", "next_reply_on_time"),
        ("resolution", "quality"),
        ("knowledge", "knowledge_coverage"),
    ],
)
def test_shares_of_each_dimension_can_be_agreed_on(dimension: str, metric: str) -> None:
    place = f"dimensions.{dimension}.metrics.{metric}"
    table = f"[{place}]\nweight = 1\ntarget = 0.9\nfloor = 0.5\n"
    weight = "" if dimension == "response" else f"[dimensions.{dimension}]\nweight = 1\n"
    rule = parse_policy(SMALL + weight + table).rule(metric)
    assert rule == MetricRule(Decimal(1), Decimal("0.9"), Decimal("0.5"))
    assert faults(SMALL + weight + table.replace("0.9", "90")) == {f"{place}.target": "bad-value"}


def test_hours_are_needed_only_where_business_time_counts() -> None:
    head, _, rest = SMALL.partition("[hours.default]")
    without = head + rest[rest.index("[targets") :]
    assert faults(without) == {"hours.default": "missing"}
    parse_policy(without.replace('clock = "business"', 'clock = "calendar"'))


def test_the_newest_version_that_applies_to_a_month_counts() -> None:
    versions = [
        parse_policy(SMALL.replace("2026-10", month)) for month in ("2026-01", "2026-06", "2026-04")
    ]
    assert in_force(versions, Month(2025, 12)) is None
    assert in_force(versions, Month(2026, 3)) is versions[0]
    assert in_force(versions, Month(2026, 4)) is versions[2]
    assert in_force(versions, Month(2026, 12)) is versions[2]


@pytest.mark.parametrize(
    "source",
    [
        "weight = 1e99999999999999999999",
        "weight = " + "9" * 5_000,
        "a = " + "[" * 20_000,
    ],
)
def test_numbers_and_nesting_beyond_measure_are_mistakes_like_others(source: str) -> None:
    with pytest.raises(BadPolicy):
        parse_policy(source)


def test_a_number_that_nobody_could_read_is_refused() -> None:
    place = "dimensions.response.metrics.first_reply_on_time.floor"
    assert faults(SMALL.replace("floor = 0.6", "floor = 1e-999999")) == {place: "bad-value"}


def test_a_version_without_hours_changes_no_calendar() -> None:
    without = SMALL[: SMALL.index("[hours")] + SMALL[SMALL.index("[targets") :]
    assert parse_policy(without.replace('"business"', '"calendar"')).hours == {}
