"""A policy is read whole or refused with everything that is wrong with it."""

from datetime import date
from decimal import Decimal

import pytest

from vendorwatch.periods import Month
from vendorwatch.scorecards.service import default_policy
from vendorwatch.scoring.policy import Target, in_force
from vendorwatch.scoring.policy_file import BadPolicy, parse_policy

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


def test_a_text_that_is_not_toml_is_told_with_its_line() -> None:
    with pytest.raises(BadPolicy, match="line 2"):
        parse_policy('name = "x"\n=')


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
