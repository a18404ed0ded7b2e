"""Use cases about rubrics and reviews."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.audit import service as audit
from vendorwatch.audit.model import COMMAND, Actor
from vendorwatch.db.locks import lock_engagement, lock_merchant
from vendorwatch.db.scope import Scope
from vendorwatch.errors import Fault, NotFound
from vendorwatch.periods import Micros
from vendorwatch.quality import store
from vendorwatch.quality.model import BadReviews, BadRubric, Review, Rubric
from vendorwatch.quality.parse import Reading, read_rubric
from vendorwatch.quality.record import Reviewer
from vendorwatch.quality.settling import Settled, Stored, settle, withdrawal


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision of a review, with the version of the rubric that it follows."""

    review: Review
    rubric: Rubric


async def set_rubric(
    connection: AsyncConnection,
    scope: Scope,
    rubric_id: str,
    sent: Mapping[str, object],
    *,
    now: Micros,
    by: Actor = COMMAND,
) -> tuple[Rubric, bool]:
    """The rubric, and whether it is a new version: the newest one again stays the newest one.

    Raises BadRubric with every mistake.
    """
    found = read_rubric(rubric_id, sent)
    if isinstance(found, list):
        raise BadRubric(f"{_count(found)}; nothing was stored.", faults=tuple(found))
    name, content = found
    await lock_merchant(connection, scope.merchant_id)  # two must not make the same version
    versions = (await store.rubrics(connection, scope, [name])).get(name, {})
    newest = versions[max(versions)] if versions else None
    if newest is not None and newest.content == content:
        return newest, False
    version = newest.version + 1 if newest else 1
    made = Rubric(rubric_id=name, version=version, content=content, created_at=now)
    await store.insert_rubric(connection, scope, made)
    await audit.record(
        connection, scope, "rubric.set", by, now, rubric_id=made.rubric_id, version=made.version
    )
    return made, True


async def list_rubrics(
    connection: AsyncConnection, scope: Scope, *, after: str | None, limit: int
) -> list[Rubric]:
    """The merchant's, each in its newest version, from the first id behind `after`."""
    return await store.newest_rubrics(connection, scope, after=after, limit=limit)


async def find_rubric(connection: AsyncConnection, scope: Scope, rubric_id: str) -> list[Rubric]:
    """All versions, the newest first. Raises NotFound."""
    versions = (await store.rubrics(connection, scope, [rubric_id])).get(rubric_id)
    if not versions:
        raise NotFound("There is no such rubric.")
    return [versions[number] for number in sorted(versions, reverse=True)]


async def receive_reviews(
    connection: AsyncConnection,
    scope: Scope,
    reading: Reading,
    *,
    now: Micros,
    by: Actor = COMMAND,
) -> list[Settled]:
    """All of the reviews or none, in their order; what stands already is left as it is.

    Raises BadReviews with every mistake of every row.
    """
    await lock_engagement(connection, scope)  # the sequence has no gap and no double
    entries = [entry for _, entry in reading.entries]
    known = await store.revisions(connection, scope, {each.review_id for each in entries})
    wanted = {(each.source_account, each.interaction_id) for each in entries}
    stored = Stored(
        rubrics=await store.rubrics(connection, scope, {each.rubric_id for each in entries}),
        reviews={review_id: found[-1] for review_id, found in known.items()},
        interactions=await store.interactions(connection, scope, wanted),
        newest_sequence=await store.newest_sequence(connection, scope),
    )
    settled, faults = settle(reading.entries, stored, now)
    faults = sorted([*reading.faults, *faults], key=lambda fault: fault.row or 0)
    if faults:
        raise BadReviews(f"{_count(faults)}; nothing was stored.", faults=tuple(faults))
    written = [each.review for each in settled if each.outcome != "unchanged"]
    await store.insert_reviews(connection, scope, written)
    if written:
        sides = Counter[str](each.reviewer for each in written)
        await audit.record(connection, scope, "reviews.received", by, now, **sides)
    return settled


async def list_reviews(
    connection: AsyncConnection,
    scope: Scope,
    *,
    filters: Mapping[str, Collection[str]],
    before: tuple[str, int] | None,
    limit: int,
) -> list[Review]:
    """Each in its newest revision, the last that came first, from behind (review_id, revision)."""
    return await store.newest_reviews(connection, scope, filters, before=before, limit=limit)


async def find_review(
    connection: AsyncConnection, scope: Scope, review_id: str, *, sees: Collection[Reviewer]
) -> list[Revision]:
    """The newest first. Raises NotFound, also where it is a review of whom the caller not sees."""
    found = (await store.revisions(connection, scope, [review_id])).get(review_id)
    if not found or found[-1].reviewer not in sees:
        raise NotFound("There is no such review.")
    rubrics = await store.rubrics(connection, scope, {each.rubric_id for each in found})
    return [
        Revision(each, rubrics[each.rubric_id][each.rubric_version]) for each in reversed(found)
    ]


async def withdraw_review(
    connection: AsyncConnection,
    scope: Scope,
    review_id: str,
    *,
    sees: Collection[Reviewer],
    allow: Callable[[Reviewer], None],
    now: Micros,
    by: Actor = COMMAND,
) -> list[Revision]:
    """Its revisions afterwards, the newest first; taken back again it stays as it is.

    Raises NotFound, and whatever `allow` raises for whose review it is.
    """
    await lock_engagement(connection, scope)
    newest, *older = await find_review(connection, scope, review_id, sees=sees)
    allow(newest.review.reviewer)
    if newest.review.withdrawn:
        return [newest, *older]
    sequence = await store.newest_sequence(connection, scope)
    taken_back = withdrawal(newest.review, sequence + 1, now)
    await store.insert_reviews(connection, scope, [taken_back])
    await audit.record(
        connection, scope, "review.withdrawn", by, now,
        review_id=review_id, reviewer=taken_back.reviewer,
    )  # fmt: skip
    return [Revision(taken_back, newest.rubric), newest, *older]


async def reviews_for_scoring(
    connection: AsyncConnection, scope: Scope, *, up_to_sequence: int | None, as_of: Micros
) -> list[tuple[str, str, str, int, str]]:
    """(source_account, interaction_id, review_id, reviewed_at, share), sorted.

    The newest revision, among those up to `up_to_sequence`, of each of the merchant's random and
    stratified reviews that is not withdrawn and was made by `as_of`; frames.REVIEWS.
    """
    found = await store.scored(connection, scope, up_to_sequence=up_to_sequence, as_of=as_of)
    return sorted(found)


async def newest_sequence(connection: AsyncConnection, scope: Scope) -> int:
    """Counts the revisions of all reviews of the engagement: which there were to be read."""
    return await store.newest_sequence(connection, scope)


def _count(faults: Sequence[Fault]) -> str:
    return f"{len(faults)} mistakes" if len(faults) > 1 else "1 mistake"
