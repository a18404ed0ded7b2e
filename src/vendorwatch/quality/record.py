"""What a rubric and a review may hold. Every limit stands here."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from vendorwatch.periods import Micros

NOT_APPLICABLE = "not_applicable"
MOST_REVIEWS = 1_000  # in one request
MOST_CRITERIA = 50
# Keeps an exact share short enough to be stored: its denominator divides the product of the maxima.
MOST_MAXIMA = 10
HIGHEST_WEIGHT, WEIGHT_DIGITS = 10_000, 2
HIGHEST_MAXIMUM, SCORE_DIGITS = 1_000, 6

# No white space at either end: an id that differs only there is a mistake, never another id.
Id = Annotated[str, Meta(min_length=1, max_length=128, pattern=r"^\S(.*\S)?\Z")]
Account = Annotated[str, Meta(max_length=64, pattern=r"^(\S(.*\S)?)?\Z")]
Title = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S")]
Comment = Annotated[str, Meta(max_length=4_000)]
Version = Annotated[int, Meta(ge=1, le=1_000_000_000)]
Number = Annotated[str, Meta(description="An exact decimal, as text without needless zeros.")]
Reviewer = Literal["merchant", "vendor"]
Sampling = Literal["random", "stratified", "targeted", "complaint"]
Scores = dict[str, str]
"""What each criterion got: a Number or `not_applicable`."""


class Criterion(Struct, frozen=True, kw_only=True):
    """Failing a critical one, with less than half of its maximum, makes the whole review 0."""

    criterion_id: Id
    title: Title
    weight: Number
    maximum: Number
    critical: bool = False


class RubricContent(Struct, frozen=True, kw_only=True):
    """In NFC, numbers in one form: equal rubrics compare equal however they were written."""

    title: Title
    criteria: tuple[Criterion, ...]


class ReviewEntry(Struct, frozen=True, kw_only=True):
    """One review as it was sent; None stands for what is filled in when it is stored."""

    review_id: Id
    interaction_id: Id
    source_account: Account = ""
    rubric_id: Id
    rubric_version: Version | None = None
    reviewer: Reviewer = "merchant"
    sampling: Sampling
    scores: Scores
    comment: Comment | None = None
    reviewed_at: Micros | None = None
