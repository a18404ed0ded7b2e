"""Loads knowledge documents, withdraws questions, and tells how checks and questions stand."""

from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Literal

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.audit import service as audit
from vendorwatch.audit.model import COMMAND, Actor
from vendorwatch.db.locks import lock_merchant
from vendorwatch.db.scope import Scope
from vendorwatch.errors import NotFound
from vendorwatch.knowledge import store
from vendorwatch.knowledge.items import (
    NOTHING_ANSWERED,
    ItemStatistics,
    item_statistics,
    reliabilities,
)
from vendorwatch.knowledge.model import Changes, changes
from vendorwatch.knowledge.outcome import AssignmentResult
from vendorwatch.knowledge.record import Check, Document, Question
from vendorwatch.knowledge.withdrawals import (
    Version,
    Withdrawal,
    stored_form,
    withdrawal_reason,
)
from vendorwatch.periods import Micros, format_instant
from vendorwatch.scoring.document import decimal_text
from vendorwatch.vendors.service import agents_seen

_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many of each were written; `unchanged` are parts of the document that stood already."""

    questions: int
    checks: int
    assignments: int
    attempts: int
    unchanged: int


class CheckStanding(msgspec.Struct, frozen=True, kw_only=True):
    """`assigned` counts the agents of this engagement, without the excused ones.

    `questions` is without the `withdrawn` ones; `earned` and `possible` are sums of weights over
    the assigned agents. `kr20` has six decimals; null where there is too little to tell it.
    """

    check_id: str
    title: str
    due_at: str
    pass_mark: int
    questions: int
    withdrawn: int
    assigned: int
    excused: int
    submitted: int
    passed: int
    earned: int
    possible: int
    kr20: str | None


class QuestionStanding(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a question of the merchant, and how this engagement's agents answered it.

    `answers` counts attempts that count. `difficulty` (share right) and `discrimination` have six
    decimals; null where there is too little to tell them. `stem`, `options` and `correct` are null
    for whoever may not see what is asked.
    """

    question_id: str
    version: int
    topic: str
    product: str | None
    weight: int
    stem: str | None
    options: tuple[str, ...] | None
    correct: tuple[int, ...] | None
    withdrawn_at: str | None
    withdrawn_reason: str | None
    answers: int
    difficulty: str | None
    discrimination: str | None
    flag: Literal["review_key"] | None


class Withdrawn(msgspec.Struct, frozen=True, kw_only=True):
    question_id: str
    version: int
    reason: str
    withdrawn_at: str


async def load(
    connection: AsyncConnection,
    scope: Scope,
    document: Document,
    *,
    now: Micros,
    by: Actor = COMMAND,
) -> Loaded:
    """All of the document or nothing; repeated, it changes nothing.

    Raises BadKnowledge or KnowledgeConflict.
    """
    await lock_merchant(connection, scope.merchant_id)  # two must not make the same version
    check_ids = {check.check_id for check in document.checks}
    check_ids |= {assignment.check_id for assignment in document.assignments}
    check_ids |= {attempt.check_id for attempt in document.attempts}
    stored = await store.stored(connection, scope, check_ids)
    found = changes(document, stored, now)
    loaded = _loaded(document, found)
    counts = asdict(loaded)
    del counts["unchanged"]
    agents = sorted({each.agent_id for each in found.assignments})
    await agents_seen(connection, scope, agents, now)
    await store.insert_changes(connection, scope, found, now)
    if any(counts.values()):
        await audit.record(connection, scope, "knowledge.loaded", by, now, **counts)
    return loaded


def _loaded(document: Document, found: Changes) -> Loaded:
    assignments = len(found.assignments) + len(found.excuses)
    written = len(found.questions) + len(found.checks) + assignments + len(found.attempts)
    parts = (document.questions, document.checks, document.assignments, document.attempts)
    return Loaded(
        questions=len(found.questions),
        checks=len(found.checks),
        assignments=assignments,
        attempts=len(found.attempts),
        unchanged=sum(map(len, parts)) - written,
    )


async def withdraw(
    connection: AsyncConnection,
    scope: Scope,
    question_id: str,
    version: int,
    *,
    reason: str,
    now: Micros,
    by: Actor = COMMAND,
) -> Withdrawn:
    """For all vendors of the merchant. Repeated, it changes nothing: the first reason stays.

    Raises BadWithdrawal, or NotFound where the merchant has no such version.
    """
    given = Withdrawal(reason=withdrawal_reason(reason), withdrawn_at=now)
    await lock_merchant(connection, scope.merchant_id)
    wanted = stored_form(question_id)
    versions = await store.versions_of(connection, scope, wanted) if wanted else {}
    if wanted is None or not versions:
        raise NotFound(f"There is no question {question_id!r}.")
    if version not in versions:
        known = ", ".join(map(str, versions))
        raise NotFound(f"There is no version {version} of the question {wanted!r}; it has {known}.")
    standing = versions[version]
    if standing is None:
        await store.insert_withdrawal(connection, scope, wanted, version, given)
        await audit.record(
            connection, scope, "question.withdrawn", by, now, question_id=wanted, version=version
        )
        standing = given
    return Withdrawn(
        question_id=wanted,
        version=version,
        reason=standing.reason,
        withdrawn_at=format_instant(standing.withdrawn_at),
    )


