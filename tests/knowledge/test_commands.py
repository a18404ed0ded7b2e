"""`vendorwatch knowledge`, as somebody at a terminal uses it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from conftest import Ran
from knowledge.documents import many
from stopped_clock import StoppedClock
from vendorwatch.knowledge.commands import knowledge
from vendorwatch.knowledge.model import BadKnowledge
from vendorwatch.settings import Settings
from vendorwatch.terminal import Runtime
from vendorwatch.vendors.model import Engagement

DOCUMENT = {
    "questions": [
        {
            "question_id": "q1",
            "stem": "Nhiệt độ pha trà sen?",
            "options": ["60 °C", "85 °C"],
            "correct": [1],
            "topic": "brewing_advice",
        }
    ],
    "checks": [
        {
            "check_id": "2026-10",
            "title": "October",
            "pass_mark": 80,
            "due_at": "2026-10-25T18:00:00+07:00",
            "questions": ["q1"],
        }
    ],
    "assignments": [{"check_id": "2026-10", "agent_id": "hs-01"}],
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "knowledge.json"
    path.write_text(json.dumps(DOCUMENT), encoding="utf-8")
    return path


@pytest.fixture
def runtime(settings: Settings, clock: StoppedClock) -> Runtime:
    return Runtime(settings, clock)


def invoke(runtime: Runtime, *arguments: str) -> Result:
    return CliRunner().invoke(knowledge, arguments, obj=runtime, catch_exceptions=True)


def test_load_and_list_answer_in_json(runtime: Runtime, engagement: Engagement, file: Path) -> None:
    target = ("--engagement", engagement.engagement_id, "--json")

    loaded = invoke(runtime, "load", str(file), *target)
    listed = invoke(runtime, "list", *target)

    assert json.loads(loaded.stdout) == {
        "questions": 1,
        "checks": 1,
        "assignments": 1,
        "attempts": 0,
        "unchanged": 0,
    }
    [check] = json.loads(listed.stdout)
    assert (check["check_id"], check["assigned"], check["possible"]) == ("2026-10", 1, 1)


def test_without_json_people_can_read_it(
    runtime: Runtime, engagement: Engagement, file: Path
) -> None:
    target = ("--engagement", engagement.engagement_id)

    loaded = invoke(runtime, "load", str(file), *target)
    listed = invoke(runtime, "list", *target)

    assert loaded.stdout == "questions: 1, checks: 1, assignments: 1, attempts: 0, unchanged: 0\n"
    assert "2026-10  2026-10-25T11:00:00Z  1" in listed.stdout


def test_a_bad_document_raises_what_the_terminal_tells(
    runtime: Runtime, engagement: Engagement, file: Path
) -> None:
    file.write_text('{"questions": 1}', encoding="utf-8")

    result = invoke(runtime, "load", str(file), "--engagement", engagement.engagement_id)

    assert isinstance(result.exception, BadKnowledge)
    assert result.stdout == ""


def created(command: Callable[..., Ran], merchant: str = "Trà Sen") -> str:
    names = ("--merchant", merchant, "--vendor", "Hoa Sen BPO", "--time-zone", "Asia/Ho_Chi_Minh")
    return str(command("engagement", "create", *names, "--json").json["engagement_id"])


@pytest.fixture
def target(command: Callable[..., Ran], tmp_path: Path) -> tuple[str, str]:
    """An engagement with a check that thirty agents answered."""
    path = tmp_path / "many.json"
    path.write_text(json.dumps(many()), encoding="utf-8")
    options = ("--engagement", created(command))
    assert command("knowledge", "load", str(path), *options).exit_code == 0
    return options


def test_items_tells_how_each_question_did(
    command: Callable[..., Ran], target: tuple[str, str]
) -> None:
    ran = command("knowledge", "items", *target, "--json")

    assert (ran.exit_code, ran.err) == (0, "")
    odd, q1, q2 = ran.json
    assert odd == {
        "question_id": "odd",
        "version": 1,
        "topic": "brewing_advice",
        "product": None,
        "weight": 1,
        "stem": "Which?",
        "options": ["trà sen", "ชา", "tea"],
        "correct": [0],
        "withdrawn_at": None,
        "withdrawn_reason": None,
        "answers": 30,
        "difficulty": "0.333333",
        "discrimination": "-1.000000",
        "flag": "review_key",
    }
    assert [q1["flag"], q2["flag"]] == [None, None]


def test_items_and_list_can_be_read_by_people(
    command: Callable[..., Ran], target: tuple[str, str]
) -> None:
    listed = command("knowledge", "list", *target).out.splitlines()
    items = command("knowledge", "items", *target).out.splitlines()

    assert listed[0].split()[-2:] == ["earned", "KR-20"]
    assert listed[1].split()[-4:] == ["50", "of", "90", "-3.000000"]
    assert items[1].split() == [
        *("odd", "1", "brewing_advice", "1"),
        *("30", "0.333333", "-1.000000", "review_key", "-"),
    ]
    assert items[2].split()[-4:] == ["0.666667", "-", "-", "-"]


def test_withdraw_answers_in_json_and_in_words_and_is_listed(
    command: Callable[..., Ran], target: tuple[str, str]
) -> None:
    arguments = ("knowledge", "withdraw", "odd", *target, "--version", "1")

    first = command(*arguments, "--reason", "the key was wrong", "--json")
    again = command(*arguments, "--reason", "said once more")

    assert first.exit_code == again.exit_code == 0
    assert list(first.json) == ["question_id", "version", "reason", "withdrawn_at"]
    assert first.json["reason"] == "the key was wrong"
    at = first.json["withdrawn_at"]
    assert again.out == f"odd version 1: withdrawn at {at}, the key was wrong\n"
    [standing] = command("knowledge", "list", *target, "--json").json
    assert (standing["questions"], standing["withdrawn"], standing["possible"]) == (2, 1, 60)
    assert f"{at}, the key was wrong" in command("knowledge", "items", *target).out


@pytest.mark.parametrize(
    ("question", "version", "reason", "exit_code", "words"),
    [
        ("nowhere", "1", "wrong", 3, "no question 'nowhere'"),
        ("odd", "7", "wrong", 3, "no version 7"),
        ("odd", "0", "wrong", 2, "--version"),
        ("odd", "1", " ", 2, "reason is empty"),
    ],
)
def test_what_cannot_be_withdrawn_says_why_and_changes_nothing(
    command: Callable[..., Ran],
    target: tuple[str, str],
    question: str,
    version: str,
    reason: str,
    exit_code: int,
    words: str,
) -> None:
    options = ("--version", version, "--reason", reason, "--json")

    ran = command("knowledge", "withdraw", question, *target, *options)

    assert (ran.exit_code, ran.out) == (exit_code, "")
    assert words in ran.err
    [standing] = command("knowledge", "list", *target, "--json").json
    assert standing["withdrawn"] == 0


def test_another_merchants_engagement_cannot_withdraw_it(
    command: Callable[..., Ran], target: tuple[str, str]
) -> None:
    stranger = created(command, "Somebody Else")
    options = ("--engagement", stranger, "--version", "1", "--reason", "spite")

    assert command("knowledge", "withdraw", "odd", *options).exit_code == 3
    assert command("knowledge", "items", "--engagement", stranger, "--json").json == []
