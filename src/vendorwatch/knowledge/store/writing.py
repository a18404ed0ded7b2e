"""What a document changes is written in one go."""

import json
from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import asdict
from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.db import models
from vendorwatch.db.base import Base
from vendorwatch.db.scope import Scope
from vendorwatch.knowledge.model import Changes
from vendorwatch.knowledge.record import Attempt, Instant
from vendorwatch.periods import Micros


async def insert_changes(
    connection: AsyncConnection, scope: Scope, changes: Changes, now: Micros
) -> None:
    await _insert_questions(connection, scope, changes, now)
    await _insert_checks(connection, scope, changes, now)
    await _write_assignments(connection, scope, changes, now)
    await _insert_attempts(connection, scope, changes.attempts)


async def _insert_questions(
    connection: AsyncConnection, scope: Scope, changes: Changes, now: Micros
) -> None:
    rows = [
        asdict(question)
        | {
            "merchant_id": scope.merchant_id,
            "version": version,
            "options": _json(question.options),
            "correct": _json(question.correct),
            "created_at": now,
        }
        for version, question in changes.questions
    ]
    await _insert(connection, models.Question, rows)


async def _insert_checks(
    connection: AsyncConnection, scope: Scope, changes: Changes, now: Micros
) -> None:
    rows = [
        {
            "merchant_id": scope.merchant_id,
            "check_id": check.check_id,
            "title": check.title,
            "pass_mark": check.pass_mark,
            "due_at": check.due_at,
            "time_limit_seconds": check.time_limit_seconds,
            "created_at": now,
        }
        for check, _ in changes.checks
    ]
    pins = [
        {
            "merchant_id": scope.merchant_id,
            "check_id": check.check_id,
            "question_id": question_id,
            "version": version,
        }
        for check, versions in changes.checks
        for question_id, version in versions.items()
    ]
    await _insert(connection, models.Check, rows)
    await _insert(connection, models.CheckQuestion, pins)


async def _write_assignments(
    connection: AsyncConnection, scope: Scope, changes: Changes, now: Micros
) -> None:
    rows = [
        {
            "engagement_id": scope.engagement_id,
            "merchant_id": scope.merchant_id,
            "check_id": assignment.check_id,
            "agent_id": assignment.agent_id,
            "assigned_at": assignment.assigned_at or now,
            "excused": assignment.excused,
        }
        for assignment in changes.assignments
    ]
    await _insert(connection, models.Assignment, rows)
    for assignment in changes.excuses:
        _ = await connection.execute(
            update(models.Assignment)
            .where(
                models.Assignment.engagement_id == scope.engagement_id,
                models.Assignment.check_id == assignment.check_id,
                models.Assignment.agent_id == assignment.agent_id,
            )
            .values(excused=assignment.excused)
        )


async def _insert_attempts(
    connection: AsyncConnection, scope: Scope, attempts: Sequence[Attempt]
) -> None:
    rows, answers = [], []
    for attempt in attempts:
        key = {
            "engagement_id": scope.engagement_id,
            "check_id": attempt.check_id,
            "agent_id": attempt.agent_id,
            "number": attempt.number,
        }
        times = {"started_at": attempt.started_at, "submitted_at": attempt.submitted_at}
        rows.append(key | times)
        answers += [asdict(each) | key | {"chosen": _json(each.chosen)} for each in attempt.answers]
    await _insert(connection, models.Attempt, rows)
    await _insert(connection, models.Answer, answers)


async def _insert(
    connection: AsyncConnection, table: type[Base], rows: Sequence[Mapping[str, object]]
) -> None:
    plain = [
        # Drivers need not know our subclass of int.
        {name: int(value) if isinstance(value, Instant) else value for name, value in row.items()}
        for row in rows
    ]
    if plain:
        _ = await connection.execute(insert(table), plain)


def _json(value: Iterable[object]) -> str:
    return json.dumps(list(value), ensure_ascii=False, separators=(",", ":"))
