"""What is due is done: each month in transactions of its own, and once, whoever does it."""

from dataclasses import dataclass
from typing import Literal

import structlog

from vendorwatch.audit.model import Actor
from vendorwatch.closing import issuing, revising, store
from vendorwatch.closing.model import BY_RULE, Action, By, Due, Issuance, State, due, overdue
from vendorwatch.closing.months import gaps_of
from vendorwatch.closing.refusals import MonthNotDue, NothingToRevise, check_reason
from vendorwatch.db.engine import Database
from vendorwatch.db.scope import Scope
from vendorwatch.errors import VendorwatchError
from vendorwatch.mailing import service as mailing
from vendorwatch.periods import Micros, Month
from vendorwatch.scorecards import service as scorecards
from vendorwatch.vendors.service import engagements

LATE_DATA = "Late data changed the month."
Outcome = Literal[
    "issued", "held", "stood", "revised", "differs", "same", "told", "nothing", "failed"
]


@dataclass(frozen=True, slots=True)
class Closed:
    """What became of one thing that was due. `failure` says why it failed.

    Where not even the state of an engagement could be read there is neither month nor action.
    """

    engagement_id: str
    month: Month | None
    action: Action | None
    outcome: Outcome
    issuance: Issuance | None = None
    failure: str | None = None


async def close_due(database: Database, *, now: Micros, limit: int | None = None) -> list[Closed]:
    """All that is due for every engagement, what was due first first; at most `limit` that worked.

    What fails is told and keeps nothing else from being done; it is due again the next time.
    """
    waiting, found = await due_now(database, now=now)
    done = 0
    for scope, each in waiting:
        if limit is not None and done >= limit:
            break
        closed = await _attempt(database, scope, each, now)
        found.append(closed)
        done += closed.outcome != "failed"
    return found


async def due_now(
    database: Database, *, now: Micros
) -> tuple[list[tuple[Scope, Due]], list[Closed]]:
    """Of every engagement, what was due first first; and those whose state cannot be read."""
    states, failed = await _states(database)
    waiting = [(scope, each) for scope, state in states for each in due(state, now)]
    return sorted(waiting, key=lambda pair: pair[1].at), failed


async def do(
    database: Database, scope: Scope, month: Month, action: Action, *, now: Micros
) -> Outcome:
    """One thing that is due. What was done meanwhile is not done again. Raises what goes wrong."""
    outcome, _ = await _ACTIONS[action](database, scope, month, now)
    return outcome


async def overdue_months(database: Database, *, now: Micros) -> list[tuple[Scope, Month]]:
    """See model.overdue: of every engagement, for whoever runs the server."""
    states, _ = await _states(database)
    return [(scope, month) for scope, state in states for month in overdue(state, now)]


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


async def _states(database: Database) -> tuple[list[tuple[Scope, State]], list[Closed]]:
    """Of those that can be read, and of the others that they cannot."""
    async with database.read_as_operator() as connection:
        everybody = await engagements(connection)
    found, failed = [], []
    for engagement in everybody:
        try:
            async with database.read(engagement.scope) as connection:
                state = await issuing.read_state(connection, engagement.scope)
        except Exception as error:  # noqa: BLE001  whatever it is, the others' months are due
            failed.append(_failed(engagement.scope, error, None))
        else:
            found.append((engagement.scope, state))
    return found, failed


async def _attempt(database: Database, scope: Scope, asked: Due, now: Micros) -> Closed:
    try:
        outcome, issuance = await _ACTIONS[asked.action](database, scope, asked.month, now)
    except Exception as error:  # noqa: BLE001  told, and due again; the others' months are due, too
        return _failed(scope, error, asked)
    return Closed(scope.engagement_id, asked.month, asked.action, outcome, issuance)


def _failed(scope: Scope, error: Exception, asked: Due | None) -> Closed:
    month, action = (asked.month, asked.action) if asked else (None, None)
    structlog.get_logger().error(
        "closing_failed",
        engagement_id=scope.engagement_id,
        month=None if month is None else str(month),
        action=action,
        exc_info=error,
    )
    why = error.detail if isinstance(error, VendorwatchError) else type(error).__name__
    return Closed(scope.engagement_id, month, action, "failed", failure=why)


async def _close(
    database: Database, scope: Scope, month: Month, now: Micros
) -> tuple[Outcome, Issuance | None]:
    issuance, is_new = await close_month(database, scope, month, now=now)
    return (issuance.state if is_new else "stood"), issuance


async def _compare(
    database: Database, scope: Scope, month: Month, now: Micros
) -> tuple[Outcome, Issuance | None]:
    """A rule revises for the data's sake only: another policy is for a person to decide about."""
    async with database.read(scope) as connection:
        standing = issuing.frozen_in(await store.newest(connection, scope), month)
        is_same = await scorecards.is_unchanged(connection, scope, standing.scorecard_id)
    if is_same:  # on nearly every day
        async with database.write(scope) as connection:
            await store.set_compared(connection, scope, standing, (), now)
        return "same", standing
    try:
        revision = await preview(database, scope, month, now=now)
    except MonthNotDue:  # by a policy that was set since, it settles longer
        async with database.write(scope) as connection:
            return "differs", await revising.note_policy(connection, scope, month, now)
    async with database.write(scope) as connection:
        rules = await issuing.read_rules(connection, scope)
        by_rule = rules.late_data == "automatic" and revision.standing.state == "issued"
        if by_rule and revision.differs == ("records",):
            issuance, is_new = await revising.revise(
                connection, revision, by=BY_RULE, reason=LATE_DATA, now=now
            )
            return ("revised" if is_new else "stood"), issuance
        await store.set_compared(connection, scope, revision.standing, revision.differs, now)
    return ("differs" if revision.differs else "same"), revision.standing


async def _notice(
    database: Database, scope: Scope, month: Month, now: Micros
) -> tuple[Outcome, Issuance | None]:
    async with database.write(scope) as connection:
        await store.lock(connection, scope)
        state = await issuing.read_state(connection, scope)
        if (month, "missing_data") in state.noticed or month in state.newest:
            return "stood", None
        found = await gaps_of(connection, scope, state, month, now)
        detail = {"days": [day.isoformat() for day in found.days], "no_upload": found.no_upload}
        await store.add_notice(connection, scope, month, "missing_data", detail, now)
        if found.days:
            key = f"{month}/missing-data"
            facts = {"days": detail["days"]}
            await mailing.queue_notice(connection, scope, key, "missing_data", now, facts=facts)
        if found.no_upload:
            await mailing.queue_notice(connection, scope, f"{month}/no-upload", "no_upload", now)
    return ("told" if found else "nothing"), None


async def _remind(
    database: Database, scope: Scope, month: Month, now: Micros
) -> tuple[Outcome, Issuance | None]:
    async with database.write(scope) as connection:
        await store.lock(connection, scope)
        state = await issuing.read_state(connection, scope)
        standing = state.newest[month]
        if standing.state != "held" or (month, "approval_reminder") in state.noticed:
            return "stood", standing
        detail = {"revision": standing.revision}
        await store.add_notice(connection, scope, month, "approval_reminder", detail, now)
        key = f"{month}/approval-reminder"
        await mailing.queue_notice(connection, scope, key, "approval_reminder", now)
    return "told", standing


_ACTIONS = {"close": _close, "compare": _compare, "notice": _notice, "remind": _remind}
