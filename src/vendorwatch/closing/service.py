"""What is due is done: each month in transactions of its own, and once, whoever does it."""

from typing import Literal

import structlog

from vendorwatch.audit.model import Actor
from vendorwatch.closing import issuing, revising, store
from vendorwatch.closing.model import (
    BY_RULE,
    Action,
    By,
    Due,
    Failure,
    Issuance,
    Overdue,
    State,
    due,
    overdue,
)
from vendorwatch.closing.months import gaps_of
from vendorwatch.closing.refusals import MonthNotDue, NothingToRevise, check_reason
from vendorwatch.closing.states import everybodys_states, read_state
from vendorwatch.db.engine import Database
from vendorwatch.db.locks import lock_engagement
from vendorwatch.db.scope import Scope
from vendorwatch.errors import described
from vendorwatch.mailing import service as mailing
from vendorwatch.periods import Micros, Month
from vendorwatch.scorecards import service as scorecards

LATE_DATA = "Late data changed the month."
Outcome = Literal["issued", "held", "stood", "revised", "differs", "same", "told", "nothing"]


async def due_now(database: Database, *, now: Micros) -> list[tuple[Scope, Due]]:
    """Of every engagement, what was due first first. One whose state cannot be read is in the log,
    and keeps none of the others' from being done.
    """
    found: list[tuple[Scope, Due]] = []
    for scope, state in await _states(database):
        if isinstance(state, Exception):
            structlog.get_logger().error(
                "state unreadable", engagement_id=scope.engagement_id, exc_info=state
            )
        else:
            found += [(scope, each) for each in due(state, now)]
    return sorted(found, key=lambda pair: pair[1].at)


async def do(
    database: Database, scope: Scope, month: Month, action: Action, *, now: Micros
) -> Outcome:
    """One thing that is due. What was done meanwhile is not done again. Raises what goes wrong."""
    return await _ACTIONS[action](database, scope, month, now)


async def note_failure(
    database: Database, scope: Scope, month: Month, reason: str, *, now: Micros
) -> None:
    """Why it could not be closed: told when it is overdue."""
    async with database.write(scope) as connection:
        await store.note_failure(connection, scope, month, reason, now)


async def overdue_months(database: Database, *, now: Micros) -> list[Overdue]:
    """See model.overdue: of every engagement, for whoever runs the server."""
    found = []
    for scope, state in await _states(database):
        if isinstance(state, Exception):
            found.append(Overdue(scope, None, None, Failure(1, described(state), now)))
        elif months := overdue(state, now):
            async with database.read(scope) as connection:
                failures = await store.failures(connection, scope)
            found += [
                Overdue(scope, month, state.due_at(month), failures.get(month)) for month in months
            ]
    return found


async def close_month(
    database: Database, scope: Scope, month: Month, *, by: By = BY_RULE, now: Micros
) -> tuple[Issuance, bool]:
    """What stands, and whether it was made just now. Raises MonthNotDue."""
    async with database.read(scope) as connection:
        prepared = await issuing.prepare(connection, scope, month, now)
    if isinstance(prepared, Issuance):
        return prepared, False
    async with database.write(scope) as connection:
        return await issuing.freeze(connection, prepared, by=by, now=now)


async def preview(
    database: Database, scope: Scope, month: Month, *, now: Micros
) -> revising.Revision:
    """What a revision would change now. Raises MonthNotFrozen, MonthNotDue."""
    async with database.read(scope) as connection:
        return await revising.prepare_revision(connection, scope, month, now)


async def revise(
    database: Database, scope: Scope, month: Month, *, by: Actor, reason: str, now: Micros
) -> Issuance:
    """Raises MonthNotFrozen, MonthNotDue, NothingToRevise, BadClosingRequest."""
    told = check_reason(reason)
    revision = await preview(database, scope, month, now=now)
    if not revision.differs:
        raise NothingToRevise(
            f"{month} has the same records as revision {revision.standing.revision}."
        )
    async with database.write(scope) as connection:
        issuance, _ = await revising.revise(connection, revision, by=by, reason=told, now=now)
    return issuance


async def _states(database: Database) -> list[tuple[Scope, State | Exception]]:
    async with database.read_as_operator() as connection:
        return await everybodys_states(connection)


async def _close(database: Database, scope: Scope, month: Month, now: Micros) -> Outcome:
    issuance, is_new = await close_month(database, scope, month, now=now)
    return issuance.state if is_new else "stood"


async def _compare(database: Database, scope: Scope, month: Month, now: Micros) -> Outcome:
    """A rule revises for the data's sake only: another policy is for a person to decide about."""
    async with database.read(scope) as connection:
        standing = issuing.frozen_in(await store.newest(connection, scope), month)
        is_same = await scorecards.is_unchanged(connection, scope, standing.scorecard_id)
    if is_same:  # on nearly every day
        async with database.write(scope) as connection:
            await store.set_compared(connection, scope, standing, (), now)
        return "same"
    try:
        revision = await preview(database, scope, month, now=now)
    except MonthNotDue:  # by a policy that was set since, it settles longer
        async with database.write(scope) as connection:
            await revising.note_policy(connection, scope, month, now)
        return "differs"
    async with database.write(scope) as connection:
        rules = await issuing.read_rules(connection, scope)
        by_rule = rules.late_data == "automatic" and revision.standing.state == "issued"
        if by_rule and revision.differs == ("records",):
            _, is_new = await revising.revise(
                connection, revision, by=BY_RULE, reason=LATE_DATA, now=now
            )
            return "revised" if is_new else "stood"
        await store.set_compared(connection, scope, revision.standing, revision.differs, now)
    return "differs" if revision.differs else "same"


async def _notice(database: Database, scope: Scope, month: Month, now: Micros) -> Outcome:
    async with database.write(scope) as connection:
        await lock_engagement(connection, scope)
        state = await read_state(connection, scope)
        if (month, "missing_data") in state.noticed or month in state.newest:
            return "stood"
        found = await gaps_of(connection, scope, state, month, now)
        detail = {"days": [day.isoformat() for day in found.days], "no_upload": found.no_upload}
        await store.add_notice(connection, scope, month, "missing_data", detail, now)
        if found.days:
            key = f"{month}/missing-data"
            facts = {"days": detail["days"]}
            await mailing.queue_notice(connection, scope, key, "missing_data", now, facts=facts)
        if found.no_upload:
            await mailing.queue_notice(connection, scope, f"{month}/no-upload", "no_upload", now)
    return "told" if found else "nothing"


async def _remind(database: Database, scope: Scope, month: Month, now: Micros) -> Outcome:
    async with database.write(scope) as connection:
        await lock_engagement(connection, scope)
        state = await read_state(connection, scope)
        standing = state.newest[month]
        if standing.state != "held" or (month, "approval_reminder") in state.noticed:
            return "stood"
        detail = {"revision": standing.revision}
        await store.add_notice(connection, scope, month, "approval_reminder", detail, now)
        key = f"{month}/approval-reminder"
        await mailing.queue_notice(connection, scope, key, "approval_reminder", now)
    return "told"


_ACTIONS = {"close": _close, "compare": _compare, "notice": _notice, "remind": _remind}
