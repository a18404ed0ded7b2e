"""Questions and checks belong to the merchant; assignments and attempts to the engagement."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec.structs import asdict
from sqlalchemy import ColumnElement, Select, func, insert, select, update
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.db import models
from vendorwatch.db.base import Base
from vendorwatch.db.scope import Scope
from vendorwatch.knowledge.model import (
    AssignmentResult,
    Changes,
    Key,
    Stored,
    counted_attempt,
    passed,
    result,
)
from vendorwatch.knowledge.record import Answer, Assignment, Attempt, Check, Instant, Question
from vendorwatch.periods import Micros


async def lock(connection: AsyncConnection, scope: Scope) -> None:
    """One load at a time for a merchant: two must not both make the next version."""
    _ = await connection.execute(
        select(models.Merchant.merchant_id)
        .where(models.Merchant.merchant_id == scope.merchant_id)
        .with_for_update()
    )


async def stored(connection: AsyncConnection, scope: Scope, check_ids: Collection[str]) -> Stored:
    """Every newest question of the merchant, and everything about these checks."""
    wanted = models.Check.check_id.in_(check_ids)
    pinned = await _pinned(connection, scope, wanted)
    return Stored(
        questions=await _newest_questions(connection, scope),
        checks={
            check.check_id: check for check in await _checks(connection, scope, wanted, pinned)
        },
        pinned=pinned,
        assignments={
            (row["check_id"], row["agent_id"]): Assignment(
                check_id=row["check_id"],
                agent_id=row["agent_id"],
                assigned_at=Instant(row["assigned_at"]),
                excused=row["excused"],
            )
            for row in await _rows(connection, _assigned(scope).where(wanted))
        },
        attempts=await _attempts(connection, scope, check_ids),
    )


async def insert_changes(
    connection: AsyncConnection, scope: Scope, changes: Changes, now: Micros
) -> None:
    await _insert_questions(connection, scope, changes, now)
    await _insert_checks(connection, scope, changes, now)
    await _write_assignments(connection, scope, changes, now)
    await _insert_attempts(connection, scope, changes.attempts)


async def results(
    connection: AsyncConnection, scope: Scope, start: Micros, end: Micros, as_of: Micros
) -> list[AssignmentResult]:
    """Of the checks due in `[start, end)`, also those not due yet; sorted by agent, then check."""
    due = (models.Check.due_at >= start) & (models.Check.due_at < end)
    rows = await _rows(connection, _assigned(scope).where(due))
    pinned = await _pinned(connection, scope, due)
    attempts = await _attempts(connection, scope, {row["check_id"] for row in rows})
    found = [
        _result(row, pinned[row["check_id"]].values(), attempts.get(_key(row), ()), as_of)
        for row in rows
    ]
    return sorted(found, key=lambda each: (each.agent_id, each.check_id))


async def checks(connection: AsyncConnection, scope: Scope) -> list[Check]:
    """All of the merchant's, by due date."""
    everything = models.Check.merchant_id == scope.merchant_id
    pinned = await _pinned(connection, scope, everything)
    found = await _checks(connection, scope, everything, pinned)
    return sorted(found, key=lambda check: (check.due_at, check.check_id))


def _result(
    row: RowMapping, questions: Collection[Question], attempts: Sequence[Attempt], as_of: Micros
) -> AssignmentResult:
    counted = counted_attempt(attempts, due_at=row["due_at"], as_of=as_of)
    earned, possible = result(questions, counted)
    return AssignmentResult(
        agent_id=row["agent_id"],
        check_id=row["check_id"],
        due_at=row["due_at"],
        questions=len(questions),
        possible=possible,
        earned=earned,
        passed=passed(earned, possible, row["pass_mark"]),
        excused=row["excused"] is not None,
        submitted=counted is not None,
    )


def _assigned(scope: Scope) -> Select[str, str, int, str | None, int, int]:
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


async def _rows(
    connection: AsyncConnection, statement: Select[*tuple[object, ...]]
) -> Sequence[RowMapping]:
    return (await connection.execute(statement)).mappings().all()


def _key(row: RowMapping) -> Key:
    return row["check_id"], row["agent_id"]


async def _newest_questions(
    connection: AsyncConnection, scope: Scope
) -> dict[str, tuple[int, Question]]:
    mine = models.Question.merchant_id == scope.merchant_id
    newest = (
        select(models.Question.question_id, func.max(models.Question.version).label("version"))
        .where(mine)
        .group_by(models.Question.question_id)
        .subquery()
    )
    rows = await _rows(
        connection,
        select(models.Question.__table__)
        .join(
            newest,
            (newest.c.question_id == models.Question.question_id)
            & (newest.c.version == models.Question.version),
        )
        .where(mine),
    )
    return {row["question_id"]: (row["version"], _question(row)) for row in rows}


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


async def _pinned(
    connection: AsyncConnection, scope: Scope, wanted: ColumnElement[bool]
) -> dict[str, dict[str, Question]]:
    """The questions of each wanted check, by id."""
    pin = models.CheckQuestion
    rows = await _rows(
        connection,
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
        .where(pin.merchant_id == scope.merchant_id, wanted),
    )
    found: dict[str, dict[str, Question]] = defaultdict(dict)
    for row in rows:
        found[row["check_id"]][row["question_id"]] = _question(row)
    return found


async def _checks(
    connection: AsyncConnection,
    scope: Scope,
    wanted: ColumnElement[bool],
    pinned: Mapping[str, Iterable[str]],
) -> list[Check]:
    mine = models.Check.merchant_id == scope.merchant_id
    return [
        Check(
            check_id=row["check_id"],
            title=row["title"],
            pass_mark=row["pass_mark"],
            due_at=Instant(row["due_at"]),
            questions=tuple(sorted(pinned[row["check_id"]])),
            time_limit_seconds=row["time_limit_seconds"],
        )
        for row in await _rows(connection, select(models.Check.__table__).where(mine, wanted))
    ]


async def _attempts(
    connection: AsyncConnection, scope: Scope, check_ids: Collection[str]
) -> dict[Key, list[Attempt]]:
    mine = (models.Attempt.engagement_id == scope.engagement_id) & models.Attempt.check_id.in_(
        check_ids
    )
    answers = await _answers(connection, scope, check_ids)
    found: dict[Key, list[Attempt]] = defaultdict(list)
    statement = select(models.Attempt.__table__).where(mine).order_by(models.Attempt.number)
    for row in await _rows(connection, statement):
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
    return found


async def _answers(
    connection: AsyncConnection, scope: Scope, check_ids: Collection[str]
) -> Mapping[tuple[str, str, int], list[Answer]]:
    statement = select(models.Answer.__table__).where(
        models.Answer.engagement_id == scope.engagement_id, models.Answer.check_id.in_(check_ids)
    )
    found: dict[tuple[str, str, int], list[Answer]] = defaultdict(list)
    # Sorted here, by code points: the databases' own orders of text differ.
    for row in sorted(await _rows(connection, statement), key=lambda each: each["question_id"]):
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
