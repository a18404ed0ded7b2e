"""`vendorwatch policy`: set, shown as it was set, listed with its months, and compared."""

from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Ran
from vendorwatch.policies.service import default_policy

DEFAULT = default_policy().source
Command = Callable[..., Ran]


@pytest.fixture
def engagement_id(command: Command) -> str:
    made = command(
        *("engagement", "create", "--merchant", "Trà Sen", "--vendor", "Hoa Sen BPO"),
        *("--time-zone", "Asia/Ho_Chi_Minh", "--json"),
    )
    return str(made.json["engagement_id"])


@pytest.fixture
def policy(command: Command, engagement_id: str) -> Command:
    """`vendorwatch policy NAME --engagement ID ...`."""
    return lambda name, *rest: command("policy", name, "--engagement", engagement_id, *rest)


def written(folder: Path, name: str, source: str) -> str:
    path = folder / name
    path.write_bytes(source.encode())
    return str(path)


def starting(month: str) -> str:
    return DEFAULT.replace('"2000-01"', f'"{month}"')


@pytest.mark.parametrize(
    "source",
    [
        DEFAULT,
        "# Trà Sen: đã thống nhất\n" + DEFAULT.rstrip("\n"),
        DEFAULT.replace("\n", "\r\n"),
        "\ufeff" + DEFAULT,
    ],
    ids=["as printed", "comments", "line ends", "byte order mark"],
)
def test_what_was_set_is_shown_byte_for_byte(policy: Command, tmp_path: Path, source: str) -> None:
    assert policy("set", written(tmp_path, "p.toml", source)).exit_code == 0
    shown = policy("show")
    assert shown.exit_code == 0
    assert shown.out.encode() == source.encode()


def test_versions_are_numbered_and_kept(policy: Command, command: Command, tmp_path: Path) -> None:
    assert policy("show").out == command("policy", "default").out == DEFAULT
    july = written(tmp_path, "july.toml", starting("2026-07"))
    october = written(tmp_path, "october.toml", starting("2026-10"))
    first = policy("set", july, "--json").json
    assert policy("set", july, "--json").json == first
    assert (first["version"], policy("set", october, "--json").json["version"]) == (1, 2)
    assert policy("show", "--version", "1").out == starting("2026-07")
    assert policy("show").out == starting("2026-10")
    assert policy("show", "--version", "0").out == DEFAULT
    assert policy("show", "--version", "3").exit_code == 3


def test_the_list_says_for_which_months_each_counts(policy: Command, tmp_path: Path) -> None:
    assert "No policy is set" in policy("list").out
    assert policy("list", "--json").json == []
    for number, month in enumerate(("2026-07", "2026-12", "2026-10")):
        policy("set", written(tmp_path, f"{number}.toml", starting(month)))
    listed = policy("list", "--json").json
    assert [(each["version"], each["effective_months"]) for each in listed] == [
        (1, {"first": "2026-07", "last": "2026-09"}),
        (2, None),
        (3, {"first": "2026-10", "last": None}),
    ]
    assert [each["replaced_by"] for each in listed] == [3, 3, None]
    lines = policy("list").out.splitlines()
    assert lines[0].split() == ["version", "name", "effective", "sha256", "set", "at"]
    for line, words in zip(
        lines[1:],
        [
            "2026-07 to 2026-09",
            "never: replaced by version 3 from its first month",
            "from 2026-10",
            "Before 2026-07 the default counts",
        ],
        strict=True,
    ):
        assert words in line
    assert listed[0]["sha256"] in lines[1]
    assert listed[0]["created_at"] in lines[1]


def test_every_mistake_is_told_with_its_line(policy: Command, tmp_path: Path) -> None:
    bad = DEFAULT.replace("balance = true ", "balance = 1 ").replace(
        'clock = "calendar"', 'clock = "office"', 1
    )
    refused = policy("set", written(tmp_path, "bad.toml", bad))
    assert refused.exit_code == 2
    number = bad[: bad.index('clock = "office"')].count("\n") + 1
    assert [line.strip().split(":")[0] for line in refused.err.splitlines()[1:]] == [
        "line 11, balance",
        f"line {number}, targets.first_reply.chat.clock",
    ]
    assert policy("list", "--json").json == []


def test_what_differs_between_versions_and_files(policy: Command, tmp_path: Path) -> None:
    assert policy("diff").exit_code == 3
    one = written(tmp_path, "one.toml", starting("2026-07"))
    longer = starting("2026-07").replace("seconds = 60", "seconds = 45").replace("balance", "#", 1)
    two = written(tmp_path, "two.toml", longer)
    for file in (one, two):
        policy("set", file)
    told = policy("diff").out
    assert told.splitlines() == [
        "version 1 -> version 2",
        "  removed  balance (was true)",
        "  changed  targets.first_reply.chat.seconds: 60 -> 45",
    ]
    for arguments in (("1",), ("1", "2")):
        assert policy("diff", *arguments).out == told
    assert policy("diff", "1", two).out.splitlines()[1:] == told.splitlines()[1:]
    assert policy("diff", one).out.splitlines()[1:] == [
        "  added    balance = true",
        "  changed  targets.first_reply.chat.seconds: 45 -> 60",
    ]
    assert 'effective_from: "2000-01" -> "2026-07"' in policy("diff", "0", "1").out
    assert policy("diff", "1", "2", "--json").json["changes"] == [
        {"key": "balance", "change": "removed", "old": "true", "new": None},
        {
            "key": "targets.first_reply.chat.seconds",
            "change": "changed",
            "old": "60",
            "new": "45",
        },
    ]


def test_comments_alone_are_said_to_be_comments(policy: Command, tmp_path: Path) -> None:
    policy("set", written(tmp_path, "one.toml", DEFAULT))
    other = written(tmp_path, "other.toml", "# agreed on Monday\n" + DEFAULT)
    assert "Only comments and formatting differ." in policy("diff", other).out
    compared = policy("diff", other, "--json").json
    assert (compared["changes"], compared["same"]) == ([], False)
    same = policy("diff", "1", "1")
    assert "They are the same." in same.out


def test_what_cannot_be_compared_is_refused(policy: Command, tmp_path: Path) -> None:
    bad = policy("diff", written(tmp_path, "bad.toml", "name = 1\nbalance = 2\n"))
    assert bad.exit_code == 2
    assert "line 1, name" in bad.err
    assert "line 2, balance" in bad.err
    assert policy("diff", "nowhere.toml").exit_code == 2
    assert policy("diff", "1", "2").exit_code == 3
