"""Rubrics and reviews as they are stored, and what a review is worth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from vendorwatch.errors import Kind, VendorwatchError
from vendorwatch.periods import Micros
from vendorwatch.quality.record import (
    NOT_APPLICABLE,
    Criterion,
    Reviewer,
    RubricContent,
    Sampling,
    Scores,
)

SCORED_SAMPLINGS: tuple[Sampling, ...] = ("random", "stratified")
"""Whoever picks the contacts picks the score, unless chance does."""

_HALF = Fraction(1, 2)


class BadRubric(VendorwatchError):
    """The rubric has mistakes, such as a weight below 0 or a criterion that stands twice. All of
    them are named, and nothing was stored.

    Correct them and send the whole rubric again.
    """

    kind = Kind.REFUSED
    slug = "bad-rubric"
    title = "The rubric was refused"


class BadReviews(VendorwatchError):
    """Among the reviews are mistakes, such as an interaction that is not there or a score above its
    maximum. All of them are named with their row, and none of the reviews was stored.

    Correct them and send all of the reviews again: those that are stored already stay as they are.
    """

    kind = Kind.REFUSED
    slug = "bad-quality-reviews"
    title = "The reviews were refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rubric:
    """One version of a rubric."""

    rubric_id: str
    version: int
    content: RubricContent
    created_at: Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """One revision of a review. `share` is of what could be had, an exact fraction: `17/20`."""

    review_id: str
    revision: int
    sequence: int
    source_account: str
    interaction_id: str
    rubric_id: str
    rubric_version: int
    reviewer: Reviewer
    sampling: Sampling
    scores: Scores
    share: str
    withdrawn: bool
    comment: str | None
    reviewed_at: Micros
    created_at: Micros

    @property
    def scored(self) -> bool:
        """Whether it is one of those that the metric `quality` counts."""
        return (
            self.reviewer == "merchant" and self.sampling in SCORED_SAMPLINGS and not self.withdrawn
        )


@dataclass(frozen=True, slots=True)
class Judged:
    """What one criterion got. `share` is of its maximum, None where it was not applicable."""

    criterion: Criterion
    score: str
    share: Fraction | None

    @property
    def failed(self) -> bool:
        """A critical one with less than half of its maximum."""
        return self.criterion.critical and self.share is not None and self.share < _HALF


def judged(criteria: Sequence[Criterion], scores: Mapping[str, str]) -> list[Judged]:
    """In the order of the rubric; `scores` must name every criterion."""
    return [
        Judged(each, score, None)
        if (score := scores[each.criterion_id]) == NOT_APPLICABLE
        else Judged(each, score, Fraction(score) / Fraction(each.maximum))
        for each in criteria
    ]


def share(criteria: Sequence[Criterion], scores: Mapping[str, str]) -> Fraction:
    """sum(weight x score / maximum) / sum(weight) over the applicable criteria, in 0 to 1.

    0 if an applicable critical one has less than half of its maximum. Raises ValueError where no
    applicable criterion has a weight.
    """
    found = judged(criteria, scores)
    weighted = [
        (Fraction(each.criterion.weight), each.share) for each in found if each.share is not None
    ]
    total = sum((weight for weight, _ in weighted), Fraction())
    if not total:
        raise ValueError("no applicable criterion has a weight")
    if any(each.failed for each in found):
        return Fraction()
    return sum((weight * part for weight, part in weighted), Fraction()) / total


def fraction_text(value: Fraction) -> str:
    """Always with its denominator: `17/20`, `1/1`, `0/1`."""
    return f"{value.numerator}/{value.denominator}"
