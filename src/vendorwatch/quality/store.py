"""Rubrics belong to the merchant, reviews to the engagement; rows are only ever added."""

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec
from sqlalchemy import ColumnElement, Select, func, insert, select
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from vendorwatch.db import models
from vendorwatch.db.scope import Scope
from vendorwatch.periods import Micros
from vendorwatch.quality.model import SCORED_SAMPLINGS, Review, Rubric
from vendorwatch.quality.record import Criterion, RubricContent
from vendorwatch.quality.settling import Interaction

_Rubric = models.Rubric
_Review = models.QualityReview
_COLUMNS = tuple(getattr(_Review, name) for name in Review.__dataclass_fields__)
_criteria = msgspec.json.Decoder(tuple[Criterion, ...])
_scores = msgspec.json.Decoder(dict[str, str])


async def insert_rubric(connection: AsyncConnection, scope: Scope, rubric: Rubric) -> None:
    await connection.execute(
        insert(_Rubric).values(
            merchant_id=scope.merchant_id,
            rubric_id=rubric.rubric_id,
            version=rubric.version,
            title=rubric.content.title,
            criteria=_json(rubric.content.criteria),
            created_at=rubric.created_at,
        )
    )


async def rubrics(
    connection: AsyncConnection, scope: Scope, rubric_ids: Collection[str]
) -> dict[str, dict[int, Rubric]]:
    """All versions of those of these that there are, the oldest first."""
    found: dict[str, dict[int, Rubric]] = {}
    statement = _rubrics(scope).where(_Rubric.rubric_id.in_(rubric_ids)).order_by(_Rubric.version)
    for row in (await connection.execute(statement)).mappings():
        found.setdefault(row["rubric_id"], {})[row["version"]] = _rubric(row)
    return found


async def newest_rubrics(
    connection: AsyncConnection, scope: Scope, *, after: str | None, limit: int
) -> list[Rubric]:
    """Each in its newest version, ordered by id, code point by code point on both engines."""
    code_points = "C" if connection.dialect.name == "postgresql" else "BINARY"
    ordered = _Rubric.rubric_id.collate(code_points)
    later = aliased(_Rubric)
    newest = (
        select(func.max(later.version))
        .where(later.merchant_id == _Rubric.merchant_id, later.rubric_id == _Rubric.rubric_id)
        .scalar_subquery()
    )
    statement = _rubrics(scope).where(_Rubric.version == newest).order_by(ordered).limit(limit)
    if after is not None:
        statement = statement.where(ordered > after)
    return [_rubric(row) for row in (await connection.execute(statement)).mappings()]


def _rubrics(scope: Scope) -> Select[tuple[object, ...]]:
    return select(*_Rubric.__table__.columns).where(_Rubric.merchant_id == scope.merchant_id)


def _rubric(row: RowMapping) -> Rubric:
    return Rubric(
        rubric_id=row["rubric_id"],
        version=row["version"],
        content=RubricContent(title=row["title"], criteria=_criteria.decode(row["criteria"])),
        created_at=row["created_at"],
    )


async def interactions(
    connection: AsyncConnection, scope: Scope, wanted: Collection[Interaction]
) -> frozenset[Interaction]:
    """Those of `wanted` that are in force in this engagement."""
    table = models.Interaction
    # Two lists of single values: either engine can look them up in the primary key.
    found = await connection.execute(
        select(table.source_account, table.interaction_id).where(
            table.engagement_id == scope.engagement_id,
            table.source_account.in_({account for account, _ in wanted}),
            table.interaction_id.in_({interaction_id for _, interaction_id in wanted}),
            table.in_force,
        )
    )
    return frozenset((account, interaction_id) for account, interaction_id in found) & {*wanted}


async def newest_sequence(connection: AsyncConnection, scope: Scope) -> int:
    """0 where there are no reviews."""
    newest = select(func.coalesce(func.max(_Review.sequence), 0)).where(_mine(scope))
    return (await connection.execute(newest)).scalar_one()


async def insert_reviews(
    connection: AsyncConnection, scope: Scope, reviews: Sequence[Review]
) -> None:
    rows = [
        {name: getattr(review, name) for name in Review.__dataclass_fields__}
        | {
            "engagement_id": scope.engagement_id,
            "merchant_id": scope.merchant_id,
            "scores": _json(review.scores),
        }
        for review in reviews
    ]
    if rows:
        await connection.execute(insert(_Review), rows)


async def revisions(
    connection: AsyncConnection, scope: Scope, review_ids: Collection[str]
) -> dict[str, list[Review]]:
    """All of those reviews of these that there are, the oldest revision first."""
    statement = (
        select(*_COLUMNS)
        .where(_mine(scope), _Review.review_id.in_(review_ids))
        .order_by(_Review.sequence)
    )
    found: dict[str, list[Review]] = {}
    for row in (await connection.execute(statement)).mappings():
        found.setdefault(row["review_id"], []).append(_review(row))
    return found


async def newest_reviews(
    connection: AsyncConnection,
    scope: Scope,
    filters: Mapping[str, Collection[str]],
    *,
    before: tuple[str, int] | None,
    limit: int,
) -> list[Review]:
    """Each in its newest revision, the last that came first, from behind (review_id, revision).

    `filters`: columns and what they may hold.
    """
    statement = (
        select(*_COLUMNS)
        .where(_mine(scope), _is_newest(None))
        .order_by(_Review.sequence.desc())
        .limit(limit)
    )
    for name, values in filters.items():
        statement = statement.where(getattr(_Review, name).in_(values))
    if before is not None:
        shown = aliased(_Review)
        # That revision stays where it was, though a later one may have come since.
        sequence = select(shown.sequence).where(
            shown.engagement_id == scope.engagement_id,
            shown.review_id == before[0],
            shown.revision == before[1],
        )
        statement = statement.where(_Review.sequence < sequence.scalar_subquery())
    return [_review(row) for row in (await connection.execute(statement)).mappings()]


async def scored(
    connection: AsyncConnection, scope: Scope, *, up_to_sequence: int | None, as_of: Micros
) -> list[tuple[str, str, str, int, str]]:
    """Of the revisions up to that sequence the newest of each review, where it is scored."""
    found = await connection.execute(
        select(
            _Review.source_account,
            _Review.interaction_id,
            _Review.review_id,
            _Review.reviewed_at,
            _Review.share,
        ).where(
            _mine(scope),
            _is_newest(up_to_sequence),
            _Review.reviewer == "merchant",
            _Review.sampling.in_(SCORED_SAMPLINGS),
            ~_Review.withdrawn,
            _Review.reviewed_at <= as_of,
        )
    )
    return [
        (account, interaction_id, review_id, reviewed_at, share)
        for account, interaction_id, review_id, reviewed_at, share in found
    ]


def _mine(scope: Scope) -> ColumnElement[bool]:
    return _Review.engagement_id == scope.engagement_id


def _is_newest(up_to_sequence: int | None) -> ColumnElement[bool]:
    later = aliased(_Review)
    revisions_ = select(func.max(later.revision)).where(
        later.engagement_id == _Review.engagement_id, later.review_id == _Review.review_id
    )
    if up_to_sequence is not None:
        revisions_ = revisions_.where(later.sequence <= up_to_sequence)
    return _Review.revision == revisions_.scalar_subquery()


def _review(row: RowMapping) -> Review:
    return Review(**{**row, "scores": _scores.decode(row["scores"])})


def _json(value: Iterable[object] | Mapping[str, str]) -> str:
    return msgspec.json.encode(value).decode()
