"""Versions of questions, which checks pinned them, and which were withdrawn."""

import json
from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import ColumnElement, Select, exists, func, insert, select
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.db import models
from vendorwatch.db.scope import Scope
from vendorwatch.knowledge.record import Question
from vendorwatch.knowledge.store.rows import assigned_checks, by_code_point, rows
from vendorwatch.knowledge.withdrawals import Version, Withdrawal


async def newest_questions(
    connection: AsyncConnection, scope: Scope
) -> dict[str, tuple[int, Question]]:
    mine = models.Question.merchant_id == scope.merchant_id
    newest = (
        select(models.Question.question_id, func.max(models.Question.version).label("version"))
        .where(mine)
        .group_by(models.Question.question_id)
        .subquery()
    )
    found = await rows(
        connection,
        select(models.Question.__table__)
        .join(
            newest,
            (newest.c.question_id == models.Question.question_id)
            & (newest.c.version == models.Question.version),
        )
        .where(mine),
    )
    return {row["question_id"]: (row["version"], _question(row)) for row in found}


async def question_versions(
    connection: AsyncConnection,
    scope: Scope,
    *,
    assigned: bool = False,
    after: Version | None = None,
    limit: int | None = None,
) -> list[tuple[int, Question, Withdrawal | None]]:
    """Every version of every question of the merchant, in the order of ids, then versions.

    `assigned`: only those that a check asks which was assigned in this engagement.
    """
    ordered, version = by_code_point(connection, _column()), models.Question.version
    statement = _with_withdrawals().where(models.Question.merchant_id == scope.merchant_id)
    if assigned:
        statement = statement.where(_asked(scope))
    if after is not None:
        later = (ordered > after[0]) | ((_column() == after[0]) & (version > after[1]))
        statement = statement.where(later)
    statement = statement.order_by(ordered, version).limit(limit)
    return [
        (row["version"], _question(row), _withdrawal(row))
        for row in await rows(connection, statement)
    ]


async def versions_of(
    connection: AsyncConnection, scope: Scope, question_id: str
) -> dict[int, Withdrawal | None]:
    """Oldest first; empty where there is no such question."""
    statement = _with_withdrawals().where(
        models.Question.merchant_id == scope.merchant_id,
        models.Question.question_id == question_id,
    )
    found = await rows(connection, statement.order_by(models.Question.version))
    return {row["version"]: _withdrawal(row) for row in found}


async def withdrawn_versions(connection: AsyncConnection, scope: Scope) -> frozenset[Version]:
    gone = models.QuestionWithdrawal
    statement = select(gone.question_id, gone.version).where(gone.merchant_id == scope.merchant_id)
    return frozenset(
        (row["question_id"], row["version"]) for row in await rows(connection, statement)
    )


async def withdrawn_counts(
    connection: AsyncConnection, scope: Scope, check_ids: Collection[str]
) -> dict[str, int]:
    """How many questions of each check were withdrawn; checks with none are left out."""
    pin, gone = models.CheckQuestion, models.QuestionWithdrawal
    statement = (
        select(pin.check_id, func.count().label("withdrawn"))
        .join(
            gone,
            (gone.merchant_id == pin.merchant_id)
            & (gone.question_id == pin.question_id)
            & (gone.version == pin.version),
        )
        .where(pin.merchant_id == scope.merchant_id, pin.check_id.in_(check_ids))
        .group_by(pin.check_id)
    )
    return {row["check_id"]: row["withdrawn"] for row in await rows(connection, statement)}


async def insert_withdrawal(
    connection: AsyncConnection, scope: Scope, question_id: str, version: int, given: Withdrawal
) -> None:
    _ = await connection.execute(
        insert(models.QuestionWithdrawal),
        {
            "merchant_id": scope.merchant_id,
            "question_id": question_id,
            "version": version,
            "reason": given.reason,
            "withdrawn_at": given.withdrawn_at,
        },
    )


async def pinned(
    connection: AsyncConnection, scope: Scope, wanted: ColumnElement[bool]
) -> dict[str, dict[str, tuple[int, Question]]]:
    """(version, question) by id, of each wanted check."""
    found: dict[str, dict[str, tuple[int, Question]]] = defaultdict(dict)
    for row in await rows(connection, _pinned(scope).where(wanted)):
        question = _question(row)
        found[row["check_id"]][question.question_id] = row["version"], question
    return found


def _pinned(scope: Scope) -> Select[*tuple[object, ...]]:
    pin = models.CheckQuestion
    return (
        select(pin.check_id, models.Question.__table__)
        .join(
            models.Question,
            (models.Question.merchant_id == pin.merchant_id)
            & (models.Question.question_id == pin.question_id)
            & (models.Question.version == pin.version),
        )
        .join(
            models.Check,
            (models.Check.merchant_id == pin.merchant_id) & (models.Check.check_id == pin.check_id),
        )
        .where(pin.merchant_id == scope.merchant_id)
    )


def _asked(scope: Scope) -> ColumnElement[bool]:
    pin = models.CheckQuestion
    return exists().where(
        pin.merchant_id == models.Question.merchant_id,
        pin.question_id == models.Question.question_id,
        pin.version == models.Question.version,
        pin.check_id.in_(assigned_checks(scope)),
    )


def _column() -> ColumnElement[str]:
    return models.Question.__table__.c.question_id


def _with_withdrawals() -> Select[*tuple[object, ...]]:
    gone = models.QuestionWithdrawal
    return select(models.Question.__table__, gone.reason, gone.withdrawn_at).outerjoin(
        gone,
        (gone.merchant_id == models.Question.merchant_id)
        & (gone.question_id == models.Question.question_id)
        & (gone.version == models.Question.version),
    )


def _withdrawal(row: RowMapping) -> Withdrawal | None:
    if row["withdrawn_at"] is None:
        return None
    return Withdrawal(reason=row["reason"], withdrawn_at=row["withdrawn_at"])


def _question(row: RowMapping) -> Question:
    return Question(
        question_id=row["question_id"],
        stem=row["stem"],
        options=tuple(json.loads(row["options"])),
        correct=tuple(json.loads(row["correct"])),
        topic=row["topic"],
        product=row["product"],
        weight=row["weight"],
    )
