"""How attempts are scored, in exact integers."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from vendorwatch.knowledge.record import Assignment, Attempt, Question
from vendorwatch.periods import Micros

EVERY_QUESTION_WITHDRAWN = "every question was withdrawn"
"""The excuse of whoever is left with nothing to be scored by."""


@dataclass(frozen=True, slots=True)
class AssignmentResult:
    """How one agent did on one check, as of an instant.

    `questions` counts them without the `withdrawn` ones; `possible` and `earned` are sums of the
    weights of those that are left. `submitted`: in time, and by that instant; what was not
    submitted so earned 0. `excuse` is the reason for which it counts nowhere.
    """

    agent_id: str
    check_id: str
    due_at: Micros
    questions: int
    withdrawn: int
    possible: int
    earned: int
    passed: bool
    excuse: str | None
    submitted: bool

    @property
    def excused(self) -> bool:
        return self.excuse is not None


def counted_attempt(
    attempts: Iterable[Attempt], *, due_at: Micros, as_of: Micros
) -> Attempt | None:
    """The first submitted one, if it was submitted by the due date and by `as_of`."""
    submitted = [
        (attempt.submitted_at, attempt.number, attempt)
        for attempt in attempts
        if attempt.submitted_at is not None
    ]
    if not submitted:
        return None
    at, _, first = min(submitted, key=lambda each: each[:2])
    return first if at <= min(due_at, as_of) else None


def result(questions: Iterable[Question], attempt: Attempt | None) -> tuple[int, int]:
    """(earned, possible) weights: for each question exactly the right set, or nothing."""
    chosen = (
        {answer.question_id: set(answer.chosen) for answer in attempt.answers} if attempt else {}
    )
    earned = possible = 0
    for question in questions:
        possible += question.weight
        if chosen.get(question.question_id) == set(question.correct):
            earned += question.weight
    return earned, possible


def passed(earned: int, possible: int, pass_mark: int) -> bool:
    """Nobody passes a check that asks nothing."""
    return possible > 0 and 100 * earned >= pass_mark * possible


def outcome(
    assignment: Assignment,
    questions: Collection[tuple[Question, bool]],
    counted: Attempt | None,
    *,
    due_at: Micros,
    pass_mark: int,
) -> AssignmentResult:
    """`questions` are (question, withdrawn), as the check pinned them; `counted` is the attempt."""
    left = [question for question, withdrawn in questions if not withdrawn]
    earned, possible = result(left, counted)
    return AssignmentResult(
        agent_id=assignment.agent_id,
        check_id=assignment.check_id,
        due_at=due_at,
        questions=len(left),
        withdrawn=len(questions) - len(left),
        possible=possible,
        earned=earned,
        passed=passed(earned, possible, pass_mark),
        excuse=assignment.excused or (None if left else EVERY_QUESTION_WITHDRAWN),
        submitted=counted is not None,
    )
