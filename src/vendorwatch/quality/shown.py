"""What the API answers with about rubrics and reviews."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from vendorwatch.periods import format_instant
from vendorwatch.quality.model import Review, Rubric, fraction_text, judged
from vendorwatch.quality.record import Criterion, Number, Reviewer, Sampling, Scores
from vendorwatch.quality.service import Revision
from vendorwatch.quality.settling import Settled
from vendorwatch.scoring.document import RATE_DIGITS, decimal_text

Instant = Annotated[str, Meta(description="RFC 3339, UTC.")]
Share = Annotated[str, Meta(description="An exact fraction.")]
RoundedShare = Annotated[str, Meta(description="The share to six decimals, half to even.")]


class RubricItem(Struct, frozen=True, kw_only=True):
    rubric_id: str
    version: int
    title: str
    criteria: tuple[Criterion, ...]
    created_at: Instant


class RubricDetail(Struct, frozen=True, kw_only=True):
    """The newest version, and all of them, the newest first."""

    rubric: RubricItem
    versions: list[RubricItem]


class ReviewOutcome(Struct, frozen=True, kw_only=True):
    review_id: str
    outcome: Literal["created", "revised", "unchanged"]
    revision: int
    share: Share
    share_rounded: RoundedShare


class ReviewsReceipt(Struct, frozen=True, kw_only=True):
    """received = created + revised + unchanged; `reviews` are in the order of the request."""

    received: int
    created: int
    revised: int
    unchanged: int
    reviews: list[ReviewOutcome]


class ReviewItem(Struct, frozen=True, kw_only=True):
    """`scored`: whether it is of the kind that the metric `quality` counts."""

    review_id: str
    revision: int
    interaction_id: str
    source_account: str
    rubric_id: str
    rubric_version: int
    reviewer: Reviewer
    sampling: Sampling
    scores: Scores
    share: Share
    share_rounded: RoundedShare
    scored: bool
    withdrawn: bool
    comment: str | None
    reviewed_at: Instant
    created_at: Instant


class CriterionResult(Struct, frozen=True, kw_only=True):
    """`failed`: critical, and less than half of its maximum: then the whole review is 0.

    `share` is score / maximum; null where the criterion was not applicable.
    """

    criterion_id: str
    title: str
    weight: Number
    maximum: Number
    critical: bool
    score: str
    share: Share | None
    failed: bool


class ReviewRevision(ReviewItem, frozen=True, kw_only=True):
    """`failed_critically` names the criteria that make the share 0; mostly there are none."""

    failed_critically: list[str]
    criteria: list[CriterionResult]


class ReviewDetail(Struct, frozen=True, kw_only=True):
    """The newest revision, and all of them, the newest first."""

    review: ReviewRevision
    revisions: list[ReviewRevision]


def rubric_item(rubric: Rubric) -> RubricItem:
    return RubricItem(
        rubric_id=rubric.rubric_id,
        version=rubric.version,
        title=rubric.content.title,
        criteria=rubric.content.criteria,
        created_at=format_instant(rubric.created_at),
    )


def receipt_of(settled: Sequence[Settled]) -> ReviewsReceipt:
    outcomes = [each.outcome for each in settled]
    return ReviewsReceipt(
        received=len(settled),
        created=outcomes.count("created"),
        revised=outcomes.count("revised"),
        unchanged=outcomes.count("unchanged"),
        reviews=[
            ReviewOutcome(
                review_id=each.review.review_id,
                outcome=each.outcome,
                revision=each.review.revision,
                share=each.review.share,
                share_rounded=_rounded(each.review),
            )
            for each in settled
        ],
    )


def review_item(review: Review) -> ReviewItem:
    return ReviewItem(**_fields(review))


def review_detail(revisions: Sequence[Revision]) -> ReviewDetail:
    shown = [_revision(each) for each in revisions]
    return ReviewDetail(review=shown[0], revisions=shown)


def _revision(revision: Revision) -> ReviewRevision:
    criteria = judged(revision.rubric.content.criteria, revision.review.scores)
    return ReviewRevision(
        **_fields(revision.review),
        failed_critically=[each.criterion.criterion_id for each in criteria if each.failed],
        criteria=[
            CriterionResult(
                criterion_id=each.criterion.criterion_id,
                title=each.criterion.title,
                weight=each.criterion.weight,
                maximum=each.criterion.maximum,
                critical=each.criterion.critical,
                score=each.score,
                share=None if each.share is None else fraction_text(each.share),
                failed=each.failed,
            )
            for each in criteria
        ],
    )


def _fields(review: Review) -> dict[str, Any]:
    return {
        **{name: getattr(review, name) for name in _PLAIN},
        "share_rounded": _rounded(review),
        "scored": review.scored,
        "reviewed_at": format_instant(review.reviewed_at),
        "created_at": format_instant(review.created_at),
    }


# The sequence counts the reviews of both sides: it would tell either how many the other made.
_PLAIN = Review.__dataclass_fields__.keys() - {"sequence", "reviewed_at", "created_at"}


def _rounded(review: Review) -> str:
    return decimal_text(Fraction(review.share), RATE_DIGITS)
