"""Reads the records that a scorecard is computed from; keeps policies and scorecards."""

import json
from collections.abc import Mapping, Sequence

import polars as pl
from sqlalchemy import ColumnElement, TextClause, func, insert, literal, or_, select, true, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.db import models
from vendorwatch.db.scope import Scope
from vendorwatch.interactions.staging import IN_FORCE
from vendorwatch.periods import Micros
from vendorwatch.scorecards.model import Computed, StoredPolicy, StoredScorecard
from vendorwatch.scoring.document import canonical_json
from vendorwatch.scoring.frames import CONTACTS, INTERACTIONS

_Row = models.Interaction
_Card = models.Scorecard
_UPLOAD_COUNTS = ("received", "created", "revised", "duplicate", "rejected", "skipped")


async def interactions(
    connection: AsyncConnection, scope: Scope, start: Micros, end: Micros
) -> pl.DataFrame:
    """frames.INTERACTIONS of those in force that were opened in `[start, end)`."""
    columns = [getattr(_Row, name) for name in INTERACTIONS]
    found = await connection.execute(
        select(*columns).where(*_in_force(scope.engagement_id, start, end))
    )
    return pl.DataFrame(found.fetchall(), schema=INTERACTIONS, orient="row")


async def contacts(
    connection: AsyncConnection, vendor_of: Mapping[str, str], start: Micros, end: Micros
) -> pl.DataFrame:
    """frames.CONTACTS of known customers, of all these engagements, opened in `[start, end)`.

    `vendor_of` gives the vendor of each engagement of one merchant.
    """
    columns = [getattr(_Row, name) for name in CONTACTS if name != "vendor_id"]
    frames = [pl.DataFrame(schema=CONTACTS)]
    for engagement_id, vendor_id in sorted(vendor_of.items()):
        found = await connection.execute(
            select(literal(vendor_id), *columns).where(
                *_in_force(engagement_id, start, end), _Row.customer_ref.is_not(None)
            )
        )
        frames.append(pl.DataFrame(found.fetchall(), schema=CONTACTS, orient="row"))
    return pl.concat(frames)


async def received(connection: AsyncConnection, scope: Scope, as_of: Micros) -> int:
    counted = select(func.count()).where(
        _Row.engagement_id == scope.engagement_id, IN_FORCE, _Row.opened_at <= as_of
    )
    return (await connection.execute(counted)).scalar_one()


async def upload_counts(
    connection: AsyncConnection, scope: Scope, start: Micros, end: Micros
) -> dict[str, int]:
    """Rows by outcome, over the uploads with interactions opened in `[start, end)`.

    Uploads of which nothing was accepted belong to the time at which they came.
    """
    upload = models.Upload
    touching = (upload.first_opened_at < end) & (upload.last_opened_at >= start)
    empty = upload.first_opened_at.is_(None) & upload.received_at.between(start, end)
    sums = [func.coalesce(func.sum(getattr(upload, name)), 0) for name in _UPLOAD_COUNTS]
    row = (
        await connection.execute(
            select(func.count(), *sums).where(
                upload.engagement_id == scope.engagement_id, or_(touching, empty)
            )
        )
    ).one()
    return {name: int(value) for name, value in zip(("uploads", *_UPLOAD_COUNTS), row, strict=True)}


async def known(connection: AsyncConnection, engagement_ids: Sequence[str]) -> dict[str, int]:
    """The newest upload of each engagement: which records there were to be read."""
    engagement = models.Engagement
    found = await connection.execute(
        select(engagement.engagement_id, engagement.upload_sequence)
        .where(engagement.engagement_id.in_(engagement_ids))
        .order_by(engagement.engagement_id)
    )
    return {row.engagement_id: row.upload_sequence for row in found}


def _in_force(
    engagement_id: str, start: Micros, end: Micros
) -> tuple[ColumnElement[bool] | TextClause, ...]:
    return (
        _Row.engagement_id == engagement_id,
        IN_FORCE,
        _Row.opened_at >= start,
        _Row.opened_at < end,
    )


async def lock(connection: AsyncConnection, scope: Scope) -> None:
    """One writer at a time: versions get different numbers, and a document is kept once."""
    _ = await connection.execute(
        select(models.Engagement.engagement_id)
        .where(models.Engagement.engagement_id == scope.engagement_id)
        .with_for_update(key_share=True)
    )


