"""Loads knowledge documents, and tells how the checks stand."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.db.scope import Scope
from vendorwatch.knowledge import store
from vendorwatch.knowledge.model import AssignmentResult, Changes, changes
from vendorwatch.knowledge.record import Document
from vendorwatch.periods import Micros, format_instant
from vendorwatch.vendors.service import agents_seen

_FIRST, _LAST = -(1 << 62), 1 << 62  # before and after any instant


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many of each were written; `unchanged` are parts of the document that stood already."""

    questions: int
    checks: int
    assignments: int
    attempts: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class CheckStanding:
    """`assigned` counts the agents of this engagement, without the excused ones.

    `earned` and `possible` are sums of weights over them.
    """

    check_id: str
    title: str
    due_at: str
    pass_mark: int
    questions: int
    assigned: int
    excused: int
    submitted: int
    passed: int
    earned: int
    possible: int


async def load(
    connection: AsyncConnection, scope: Scope, document: Document, *, now: Micros
) -> Loaded:
    """All of the document or nothing; repeated, it changes nothing.

    Raises BadKnowledge or KnowledgeConflict.
    """
    await store.lock(connection, scope)
    check_ids = {check.check_id for check in document.checks}
    check_ids |= {assignment.check_id for assignment in document.assignments}
    check_ids |= {attempt.check_id for attempt in document.attempts}
    stored = await store.stored(connection, scope, check_ids)
    found = changes(document, stored, now)
    agents = sorted({each.agent_id for each in found.assignments})
    await agents_seen(connection, scope, agents, now)
    await store.insert_changes(connection, scope, found, now)
    return _loaded(document, found)


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


async def results_due(
    connection: AsyncConnection, scope: Scope, start: Micros, end: Micros, as_of: Micros
) -> list[AssignmentResult]:
    """Of the checks due in `[start, end)` and by `as_of`; sorted by agent, then check."""
    return await store.results(connection, scope, start, min(end, as_of + 1), as_of)


async def standings(
    connection: AsyncConnection, scope: Scope, *, now: Micros
) -> list[CheckStanding]:
    """Every check of the merchant, by due date, with how this engagement's agents did so far."""
    results = await store.results(connection, scope, _FIRST, _LAST, now)
    standing = []
    for check in await store.checks(connection, scope):
        mine = [each for each in results if each.check_id == check.check_id]
        asked = [each for each in mine if not each.excused]
        standing.append(
            CheckStanding(
                check_id=check.check_id,
                title=check.title,
                due_at=format_instant(check.due_at),
                pass_mark=check.pass_mark,
                questions=len(check.questions),
                assigned=len(asked),
                excused=len(mine) - len(asked),
                submitted=sum(each.submitted for each in asked),
                passed=sum(each.passed for each in asked),
                earned=sum(each.earned for each in asked),
                possible=sum(each.possible for each in asked),
            )
        )
    return standing
