"""For which months a version counts, said beforehand, and what a file would change."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vendorwatch.periods import Month
from vendorwatch.policies.model import StoredPolicy, effective_months, policy_for, what_if
from vendorwatch.policies.service import default_policy

DEFAULT = default_policy()
MONTHS = [Month(2026, month) for month in range(1, 7)]


def version(number: int, effective_from: Month) -> StoredPolicy:
    source = DEFAULT.source.replace('"2000-01"', f'"{effective_from}"')
    return StoredPolicy(f"id-{number}", number, "00", "x", str(effective_from), source, number)


def versions(*months: str) -> list[StoredPolicy]:
    return [version(number, Month.parse(month)) for number, month in enumerate(months, 1)]


@pytest.mark.parametrize(
    ("months", "told"),
    [
        (["2026-07"], ["from 2026-07"]),
        (["2026-07", "2026-10"], ["2026-07 to 2026-09", "from 2026-10"]),
        (["2026-07", "2026-08"], ["2026-07", "from 2026-08"]),
        (
            ["2026-07", "2026-10", "2026-07"],
            [
                "never: replaced by version 3 from its first month",
                "never: replaced by version 3 from its first month",
                "from 2026-07",
            ],
        ),
        (
            ["2026-07", "2026-10", "2026-09"],
            [
                "2026-07 to 2026-08",
                "never: replaced by version 3 from its first month",
                "from 2026-09",
            ],
        ),
    ],
)
def test_the_months_are_told_in_words(months: list[str], told: list[str]) -> None:
    assert [str(each) for each in effective_months(versions(*months))] == told


@settings(max_examples=40, deadline=None)  # each reads the versions again for every month
@given(st.lists(st.sampled_from(MONTHS), max_size=4))
def test_what_is_told_is_what_counts(begins: list[Month]) -> None:
    kept = [version(number, month) for number, month in enumerate(begins, 1)]
    told = effective_months(kept)
    for month in MONTHS:
        counting = [
            each.version
            for each, months in zip(kept, told, strict=True)
            if months.first and months.first <= month and (not months.last or month <= months.last)
        ]
        assert counting in ([], [policy_for(kept, DEFAULT, month).version])
        assert counting or policy_for(kept, DEFAULT, month).version == 0
    for months in told:
        if months.replaced_by is not None and months.last is not None:
            after = policy_for(kept, DEFAULT, months.last.next())
            assert after.version == months.replaced_by


def test_a_file_counts_from_the_month_on_with_its_hours() -> None:
    october = Month(2026, 10)
    kept = versions("2026-07", "2026-11")
    file = DEFAULT.source.replace('mon = ["08:00-20:00"]', 'mon = ["10:00-11:00"]')
    asked = what_if(kept, DEFAULT, file.replace('"2000-01"', '"2027-05"'), october)
    assert (asked.policy_id, asked.version) == ("what-if", 3)
    # The newest entry for a day counts: November's, too, are the file's.
    assert asked.calendars[-1][0] == october
    assert asked.calendars[-1][1]["default"].weekly[0] == ((600, 660),)
    assert len(asked.calendars) == 3
