"""Keeps scorecards, and says which uploads there are to compute them from."""

import json
from collections.abc import AsyncIterator, Sequence

from sqlalchemy import ColumnElement, func, insert, literal, or_, select, true, tuple_
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.db import models
from vendorwatch.db.scope import Scope
from vendorwatch.periods import Micros
from vendorwatch.scorecards.model import Computed, Kept, StoredScorecard
from vendorwatch.scoring.document import canonical_json

_Card = models.Scorecard
_BATCH_ROWS = 5_000
_UPLOAD_COUNTS = ("received", "created", "revised", "duplicate", "rejected", "skipped")


async def upload_counts(
    connection: AsyncConnection, scope: Scope, start: Micros, end: Micros, *, known: int
) -> dict[str, int]:
    """Rows by outcome, over the uploads up to `known` with interactions opened in `[start, end)`.

    Uploads of which nothing was accepted belong to the time at which they came.
    """
    upload = models.Upload
    touching = (upload.first_opened_at < end) & (upload.last_opened_at >= start)
    came = (upload.received_at >= start) & (upload.received_at < end)
    empty = upload.first_opened_at.is_(None) & came
    sums = [func.coalesce(func.sum(getattr(upload, name)), 0) for name in _UPLOAD_COUNTS]
    row = (
        await connection.execute(
            select(func.count(), *sums).where(
                upload.engagement_id == scope.engagement_id,
                upload.sequence <= known,
                or_(touching, empty),
            )
        )
    ).one()
    return {name: int(value) for name, value in zip(("uploads", *_UPLOAD_COUNTS), row, strict=True)}


async def newest_uploads(connection: AsyncConnection, merchant_id: str) -> dict[str, int]:
    """By engagement of the merchant: which records there are to be read."""
    engagement = models.Engagement
    found = await connection.execute(
        select(engagement.engagement_id, engagement.upload_sequence)
        .where(engagement.merchant_id == merchant_id)
        .order_by(engagement.engagement_id)
    )
    return {row.engagement_id: row.upload_sequence for row in found}


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
            basis=computed.basis.to_json(),
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


async def newest_revision(connection: AsyncConnection, scope: Scope, month: str) -> int:
    """0 where none was issued."""
    found = await connection.scalar(
        select(func.max(_Card.revision)).where(
            _Card.engagement_id == scope.engagement_id, _Card.month == month
        )
    )
    return int(found or 0)


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


async def place(connection: AsyncConnection, scorecard_id: str) -> Scope | None:
    """Whose it is, for whoever runs the server."""
    engagement = models.Engagement
    found = await connection.execute(
        select(engagement.merchant_id, engagement.engagement_id)
        .join(_Card, _Card.engagement_id == engagement.engagement_id)
        .where(_Card.scorecard_id == scorecard_id)
    )
    row = found.one_or_none()
    return None if row is None else Scope(row.merchant_id, row.engagement_id)


async def scorecard_ids(
    connection: AsyncConnection, scope: Scope, *, month: str | None
) -> list[str]:
    """The oldest month first, then the oldest."""
    found = await connection.execute(
        select(_Card.scorecard_id)
        .where(
            _Card.engagement_id == scope.engagement_id, _Card.month == month if month else true()
        )
        .order_by(_Card.month, _Card.created_at, _Card.scorecard_id)
    )
    return list(found.scalars())


async def kept(connection: AsyncConnection, scope: Scope, scorecard_id: str) -> Kept | None:
    found = await connection.execute(
        select(*_Card.__table__.columns).where(
            _Card.engagement_id == scope.engagement_id, _Card.scorecard_id == scorecard_id
        )
    )
    row = found.one_or_none()
    if row is None:
        return None
    return Kept(
        scope=scope,
        scorecard_id=row.scorecard_id,
        month=row.month,
        as_of=row.as_of,
        known=row.known,
        basis=row.basis,
        document=row.document,
        document_sha256=row.document_sha256.hex(),
        beside={
            "month": row.month,
            "status": row.status,
            "revision": row.revision,
            "records_sha256": row.records_sha256.hex(),
        },
    )


async def revisions(
    connection: AsyncConnection, scope: Scope, start: Micros, end: Micros, *, known: int
) -> AsyncIterator[Sequence[RowMapping]]:
    """Every revision up to that upload that says it was opened in `[start, end)`, in batches."""
    row = models.Interaction
    found = await connection.stream(
        select(*row.__table__.columns).where(
            row.engagement_id == scope.engagement_id,
            row.upload_sequence <= known,
            row.opened_at >= start,
            row.opened_at < end,
        )
    )
    async for batch in found.mappings().partitions(_BATCH_ROWS):
        yield batch
