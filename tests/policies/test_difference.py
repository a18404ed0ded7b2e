"""What differs between two policies: keys and values, never comments or formatting."""

import pytest

from vendorwatch.policies.difference import Change, differences
from vendorwatch.policies.service import default_policy

OLD = """
name = "Small"  # a comment
settling_days = 7
minimum_volume = { vendor = 30 }
[hours.default]
mon = ["09:00-12:00"]
holidays = ["2026-09-02"]
[targets.first_reply.default]
seconds = 3_600
[dimensions.response]
weight = 1.0
"""


@pytest.mark.parametrize(
    "new",
    [
        OLD.replace("  # a comment", "").replace("[targets", "\n# other\n[targets"),
        OLD.replace("3_600", "3600").replace("1.0", "1.00").replace('"Small"', "'Small'"),
        OLD.replace("{ vendor = 30 }", "{vendor=30}").replace('["2026-09-02"]', "[ 2026-09-02, ]"),
        OLD.replace("[dimensions.response]\nweight", "dimensions.response.weight").replace(
            "dimensions.response.weight = 1.0", ""
        )
        + "[dimensions]\nresponse = { weight = 1 }\n",
        OLD.replace("\n", "\r\n"),
        "\ufeff" + OLD,
    ],
)
def test_how_it_is_written_is_no_difference(new: str) -> None:
    assert new != OLD
    assert differences(OLD, new) == []


def test_differences_come_in_the_order_of_the_file() -> None:
    new = OLD.replace("settling_days = 7\n", "balance = false\n").replace("3_600", "60")
    new = new.replace('mon = ["09:00-12:00"]', 'mon = ["09:00-12:00", "13:00-18:00"]')
    new += "[hours.chat]\n"
    assert differences(OLD, new) == [
        Change("settling_days", "7", None),
        Change("balance", None, "false"),
        Change("hours.default.mon", '["09:00-12:00"]', '["09:00-12:00", "13:00-18:00"]'),
        Change("targets.first_reply.default.seconds", "3_600".replace("_", ""), "60"),
        Change("hours.chat", None, "{}"),
    ]
    assert [each.kind for each in differences(OLD, new)] == [
        "removed",
        "added",
        "changed",
        "changed",
        "added",
    ]


def test_what_was_removed_stands_where_it_stood() -> None:
    without = OLD.replace('mon = ["09:00-12:00"]\n', "").replace('name = "Small"', 'name = "S"')
    assert [each.path for each in differences(OLD, without)] == ["name", "hours.default.mon"]
    assert [each.path for each in differences(without, OLD)] == ["name", "hours.default.mon"]


def test_the_other_way_round_the_same_keys_differ() -> None:
    default = default_policy().source
    there = {(each.path, each.old, each.new) for each in differences(OLD, default)}
    back = {(each.path, each.new, each.old) for each in differences(default, OLD)}
    assert there == back
    assert len(there) > 40
