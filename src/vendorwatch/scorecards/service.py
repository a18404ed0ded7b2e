"""Months are computed, scorecards are kept."""

import asyncio
import json
import uuid
from dataclasses import replace
from typing import Any

import polars as pl
from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.audit import service as audit
from vendorwatch.audit.model import COMMAND, Action, Actor
from vendorwatch.db.locks import lock_engagement
from vendorwatch.db.scope import Scope, is_id
from vendorwatch.errors import NotFound
from vendorwatch.periods import Micros, Month, load_zone
from vendorwatch.scorecards import reading, store
from vendorwatch.scorecards.agent_document import agent_document
from vendorwatch.scorecards.changes import Changes, what_changed
from vendorwatch.scorecards.inputs import (
    CODE_VERSION,
    altered,
    inputs_now,
    inputs_then,
    is_as_then,
)
from vendorwatch.scorecards.model import (
    Basis,
    Cell,
    Computed,
    Kept,
    ScorecardNotVerifiable,
    StoredScorecard,
    Topic,
    agents_of,
    rows_between,
)
from vendorwatch.scorecards.verification import Verdict, differences, read, tampering
from vendorwatch.scoring.coaching import coaching
from vendorwatch.scoring.document import Document
from vendorwatch.scoring.explain import Explained, PartName, explain
from vendorwatch.scoring.policy_reader import BadPolicy
from vendorwatch.scoring.score import score_month
from vendorwatch.vendors.service import engagements, find_engagement

_MONTHS_BESIDE = 11  # a year with the month itself


async def compute(
    connection: AsyncConnection,
    engagement_id: str,
    month: Month,
    *,
    as_of: Micros | None,
    now: Micros,
    policy: str | None = None,
) -> Computed:
    """The scorecard of the month, from the records that are in force now. Stores nothing.

    `policy` is a file to count instead of the version in force: such a result is not to be kept.
    Raises NotFound for an unknown engagement, FutureAsOf, BadPolicy.
    """
    engagement = await find_engagement(connection, engagement_id)
    inputs, known, basis = await inputs_now(
        connection, engagement, month, as_of=as_of, now=now, instead=policy
    )
    document = await asyncio.to_thread(score_month, inputs)
    return Computed(
        scope=engagement.scope,
        document=document,
        as_of=inputs.as_of,
        policy_version=inputs.policy.version,
        known=known,
        basis=basis.about(agents_of(document)),
    )


async def keep(
    connection: AsyncConnection, computed: Computed, now: Micros, *, by: Actor = COMMAND
) -> StoredScorecard:
    """The same document again is the scorecard that stands already."""
    await lock_engagement(connection, computed.scope)  # a document is kept once
    standing = await store.scorecard_with_hash(connection, computed.scope, computed.sha256)
    if standing:
        return standing
    card = await _add(connection, computed, now)
    await _record(connection, computed.scope, card, "scorecard.computed", by, now)
    return card


async def issue(connection: AsyncConnection, computed: Computed, now: Micros) -> StoredScorecard:
    """Keeps it as the next revision of its month, which is never kept again or altered.

    Whoever does this calls `record_issued` at the end of the transaction.
    """
    await lock_engagement(connection, computed.scope)
    month = str(computed.document["month"])
    revision = 1 + await store.newest_revision(connection, computed.scope, month)
    numbered = replace(computed, document={**computed.document, "revision": revision})
    return await _add(connection, numbered, now)


async def record_issued(
    connection: AsyncConnection, scope: Scope, card: StoredScorecard, now: Micros, *, by: Actor
) -> None:
    """Into the audit. Apart from `issue`, as other rows are locked in between, and its own is last."""
    await _record(connection, scope, card, "scorecard.frozen", by, now)


async def _add(connection: AsyncConnection, computed: Computed, now: Micros) -> StoredScorecard:
    month = Month.parse(str(computed.document["month"]))
    before = await _months_before(connection, computed.scope, month)
    card = StoredScorecard(str(uuid.uuid4()), computed.document, computed.sha256, now, before)
    await store.add_scorecard(connection, computed, card)
    return replace(card, is_new=True)


async def _record(
    connection: AsyncConnection, scope: Scope, card: StoredScorecard, action: Action, by: Actor,
    now: Micros,
) -> None:  # fmt: skip
    await audit.record(
        connection, scope, action, by, now,
        scorecard_id=card.scorecard_id, month=str(card.document["month"]),
        sha256=card.document_sha256, revision=card.document["revision"],
    )  # fmt: skip


