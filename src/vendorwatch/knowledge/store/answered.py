"""What was asked and answered in the attempts that count, one row for each question of each."""

from collections.abc import Collection

from sqlalchemy import Select, Subquery, false, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.db import models
from vendorwatch.db.scope import Scope
from vendorwatch.knowledge.items import Answered
from vendorwatch.knowledge.store.rows import rows
from vendorwatch.periods import Micros


async def answers_given(
    connection: AsyncConnection, scope: Scope, after: Micros, as_of: Micros
) -> list[tuple[str, str, bool]]:
    """(agent_id, topic, right), sorted; of the attempts submitted in `(after, as_of]`."""
    counted = _counted(scope, as_of)
    statement = _asked(scope, counted).where(
        counted.c.submitted_at > after, models.QuestionWithdrawal.question_id.is_(None)
    )
    return sorted(
        (row["agent_id"], row["topic"], bool(row["right"]))
        for row in await rows(connection, statement)
    )


async def answered(
    connection: AsyncConnection,
    scope: Scope,
    as_of: Micros,
    *,
    check_ids: Collection[str] | None = None,
    question_ids: Collection[str] | None = None,
) -> list[Answered]:
    """Of these checks, or of every check that asks one of these questions; in no order."""
    counted, pin = _counted(scope, as_of), models.CheckQuestion
    statement = _asked(scope, counted)
    if check_ids is not None:
        statement = statement.where(counted.c.check_id.in_(check_ids))
    if question_ids is not None:
        asking = select(pin.check_id).where(
            pin.merchant_id == scope.merchant_id, pin.question_id.in_(question_ids)
        )
        statement = statement.where(counted.c.check_id.in_(asking))
    return [
        Answered(
            check_id=row["check_id"],
            agent_id=row["agent_id"],
            question_id=row["question_id"],
            version=row["version"],
            right=bool(row["right"]),
            withdrawn=row["withdrawn"] is not None,
        )
        for row in await rows(connection, statement)
    ]


def _counted(scope: Scope, as_of: Micros) -> Subquery:
    """The first submitted attempts of assignments without an excuse, as far as they were in time.

    In SQL what `model.counted_attempt` says: a later attempt never stands in for a late first one.
    """
    attempt = models.Attempt
    first = func.row_number().over(
        partition_by=(attempt.check_id, attempt.agent_id),
        order_by=(attempt.submitted_at, attempt.number),
    )
    submitted = (
        select(
            attempt.check_id,
            attempt.agent_id,
            attempt.number,
            attempt.submitted_at,
            first.label("place"),
        )
        .where(attempt.engagement_id == scope.engagement_id, attempt.submitted_at <= as_of)
        .subquery()
    )
    return (
        select(submitted)
        .join(
            models.Assignment,
            (models.Assignment.engagement_id == scope.engagement_id)
            & (models.Assignment.check_id == submitted.c.check_id)
            & (models.Assignment.agent_id == submitted.c.agent_id),
        )
        .join(
            models.Check,
            (models.Check.merchant_id == scope.merchant_id)
            & (models.Check.check_id == submitted.c.check_id),
        )
        .where(
            submitted.c.place == 1,
            submitted.c.submitted_at <= models.Check.due_at,
            models.Assignment.excused.is_(None),
        )
        .subquery()
    )


def _asked(scope: Scope, counted: Subquery) -> Select[*tuple[object, ...]]:
    pin, question, answer = models.CheckQuestion, models.Question, models.Answer
    gone = models.QuestionWithdrawal
    # Both are sorted lists in one canonical form, so that equal sets are equal texts.
    right = func.coalesce(answer.chosen == question.correct, false())
    return (
        select(
            counted.c.check_id,
            counted.c.agent_id,
            pin.question_id,
            pin.version,
            question.topic,
            right.label("right"),
            gone.question_id.label("withdrawn"),
        )
        .join(pin, (pin.merchant_id == scope.merchant_id) & (pin.check_id == counted.c.check_id))
        .join(
            question,
            (question.merchant_id == pin.merchant_id)
            & (question.question_id == pin.question_id)
            & (question.version == pin.version),
        )
        .outerjoin(
            gone,
            (gone.merchant_id == pin.merchant_id)
            & (gone.question_id == pin.question_id)
            & (gone.version == pin.version),
        )
        .outerjoin(
            answer,
            (answer.engagement_id == scope.engagement_id)
            & (answer.check_id == counted.c.check_id)
            & (answer.agent_id == counted.c.agent_id)
            & (answer.number == counted.c.number)
            & (answer.question_id == pin.question_id),
        )
    )
