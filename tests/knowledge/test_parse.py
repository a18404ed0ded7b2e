"""A knowledge document is read strictly, and every mistake is named with its place."""

import json
from typing import Any

import pytest

from vendorwatch.knowledge.model import BadKnowledge
from vendorwatch.knowledge.parse import read_document

QUESTION = {
    "question_id": "q1",
    "stem": "How long may a customer return an unopened tea?",
    "options": ["7 days", "30 days", "Never"],
    "correct": [1],
    "topic": "returns",
}
CHECK = {
    "check_id": "2026-10",
    "title": "October",
    "pass_mark": 80,
    "due_at": "2026-10-25T18:00:00+07:00",
    "questions": ["q1"],
}
ATTEMPT: dict[str, Any] = {
    "check_id": "2026-10",
    "agent_id": "hs-01",
    "started_at": "2026-10-20T09:00:00+07:00",
    "submitted_at": "2026-10-20T09:10:00+07:00",
    "answers": [{"question_id": "q1", "chosen": [1]}],
}


def read(**document: Any) -> Any:
    return read_document(json.dumps(document).encode())


def faults(**document: Any) -> list[tuple[str, str | None]]:
    with pytest.raises(BadKnowledge) as caught:
        read(**document)
    return [(fault.code, fault.field) for fault in caught.value.faults]


def test_what_a_document_says_is_what_is_read() -> None:
    document = read(questions=[QUESTION], checks=[CHECK], attempts=[ATTEMPT])

    assert document.questions[0].weight == 1
    assert document.questions[0].options == ("7 days", "30 days", "Never")
    assert document.checks[0].due_at == 1_792_926_000_000_000
    assert document.attempts[0].number == 1
    assert document.attempts[0].answers[0].chosen == (1,)


def test_an_empty_document_is_a_document() -> None:
    assert read().questions == ()


def test_ids_are_equal_however_their_accents_were_typed() -> None:
    composed = read(assignments=[{"check_id": "k", "agent_id": "l\u00ea"}])
    decomposed = read(assignments=[{"check_id": "k", "agent_id": "le\u0302"}])

    assert composed == decomposed


def test_sets_are_equal_in_any_order() -> None:
    questions = [QUESTION | {"correct": [0, 2]}, QUESTION | {"correct": [2, 0]}]

    assert read(questions=questions[:1]) == read(questions=questions[1:])


def test_a_due_date_beyond_the_calendar_is_refused() -> None:
    """It could be stored, and never be shown again."""
    check = {"check_id": "k", "title": "t", "pass_mark": 60, "questions": ["q1"]}
    assert faults(checks=[check | {"due_at": "9999-12-31T23:59:59-12:00"}]) == [
        ("bad_value", "checks[0].due_at")
    ]


def test_every_mistake_of_a_document_is_named_at_once() -> None:
    found = faults(
        questions=[
            QUESTION | {"options": ["one"], "weight": 101, "colour": "red"},
            QUESTION | {"question_id": " q2", "correct": [], "stem": None},
        ],
        checks=[{"check_id": "k", "pass_mark": 0, "due_at": "2026-10-25T18:00:00"}],
        attempts=[ATTEMPT | {"answers": [{"question_id": "q1", "chosen": [True, 1.5]}, 7]}],
        agents=[],
    )

    assert sorted(found, key=str) == sorted(
        [
            ("unknown_field", "agents"),
            ("unknown_field", "questions[0].colour"),
            ("bad_value", "questions[0].options"),
            ("bad_value", "questions[0].weight"),
            ("bad_value", "questions[1].question_id"),
            ("bad_value", "questions[1].correct"),
            ("bad_value", "questions[1].stem"),
            ("missing_required", "checks[0].title"),
            ("missing_required", "checks[0].questions"),
            ("bad_value", "checks[0].pass_mark"),
            ("bad_value", "checks[0].due_at"),
            ("bad_value", "attempts[0].answers[0].chosen[0]"),
            ("bad_value", "attempts[0].answers[1]"),
        ],
        key=str,
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"options": ["a", "b", "a"]}, ("repeated", "questions[0].options[2]")),
        ({"correct": [1, 1]}, ("repeated", "questions[0].correct[1]")),
        ({"correct": [3]}, ("out_of_range", "questions[0].correct[0]")),
        ({"correct": [8]}, ("bad_value", "questions[0].correct[0]")),
        ({"options": [str(each) for each in range(9)]}, ("bad_value", "questions[0].options")),
        ({"stem": "half a \ud800 pair"}, ("bad_value", "questions[0].stem")),
        ({"topic": "re\x00turns"}, ("bad_value", "questions[0].topic")),
        ({"weight": 0}, ("bad_value", "questions[0].weight")),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused(
    change: dict[str, object], expected: tuple[str, str]
) -> None:
    assert faults(questions=[QUESTION | change]) == [expected]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            {"submitted_at": "2026-10-20T08:59:59+07:00", "answers": []},
            ("submitted_before_start", "attempts[0].submitted_at"),
        ),
        (
            {"answers": ATTEMPT["answers"] * 2},
            ("repeated", "attempts[0].answers[1]"),
        ),
        (
            {"answers": [{"question_id": "q1", "chosen": [1, 1]}]},
            ("repeated", "attempts[0].answers[0].chosen[1]"),
        ),
        (
            {
                "answers": [
                    {"question_id": "q1", "chosen": [1], "answered_at": "2026-10-20T03:00:00Z"}
                ]
            },
            ("answered_outside", "attempts[0].answers[0].answered_at"),
        ),
    ],
)
def test_an_attempt_that_cannot_have_happened_is_refused(
    change: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert faults(attempts=[ATTEMPT | change]) == [expected]


@pytest.mark.parametrize("part", ["questions", "checks", "attempts"])
def test_the_same_thing_twice_in_one_document_is_refused(part: str) -> None:
    item = {"questions": QUESTION, "checks": CHECK, "attempts": ATTEMPT}[part]

    assert faults(**{part: [item, item]}) == [("repeated", f"{part}[1]")]


@pytest.mark.parametrize(
    "source",
    [
        b"",
        b"not json",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"questions": [], "questions": []}',
        b'{"\\ud800": 1}',
        b'"text"',
    ],
)
def test_a_file_that_is_no_document_is_refused_and_never_a_crash(source: bytes) -> None:
    with pytest.raises(BadKnowledge):
        read_document(source)
