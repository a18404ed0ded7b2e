"""`vendorwatch knowledge`, as somebody at a terminal uses it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

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