async def records_hashed_now(connection: AsyncConnection, scope: Scope, scorecard_id: str) -> str:
    """The records_sha256 of a kept scorecard as this version of the code would have written it.

    Raises NotFound, ScorecardNotVerifiable.
    """
    kept = await _kept(connection, scope, scorecard_id)
    inputs = await inputs_then(connection, kept, _basis(kept), CODE_VERSION)
    return str((await asyncio.to_thread(score_month, inputs))["records_sha256"])


async def is_unchanged(connection: AsyncConnection, scope: Scope, scorecard_id: str) -> bool:
    """Whether all that a kept scorecard was computed from, this code included, is as it was.

    True is certain; False only means that it has to be computed to be told. Raises NotFound.
    """
    kept = await _kept(connection, scope, scorecard_id)
    document = read(kept)
    if document is None or kept.basis is None or document.get("code_version") != CODE_VERSION:
        return False
    return await is_as_then(connection, kept, Basis.from_json(kept.basis), agents_of(document))


async def changes_since(
    connection: AsyncConnection, scorecard_id: str, computed: Computed
) -> Changes:
    """What `computed` would change as the next revision of that scorecard.

    In the transaction in which it was computed: what came later is not told apart. Raises NotFound.
    """
    scope = computed.scope
    kept = await _kept(connection, scope, scorecard_id)
    old = read(kept) or {}
    engagement = await find_engagement(connection, scope.engagement_id)
    start, end = Month.parse(kept.month).bounds(load_zone(engagement.time_zone))
    known = json.loads(kept.known)[scope.engagement_id]
    before, after = await reading.standing_since(connection, scope, start, end, known=known)
    new = {**computed.document, "revision": int(str(old["revision"])) + 1}
    return what_changed(old, new, rows_between(before, after))


async def find_scorecard(
    connection: AsyncConnection, scope: Scope, scorecard_id: str
) -> StoredScorecard:
    """Raises NotFound, also for another engagement's."""
    found = is_id(scorecard_id) and await store.scorecard(connection, scope, scorecard_id)
    if not found:
        raise NotFound("There is no such scorecard.")
    return found


async def scorecards(
    connection: AsyncConnection,
    scope: Scope,
    *,
    month: Month | None,
    after: tuple[str, Micros, str] | None,
    limit: int,
) -> list[StoredScorecard]:
    wanted = str(month) if month else None
    return await store.scorecards(connection, scope, month=wanted, after=after, limit=limit)


async def history(
    connection: AsyncConnection, scope: Scope, card: StoredScorecard
) -> tuple[Document, ...]:
    """The documents of the months before that were known when the scorecard was kept."""
    found = [await store.scorecard(connection, scope, each) for each in card.history]
    return tuple(each.document for each in found if each)


async def _months_before(
    connection: AsyncConnection, scope: Scope, month: Month
) -> tuple[str, ...]:
    found = []
    for _ in range(_MONTHS_BESIDE):
        month = month.previous()
        card = await store.newest_scorecard(connection, scope, str(month))
        if card:
            found.append(card.scorecard_id)
    return tuple(reversed(found))


async def stored_under(
    connection: AsyncConnection, engagement_id: str | None, month: Month | None
) -> list[tuple[Scope, str]]:
    """Every scorecard of one engagement, or of all: for whoever runs the server.

    Raises NotFound for an unknown engagement.
    """
    if engagement_id is None:
        scopes = [each.scope for each in await engagements(connection)]
    else:
        scopes = [(await find_engagement(connection, engagement_id)).scope]
    wanted = str(month) if month else None
    return [
        (scope, scorecard_id)
        for scope in scopes
        for scorecard_id in await store.scorecard_ids(connection, scope, month=wanted)
    ]


async def place_of(connection: AsyncConnection, scorecard_id: str) -> Scope:
    """Whose it is: for whoever runs the server. Raises NotFound."""
    scope = await store.place(connection, scorecard_id) if is_id(scorecard_id) else None
    if scope is None:
        raise NotFound(f"There is no scorecard {scorecard_id}.")
    return scope


async def verify(connection: AsyncConnection, scope: Scope, scorecard_id: str) -> Verdict:
    """Computes it again from the records that were known then. Raises NotFound."""
    kept = await _kept(connection, scope, scorecard_id)
    found = tampering(kept)
    document = read(kept)
    if document is not None and kept.basis is not None:
        found += await _contradictions(connection, kept, document)
    verdict = Verdict(
        scorecard_id=kept.scorecard_id,
        engagement_id=scope.engagement_id,
        month=kept.month,
        result="identical",
        code_version=str(document.get("code_version")) if document else None,
        differences=tuple(found),
    )
    if found:
        return replace(verdict, result="different")
    return verdict if kept.basis is not None else replace(verdict, result="not_verifiable")