async def results_due(
    connection: AsyncConnection, scope: Scope, start: Micros, end: Micros, as_of: Micros
) -> list[AssignmentResult]:
    """Of the checks due in `[start, end)` and by `as_of`; sorted by agent, then check."""
    return await store.results(connection, scope, start, min(end, as_of + 1), as_of)


async def answers_given(
    connection: AsyncConnection, scope: Scope, *, after: Micros, as_of: Micros
) -> list[tuple[str, str, bool]]:
    """(agent_id, topic, right) for each question of each attempt that counts, sorted.

    Of those submitted in `(after, as_of]`, whatever month their checks are due in. Left unanswered
    is not right; withdrawn questions are left out.
    """
    return await store.answers_given(connection, scope, after, as_of)


async def standings(
    connection: AsyncConnection,
    scope: Scope,
    *,
    now: Micros,
    assigned: bool = False,
    after: tuple[Micros, str] | None = None,
    limit: int | None = None,
) -> list[tuple[Micros, CheckStanding]]:
    """Checks of the merchant, by due date and id, with how this engagement's agents did so far.

    `assigned`: only those that anybody of this engagement was assigned.

    The instant beside each is the one that it is due at.
    """
    checks = await store.checks(connection, scope, assigned=assigned, after=after, limit=limit)
    check_ids = [check.check_id for check in checks]
    results: dict[str, list[AssignmentResult]] = {each: [] for each in check_ids}
    for each in await store.results_of(connection, scope, check_ids, now):
        results[each.check_id].append(each)
    answers = await store.answered(connection, scope, now, check_ids=check_ids)
    consistent = reliabilities(answers)
    gone = await store.withdrawn_counts(connection, scope, check_ids)
    return [
        (
            int(check.due_at),
            _check(check, gone.get(check.check_id, 0), results[check.check_id], consistent),
        )
        for check in checks
    ]


def _check(
    check: Check,
    withdrawn: int,
    results: list[AssignmentResult],
    consistent: dict[str, Fraction | None],
) -> CheckStanding:
    asked = [each for each in results if not each.excused]
    return CheckStanding(
        check_id=check.check_id,
        title=check.title,
        due_at=format_instant(check.due_at),
        pass_mark=check.pass_mark,
        questions=len(check.questions) - withdrawn,
        withdrawn=withdrawn,
        assigned=len(asked),
        excused=len(results) - len(asked),
        submitted=sum(each.submitted for each in asked),
        passed=sum(each.passed for each in asked),
        earned=sum(each.earned for each in asked),
        possible=sum(each.possible for each in asked),
        kr20=_six(consistent.get(check.check_id)),
    )


async def question_standings(
    connection: AsyncConnection,
    scope: Scope,
    *,
    now: Micros,
    with_text: bool,
    assigned: bool = False,
    after: Version | None = None,
    limit: int | None = None,
) -> list[QuestionStanding]:
    """Every version of every question of the merchant, by id and version.

    Statistics are over this engagement's agents alone. Without `with_text` nothing is shown that
    would tell what is asked, or what is right. `assigned`: only those that a check asks which was
    assigned in this engagement.
    """
    versions = await store.question_versions(
        connection, scope, assigned=assigned, after=after, limit=limit
    )
    ids = {question.question_id for _, question, _ in versions}
    answers = await store.answered(connection, scope, now, question_ids=ids if limit else None)
    statistics = item_statistics(answers)
    return [
        _question(
            question,
            version,
            withdrawal,
            statistics.get((question.question_id, version), NOTHING_ANSWERED),
            with_text=with_text,
        )
        for version, question, withdrawal in versions
    ]


def _question(
    question: Question,
    version: int,
    withdrawal: Withdrawal | None,
    statistics: ItemStatistics,
    *,
    with_text: bool,
) -> QuestionStanding:
    discrimination = statistics.discrimination
    return QuestionStanding(
        question_id=question.question_id,
        version=version,
        topic=question.topic,
        product=question.product,
        weight=question.weight,
        stem=question.stem if with_text else None,
        options=question.options if with_text else None,
        correct=question.correct if with_text else None,
        withdrawn_at=format_instant(withdrawal.withdrawn_at) if withdrawal else None,
        withdrawn_reason=withdrawal.reason if withdrawal else None,
        answers=statistics.answers,
        difficulty=_six(statistics.difficulty),
        discrimination=discrimination.text() if discrimination else None,
        flag="review_key" if statistics.review_key else None,
    )


def _six(value: Fraction | None) -> str | None:
    return None if value is None else decimal_text(value, _DIGITS)
