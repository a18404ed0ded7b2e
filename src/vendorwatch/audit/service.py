"""Writing the audit, reading it, and walking it."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.audit import store
from vendorwatch.audit.model import Action, Actor, Entry, Finding, StoredEntry, Walk
from vendorwatch.db.engine import Database
from vendorwatch.db.scope import Scope
from vendorwatch.periods import Micros

_ENTRIES_AT_ONCE = 5_000


async def record(
    connection: AsyncConnection,
    scope: Scope,
    action: Action,
    by: Actor,
    now: Micros,
    **detail: object,
) -> None:
    """In the transaction of what it tells of: both are there, or neither.

    Of one engagement, whoever records next waits for the end of the transaction; uploads do not.
    """
    sequence, previous = await store.take_place(connection, scope)
    entry = Entry(
        engagement_id=scope.engagement_id,
        sequence=sequence,
        at=now,
        action=action,
        by=by,
        detail=detail,
        previous_sha256=previous,
    )
    await store.insert_entry(connection, entry)


async def list_entries(
    connection: AsyncConnection,
    scope: Scope,
    *,
    actions: Collection[Action] | None,
    before: int | None,
    limit: int,
) -> list[StoredEntry]:
    """The newest first, from the one before sequence `before`; `actions`: no others."""
    return await store.newest(connection, scope, actions=actions, before=before, limit=limit)


@dataclass(frozen=True, slots=True)
class Verified:
    engagement_id: str
    entries: int
    findings: tuple[Finding, ...]


async def verify(database: Database, scope: Scope) -> Verified:
    """Walks all that there was when it began. Each page in a transaction of its own: others write
    meanwhile.
    """
    async with database.read(scope) as connection:
        newest = await store.newest_sequence(connection, scope)
    chain, entries, findings = Walk(), 0, list[Finding]()
    while True:
        async with database.read(scope) as connection:
            page = await store.oldest(
                connection, scope, after=chain.sequence, limit=_ENTRIES_AT_ONCE
            )
        entries += len(page)
        findings += chain.along(page)
        if len(page) < _ENTRIES_AT_ONCE:
            break
    findings += chain.until(newest)
    return Verified(scope.engagement_id, entries, tuple(findings))
