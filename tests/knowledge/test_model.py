"""Scoring of attempts, and the orders in which questions are shown."""

import pytest

from vendorwatch.knowledge.outcome import counted_attempt, passed, result
from vendorwatch.knowledge.record import Answer, Attempt, Instant, Question


def question(question_id: str, correct: tuple[int, ...], weight: int = 1) -> Question:
    return Question(
        question_id=question_id,
        stem="Which?",
        options=("a", "b", "c", "d"),
        correct=correct,
        topic="returns",
        weight=weight,
    )


def attempt(
    answers: dict[str, tuple[int, ...]], submitted_at: int | None = 20, number: int = 1
) -> Attempt:
    return Attempt(
        check_id="c",
        agent_id="a",
        number=number,
        started_at=Instant(10),
        submitted_at=None if submitted_at is None else Instant(submitted_at),
        answers=tuple(Answer(question_id=key, chosen=value) for key, value in answers.items()),
    )


def test_a_question_earns_its_weight_for_exactly_the_right_set_or_nothing() -> None:
    questions = [question("q1", (0, 2), 5), question("q2", (1,), 2), question("q3", (3,), 100)]

    assert result(questions, attempt({"q1": (2, 0), "q2": (1,), "q3": (3,)})) == (107, 107)
    assert result(questions, attempt({"q1": (0,), "q2": (1,)})) == (2, 107)
    assert result(questions, attempt({"q1": (0, 1, 2), "q3": ()})) == (0, 107)
    assert result(questions, None) == (0, 107)


@pytest.mark.parametrize(
    ("earned", "possible", "mark", "expected"),
    [
        (4, 5, 80, True),
        (79, 100, 80, False),
        # 66.6 per cent and two thirds: a float would have to be rounded first
        (2, 3, 66, True),
        (2, 3, 67, False),
        (1, 100, 1, True),
        (0, 5, 1, False),
        (99, 100, 100, False),
        (0, 0, 1, False),
        (10**17 - 1, 10**17, 100, False),
    ],
)
def test_the_pass_mark_is_compared_exactly(
    earned: int, possible: int, mark: int, *, expected: bool
) -> None:
    assert passed(earned, possible, mark) is expected


def test_only_the_first_submitted_attempt_counts_even_if_a_retake_was_better() -> None:
    first, retake = attempt({"q": (0,)}, 20, 1), attempt({"q": (1,)}, 30, 2)

    assert counted_attempt([retake, first], due_at=100, as_of=100) is first


def test_an_attempt_that_was_never_handed_in_is_passed_over() -> None:
    begun, handed_in = attempt({"q": (0,)}, None, 1), attempt({"q": (1,)}, 30, 2)

    assert counted_attempt([begun, handed_in], due_at=100, as_of=100) is handed_in
    assert counted_attempt([begun], due_at=100, as_of=100) is None
    assert counted_attempt([], due_at=100, as_of=100) is None


@pytest.mark.parametrize(
    ("due_at", "as_of", "counts"),
    [(20, 99, True), (19, 99, False), (99, 20, True), (99, 19, False)],
)
def test_in_time_includes_the_due_instant_and_the_as_of_instant(
    due_at: int, as_of: int, *, counts: bool
) -> None:
    assert (counted_attempt([attempt({})], due_at=due_at, as_of=as_of) is not None) is counts


def test_a_late_first_attempt_is_not_replaced_by_another_one() -> None:
    late = [attempt({}, 50, 1), attempt({}, 60, 2)]

    assert counted_attempt(late, due_at=40, as_of=100) is None
