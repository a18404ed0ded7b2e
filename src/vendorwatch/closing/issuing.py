"""A month is computed in one transaction, and frozen in another; what is held is approved."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.audit import service as audit
from vendorwatch.audit.model import COMMAND, Actor
from vendorwatch.closing import store
from vendorwatch.closing.model import (
    BY_RULE,
    By,
    Issuance,
    Rules,
    State,
    audited,
    decided_by,
    is_late,
)
from vendorwatch.closing.refusals import MonthNotDue, MonthNotFrozen, check_reason, check_rules
from vendorwatch.closing.states import read_state
from vendorwatch.db.locks import lock_engagement
from vendorwatch.db.scope import Scope
from vendorwatch.mailing import service as mailing
from vendorwatch.mailing.model import Issued
from vendorwatch.periods import Micros, Month, format_instant, load_zone
from vendorwatch.scorecards import service as scorecards
from vendorwatch.scorecards.model import Computed, StoredScorecard
from vendorwatch.vendors.service import find_engagement


@dataclass(frozen=True, slots=True)
class Prepared:
    """A month that is due, computed and not kept yet."""

    month: Month
    due_at: Micros
    computed: Computed


async def read_rules(connection: AsyncConnection, scope: Scope) -> Rules:
    return await store.rules(connection, scope) or Rules()


async def set_rules(
    connection: AsyncConnection, scope: Scope, rules: Rules, now: Micros, *, by: Actor = COMMAND
) -> State:
    """Raises BadClosingRequest."""
    engagement = await find_engagement(connection, scope.engagement_id)
    checked = check_rules(rules, load_zone(engagement.time_zone), now)
    await lock_engagement(connection, scope)
    is_changed = checked != await read_rules(connection, scope)
    if is_changed:
        await store.put_rules(connection, scope, checked, now)
    state = await read_state(connection, scope)
    if is_changed:
        await audit.record(
            connection, scope, "closing_rules.set", by, now,
            approval=checked.approval, late_data=checked.late_data,
            first_month=str(checked.first_month) if checked.first_month else None,
            last_month=str(checked.last_month) if checked.last_month else None,
        )  # fmt: skip
    return state


async def prepare(
    connection: AsyncConnection, scope: Scope, month: Month, now: Micros
) -> Prepared | Issuance:
    """What stands already, or the month under the policy that counts in this snapshot.

    Raises MonthNotDue.
    """
    state = await read_state(connection, scope)
    if month in state.newest:
        return state.newest[month]
    if not state.covers(month):
        raise MonthNotDue(f"{month} lies outside the months that are closed by rule.")
    due_at = state.due_at(month)
    if due_at > now:
        raise MonthNotDue(f"{month} is due at {format_instant(due_at)}.")
    computed = await scorecards.compute(
        connection, scope.engagement_id, month, as_of=due_at, now=now
    )
    return Prepared(month, due_at, computed)


async def freeze(
    connection: AsyncConnection, prepared: Prepared, *, by: By = BY_RULE, now: Micros
) -> tuple[Issuance, bool]:
    """As revision 1, and whether it is new: of two closers the second one finds the first one's."""
    scope, month = prepared.computed.scope, prepared.month
    await lock_engagement(connection, scope)
    standing = (await store.newest(connection, scope)).get(month)
    if standing is not None:
        return standing, False
    holds = (await read_rules(connection, scope)).approval == "hold"
    card = await scorecards.issue(connection, prepared.computed, now)
    made = Issuance(
        month=month,
        revision=1,
        scorecard_id=card.scorecard_id,
        due_at=prepared.due_at,
        frozen_at=now,
        state="held" if holds else "issued",
        issued_at=None if holds else now,
        decided_by=None if holds else decided_by(by),
        reason=None,
        is_late=is_late(prepared.due_at, now),
        changes=None,
        uploads=prepared.computed.known[scope.engagement_id],
    )
    await add(connection, scope, made, card, by=by, now=now)
    return made, True


async def approve(
    connection: AsyncConnection,
    scope: Scope,
    month: Month,
    *,
    by: Actor,
    reason: str | None,
    now: Micros,
) -> Issuance:
    """What was held goes out; what went out already stays as it is.

    Raises MonthNotFrozen, BadClosingRequest.
    """
    told = None if reason is None else check_reason(reason)
    await lock_engagement(connection, scope)
    standing = frozen_in(await store.newest(connection, scope), month)
    if standing.state == "issued":
        return standing
    issued = replace(
        standing, state="issued", issued_at=now, decided_by=decided_by(by), reason=told
    )
    await store.set_issued(connection, scope, issued)
    await _mail(connection, scope, issued, now)
    await audit.record(
        connection, scope, "scorecard.approved", by, now,
        scorecard_id=issued.scorecard_id, month=str(month), revision=issued.revision,
    )  # fmt: skip
    return issued


async def add(
    connection: AsyncConnection,
    scope: Scope,
    made: Issuance,
    card: StoredScorecard,
    *,
    by: By,
    now: Micros,
) -> None:
    """The last thing in the transaction."""
    await store.add_issuance(connection, scope, made)
    if made.state == "issued":
        await _mail(connection, scope, made, now)
    await scorecards.record_issued(connection, scope, card, now, by=audited(by))


async def _mail(connection: AsyncConnection, scope: Scope, issued: Issuance, now: Micros) -> None:
    revisions = await store.revisions(connection, scope, issued.month)
    await mailing.queue(connection, to_mail(scope, issued, revisions), now=now)


def to_mail(scope: Scope, issued: Issuance, revisions: Sequence[Issuance]) -> Issued:
    """`revisions` are all of the month: one that is held has reached nobody, and is not replaced."""
    went_out = [
        each
        for each in sorted(revisions, key=lambda each: each.revision)
        if each.state == "issued" and each.revision < issued.revision
    ]
    return Issued(
        scope=scope,
        scorecard_id=issued.scorecard_id,
        month=issued.month,
        revision=issued.revision,
        replaces=went_out[-1].scorecard_id if went_out else None,
    )


def frozen_in(newest: dict[Month, Issuance], month: Month) -> Issuance:
    """Raises MonthNotFrozen."""
    if month not in newest:
        raise MonthNotFrozen(f"{month} was not closed yet.")
    return newest[month]