async def policies(connection: AsyncConnection, scope: Scope) -> list[StoredPolicy]:
    """Oldest first."""
    policy = models.Policy
    found = await connection.execute(
        select(
            policy.policy_id,
            policy.version,
            policy.sha256,
            policy.name,
            policy.effective_from,
            policy.source,
        )
        .where(policy.engagement_id == scope.engagement_id)
        .order_by(policy.version)
    )
    return [
        StoredPolicy(policy_id, version, sha256.hex(), name, effective_from, source)
        for policy_id, version, sha256, name, effective_from, source in found
    ]


async def add_policy(
    connection: AsyncConnection, scope: Scope, policy: StoredPolicy, now: Micros
) -> None:
    _ = await connection.execute(
        insert(models.Policy).values(
            engagement_id=scope.engagement_id,
            version=policy.version,
            policy_id=policy.policy_id,
            name=policy.name,
            effective_from=policy.effective_from,
            sha256=bytes.fromhex(policy.sha256),
            source=policy.source,
            created_at=now,
        )
    )


async def add_scorecard(
    connection: AsyncConnection, computed: Computed, card: StoredScorecard
) -> None:
    document = card.document
    _ = await connection.execute(
        insert(_Card).values(
            engagement_id=computed.scope.engagement_id,
            scorecard_id=card.scorecard_id,
            month=document["month"],
            as_of=computed.as_of,
            status=document["status"],
            revision=document["revision"],
            policy_version=computed.policy_version,
            known=canonical_json(dict(computed.known)),
            history=canonical_json(list(card.history)),
            records_sha256=bytes.fromhex(str(document["records_sha256"])),
            document_sha256=bytes.fromhex(card.document_sha256),
            document=canonical_json(document),
            created_at=card.created_at,
        )
    )


async def scorecard(
    connection: AsyncConnection, scope: Scope, scorecard_id: str
) -> StoredScorecard | None:
    found = await _scorecards(connection, scope, _Card.scorecard_id == scorecard_id, limit=1)
    return found[0] if found else None


async def scorecard_with_hash(
    connection: AsyncConnection, scope: Scope, document_sha256: str
) -> StoredScorecard | None:
    digest = bytes.fromhex(document_sha256)
    found = await _scorecards(connection, scope, _Card.document_sha256 == digest, limit=1)
    return found[0] if found else None


async def newest_scorecard(
    connection: AsyncConnection, scope: Scope, month: str
) -> StoredScorecard | None:
    """The latest revision that was issued, else the latest that was computed."""
    found = await _scorecards(connection, scope, _Card.month == month, limit=1)
    return found[0] if found else None


async def scorecards(
    connection: AsyncConnection,
    scope: Scope,
    *,
    month: str | None,
    after: tuple[str, Micros, str] | None,
    limit: int,
) -> list[StoredScorecard]:
    """The newest month first, then the newest; from behind (month, created_at, id)."""
    condition: ColumnElement[bool] = _Card.month == month if month else true()
    if after:
        condition &= tuple_(_Card.month, _Card.created_at, _Card.scorecard_id) < tuple_(
            *(literal(value) for value in after[:2]),
            literal(after[2], _Card.scorecard_id.type),
        )
    return await _scorecards(connection, scope, condition, limit=limit, by_month=True)


async def _scorecards(
    connection: AsyncConnection,
    scope: Scope,
    condition: ColumnElement[bool],
    *,
    limit: int,
    by_month: bool = False,
) -> list[StoredScorecard]:
    newest = (_Card.created_at.desc(), _Card.scorecard_id.desc())
    order = (_Card.month.desc(), *newest) if by_month else (_Card.revision.desc(), *newest)
    found = await connection.execute(
        select(
            _Card.scorecard_id,
            _Card.document,
            _Card.document_sha256,
            _Card.created_at,
            _Card.history,
        )
        .where(_Card.engagement_id == scope.engagement_id, condition)
        .order_by(*order)
        .limit(limit)
    )
    return [
        StoredScorecard(
            scorecard_id, json.loads(document), sha256.hex(), created_at, tuple(json.loads(history))
        )
        for scorecard_id, document, sha256, created_at, history in found
    ]
