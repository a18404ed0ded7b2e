"""Checks, assignments and attempts, and how each assignment ended."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.db import models
from vendorwatch.db.scope import Scope
from vendorwatch.knowledge.model import Key, Stored
from vendorwatch.knowledge.outcome import AssignmentResult, counted_attempt, outcome
from vendorwatch.knowledge.record import Answer, Assignment, Attempt, Check, Instant
from vendorwatch.knowledge.store.questions import newest_questions, pinned, withdrawn_versions
from vendorwatch.knowledge.store.rows import assigned_checks, by_code_point, rows
from vendorwatch.periods import Micros


async def stored(connection: AsyncConnection, scope: Scope, check_ids: Collection[str]) -> Stored:
    """Every newest question of the merchant, and everything about these checks."""
    wanted = models.Check.check_id.in_(check_ids)
    pins = await pinned(connection, scope, wanted)
    found = select(models.Check.__table__).where(_of_merchant(scope), wanted)
    return Stored(
        questions=await newest_questions(connection, scope),
        checks={
            row["check_id"]: _check(row, pins[row["check_id"]])
            for row in await rows(connection, found)
        },
        pinned={
            check_id: {each: question for each, (_, question) in questions.items()}
            for check_id, questions in pins.items()
        },
        assignments={
            _key(row): _assignment(row)
            for row in await rows(connection, _assigned(scope).where(wanted))
        },
        attempts=await _attempts(connection, scope, check_ids),
        withdrawn=await withdrawn_versions(connection, scope),
    )


async def results(
    connection: AsyncConnection, scope: Scope, start: Micros, end: Micros, as_of: Micros
) -> list[AssignmentResult]:
    """Of the checks due in `[start, end)`, also those not due yet; sorted by agent, then check."""
    due = (models.Check.due_at >= start) & (models.Check.due_at < end)
    return await _results(connection, scope, due, as_of)


async def results_of(
    connection: AsyncConnection, scope: Scope, check_ids: Collection[str], as_of: Micros
) -> list[AssignmentResult]:
    """Of these checks, whenever they are due; sorted by agent, then check."""
    return await _results(connection, scope, models.Check.check_id.in_(check_ids), as_of)


async def checks(
    connection: AsyncConnection,
    scope: Scope,
    *,
    assigned: bool = False,
    after: tuple[Micros, str] | None = None,
    limit: int | None = None,
) -> list[Check]:
    """All of the merchant's, or those `assigned` in this engagement; by due date, then id."""
    due_at, check_id = models.Check.due_at, models.Check.__table__.c.check_id
    ordered = by_code_point(connection, check_id)
    statement = select(models.Check.__table__).where(_of_merchant(scope))
    if assigned:
        statement = statement.where(check_id.in_(assigned_checks(scope)))
    if after is not None:
        later = (due_at > after[0]) | ((due_at == after[0]) & (ordered > after[1]))
        statement = statement.where(later)
    found = await rows(connection, statement.order_by(due_at, ordered).limit(limit))
    wanted = models.Check.check_id.in_([row["check_id"] for row in found])
    pins = await pinned(connection, scope, wanted)
    return [_check(row, pins[row["check_id"]]) for row in found]


async def _results(
    connection: AsyncConnection, scope: Scope, wanted: ColumnElement[bool], as_of: Micros
) -> list[AssignmentResult]:
    assigned = await rows(connection, _assigned(scope).where(wanted))
    pins = await pinned(connection, scope, wanted)
    withdrawn = await withdrawn_versions(connection, scope)
    attempts = await _attempts(connection, scope, {row["check_id"] for row in assigned})
    found = [
        outcome(
            _assignment(row),
            [
                (question, (question_id, version) in withdrawn)
                for question_id, (version, question) in pins[row["check_id"]].items()
            ],
            counted_attempt(attempts.get(_key(row), ()), due_at=row["due_at"], as_of=as_of),
            due_at=row["due_at"],
            pass_mark=row["pass_mark"],
        )
        for row in assigned
    ]
    return sorted(found, key=lambda each: (each.agent_id, each.check_id))


def _of_merchant(scope: Scope) -> ColumnElement[bool]:
    return models.Check.merchant_id == scope.merchant_id


def _assigned(scope: Scope) -> Select[*tuple[object, ...]]:
    return (
        select(
            models.Assignment.check_id,
            models.Assignment.agent_id,
            models.Assignment.assigned_at,
            models.Assignment.excused,
            models.Check.due_at,
            models.Check.pass_mark,
        )
        .join(
            models.Check,
            (models.Check.merchant_id == models.Assignment.merchant_id)
            & (models.Check.check_id == models.Assignment.check_id),
        )
        .where(
            models.Assignment.engagement_id == scope.engagement_id,
            models.Assignment.merchant_id == scope.merchant_id,
        )
    )


def _assignment(row: RowMapping) -> Assignment:
    return Assignment(
        check_id=row["check_id"],
        agent_id=row["agent_id"],
        assigned_at=Instant(row["assigned_at"]),
        excused=row["excused"],
    )


def _check(row: RowMapping, questions: Iterable[str]) -> Check:
    return Check(
        check_id=row["check_id"],
        title=row["title"],
        pass_mark=row["pass_mark"],
        due_at=Instant(row["due_at"]),
        questions=tuple(sorted(questions)),
        time_limit_seconds=row["time_limit_seconds"],
    )


def _key(row: RowMapping) -> Key:
    return row["check_id"], row["agent_id"]


async def _attempts(
    connection: AsyncConnection, scope: Scope, check_ids: Collection[str]
) -> dict[Key, Sequence[Attempt]]:
    mine = (models.Attempt.engagement_id == scope.engagement_id) & models.Attempt.check_id.in_(
        check_ids
    )
    answers = await _answers(connection, scope, check_ids)
    found: dict[Key, list[Attempt]] = defaultdict(list)
    statement = select(models.Attempt.__table__).where(mine).order_by(models.Attempt.number)
    for row in await rows(connection, statement):
        found[_key(row)].append(
            Attempt(
                check_id=row["check_id"],
                agent_id=row["agent_id"],
                number=row["number"],
                started_at=Instant(row["started_at"]),
                submitted_at=_instant(row["submitted_at"]),
                answers=tuple(answers[*_key(row), row["number"]]),
            )
        )
    return dict(found)


async def _answers(
    connection: AsyncConnection, scope: Scope, check_ids: Collection[str]
) -> Mapping[tuple[str, str, int], list[Answer]]:
    statement = select(models.Answer.__table__).where(
        models.Answer.engagement_id == scope.engagement_id, models.Answer.check_id.in_(check_ids)
    )
    found: dict[tuple[str, str, int], list[Answer]] = defaultdict(list)
    # Sorted here, by code points: the databases' own orders of text differ.
    for row in sorted(await rows(connection, statement), key=lambda each: each["question_id"]):
        found[*_key(row), row["number"]].append(
            Answer(
                question_id=row["question_id"],
                chosen=tuple(json.loads(row["chosen"])),
                answered_at=_instant(row["answered_at"]),
            )
        )
    return found


def _instant(value: Micros | None) -> Instant | None:
    return None if value is None else Instant(value)