async def _contradictions(connection: AsyncConnection, kept: Kept, document: Document) -> list[str]:
    found: list[str] = []
    try:
        found += await altered(connection, kept)
        inputs = await inputs_then(
            connection, kept, _basis(kept), str(document.get("code_version"))
        )
        again = await asyncio.to_thread(score_month, inputs)
    # What was altered behind our back may have any form.
    except (BadPolicy, pl.exceptions.PolarsError, ValueError, TypeError, KeyError) as error:
        return [*found, f"it cannot be computed again: {error!r}".splitlines()[0]]
    again["revision"] = document.get("revision")  # given to it afterwards
    return [*found, *differences(document, again)]


async def explained(
    connection: AsyncConnection,
    scope: Scope,
    scorecard_id: str,
    *,
    metric: str,
    part: PartName,
    agent: str | None,
    start: int,
    limit: int,
) -> list[Explained]:
    """What is behind one figure of a scorecard, as it knew it: see scoring.explain.

    Raises NotFound, also for an agent that it does not name, and ScorecardNotVerifiable.
    """
    kept = await _kept(connection, scope, scorecard_id)
    document = read(kept) or {}
    if agent is not None and agent not in agents_of(document):
        raise NotFound(f"The scorecard names no agent {agent!r}.")
    inputs = await inputs_then(connection, kept, _basis(kept), str(document.get("code_version")))
    return await asyncio.to_thread(explain, inputs, metric, part, agent, start=start, limit=limit)


async def results_behind(
    connection: AsyncConnection, scope: Scope, scorecard_id: str, *, agent: str | None
) -> list[dict[str, Cell]]:
    """Of checks that were due in the month: Basis.results.

    Raises NotFound, also for an agent that neither they nor the scorecard name, and
    ScorecardNotVerifiable.
    """
    kept = await _kept(connection, scope, scorecard_id)
    found = _basis(kept).results()
    if agent is None:
        return found
    mine = [row for row in found if row["agent_id"] == agent]
    return mine or _nothing_of(agent, kept)


async def answers_behind(
    connection: AsyncConnection, scope: Scope, scorecard_id: str, *, agent: str | None
) -> list[Topic]:
    """What knowledge_coverage was computed from: Basis.topics.

    Raises NotFound, also for an agent that neither they nor the scorecard name, and
    ScorecardNotVerifiable.
    """
    kept = await _kept(connection, scope, scorecard_id)
    found = _basis(kept).topics()
    if agent is None:
        return found
    mine = [topic for topic in found if topic.agent_id == agent]
    return mine or _nothing_of(agent, kept)


async def agent_documents(
    connection: AsyncConnection, scope: Scope, scorecard_id: str, *, agent: str | None
) -> tuple[StoredScorecard, list[Document]]:
    """The page of one agent, or of every one, as the scorecard knew them: see agent_document.

    Raises NotFound, also for an agent that it does not name, and ScorecardNotVerifiable.
    """
    card = await find_scorecard(connection, scope, scorecard_id)
    asked = agents_of(card.document) if agent is None else [agent]
    if not set(asked) <= set(agents_of(card.document)):
        raise NotFound("The scorecard names no such agent.")
    kept = await _kept(connection, scope, scorecard_id)
    code_version = str(card.document.get("code_version"))
    inputs = await inputs_then(connection, kept, _basis(kept), code_version)
    before = await history(connection, scope, card)
    work = await asyncio.to_thread(coaching, inputs, asked)
    return card, [agent_document(card.document, before, each, work[each]) for each in asked]


def _nothing_of(agent: str, kept: Kept) -> list[Any]:
    if agent not in agents_of(read(kept) or {}):
        raise NotFound(f"The scorecard names no agent {agent!r}.")
    return []


async def _kept(connection: AsyncConnection, scope: Scope, scorecard_id: str) -> Kept:
    kept = await store.kept(connection, scope, scorecard_id) if is_id(scorecard_id) else None
    if kept is None:
        raise NotFound("There is no such scorecard.")
    return kept


def _basis(kept: Kept) -> Basis:
    if kept.basis is None:
        raise ScorecardNotVerifiable(
            "It was kept by an earlier version; compute the month again to see what is behind it."
        )
    return Basis.from_json(kept.basis)
