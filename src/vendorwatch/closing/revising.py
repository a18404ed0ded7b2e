"""A frozen month is computed again in one transaction, and kept as its next revision in another."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.closing import issuing, store
from vendorwatch.closing.model import BY_RULE, By, Difference, Issuance, decided_by
from vendorwatch.closing.refusals import MonthNotDue
from vendorwatch.closing.states import read_state
from vendorwatch.db.locks import lock_engagement
from vendorwatch.db.scope import Scope
from vendorwatch.periods import Micros, Month, format_instant
from vendorwatch.scorecards import service as scorecards
from vendorwatch.scorecards.changes import Changes
from vendorwatch.scorecards.model import Computed
from vendorwatch.scoring.document import Document


@dataclass(frozen=True, slots=True)
class Revision:
    """A frozen month, computed again and not kept. `differs` is empty where nothing changed."""

    standing: Issuance
    computed: Computed
    changes: Changes
    differs: tuple[Difference, ...]


async def prepare_revision(
    connection: AsyncConnection, scope: Scope, month: Month, now: Micros
) -> Revision:
    """As of the final instant, with what is known and agreed by now.

    Raises MonthNotFrozen, or MonthNotDue where another policy has lengthened the settling time.
    """
    state = await read_state(connection, scope)
    standing = issuing.frozen_in(state.newest, month)
    due_at = state.due_at(month)
    if due_at > now:
        raise MonthNotDue(f"By the policy of now, {month} is due at {format_instant(due_at)}.")
    computed = await scorecards.compute(
        connection, scope.engagement_id, month, as_of=due_at, now=now
    )
    card = await scorecards.find_scorecard(connection, scope, standing.scorecard_id)
    changes = await scorecards.changes_since(connection, standing.scorecard_id, computed)
    records = str(card.document["records_sha256"])
    if card.document["code_version"] != computed.document["code_version"]:
        records = await scorecards.records_hashed_now(connection, scope, card.scorecard_id)
    differs = _differences(card.document, records, computed.document, changes)
    return Revision(standing, computed, changes, differs)


async def revise(
    connection: AsyncConnection,
    revision: Revision,
    *,
    by: By,
    reason: str,
    now: Micros,
) -> tuple[Issuance, bool]:
    """The next revision, and whether it is new: whoever was faster has made it.

    By rule it is held where the rules say so; a person who revises has decided.
    """
    scope, base = revision.computed.scope, revision.standing
    await lock_engagement(connection, scope)
    standing = issuing.frozen_in(await store.newest(connection, scope), base.month)
    if standing.revision != base.revision:
        return standing, False
    holds = by == BY_RULE and (await issuing.read_rules(connection, scope)).approval == "hold"
    card = await scorecards.issue(connection, revision.computed, now)
    made = Issuance(
        month=base.month,
        revision=base.revision + 1,
        scorecard_id=card.scorecard_id,
        due_at=None,
        frozen_at=now,
        state="held" if holds else "issued",
        issued_at=None if holds else now,
        decided_by=None if holds else decided_by(by),
        reason=reason,
        is_late=base.is_late,
        changes=revision.changes,
        uploads=revision.computed.known[scope.engagement_id],
    )
    await issuing.add(connection, scope, made, card, by=by, now=now)
    return made, True


async def note_policy(connection: AsyncConnection, scope: Scope, month: Month, now: Micros) -> None:
    """By the policy of now the month is not final yet: that is all that can be said of it."""
    standing = issuing.frozen_in(await store.newest(connection, scope), month)
    await store.set_compared(connection, scope, standing, ("policy",), now)


def _differences(
    old: Document, records: str, new: Document, changes: Changes
) -> tuple[Difference, ...]:
    """`records` is the old one's hash of them, by this version of the code."""
    found: list[Difference] = []
    if records != new["records_sha256"]:
        found.append("records" if changes.of_figures else "names")
    if _policy(old) != _policy(new):
        found.append("policy")
    return tuple(found) or (("definitions",) if changes.of_figures else ())


def _policy(document: Document) -> object:
    policy = document["policy"]
    return policy["sha256"] if isinstance(policy, dict) else None
