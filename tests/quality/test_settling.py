"""What becomes of reviews that come in."""

import pytest

from vendorwatch.quality.model import Review, Rubric
from vendorwatch.quality.record import NOT_APPLICABLE, Criterion, ReviewEntry, RubricContent
from vendorwatch.quality.settling import Settled, Stored, settle

NOW = 1_790_000_000_000_000


def rubric(version: int, *names: str) -> Rubric:
    criteria = tuple(
        Criterion(criterion_id=name, title=name, weight="1", maximum="5") for name in names
    )
    content = RubricContent(title="Written", criteria=criteria)
    return Rubric(rubric_id="written", version=version, content=content, created_at=0)


def entry(**changes: object) -> ReviewEntry:
    values: dict[str, object] = {
        "review_id": "r",
        "interaction_id": "T-1",
        "rubric_id": "written",
        "sampling": "random",
        "scores": {"tone": "4"},
    }
    return ReviewEntry(**(values | changes))  # type: ignore[arg-type]  # as the test means them


def stored(*reviews: Review, versions: int = 1) -> Stored:
    return Stored(
        rubrics={"written": {number: rubric(number, "tone") for number in range(1, versions + 1)}},
        reviews={each.review_id: each for each in reviews},
        interactions=frozenset({("", "T-1")}),
        newest_sequence=len(reviews),
    )


def settle_one(sent: ReviewEntry, there: Stored, now: int = NOW) -> Settled:
    [settled], faults = settle([(1, sent)], there, now)
    assert faults == []
    return settled


FIRST = settle_one(entry(), stored()).review


def test_the_first_one_is_created_now_on_the_newest_version() -> None:
    made = settle_one(entry(), stored(versions=3))
    assert made.outcome == "created"
    assert (made.review.rubric_version, made.review.reviewed_at) == (3, NOW)
    assert (made.review.revision, made.review.sequence, made.review.share) == (1, 1, "4/5")


@pytest.mark.parametrize(
    "sent", [entry(), entry(rubric_version=1), entry(reviewed_at=NOW)], ids=["plain", "v", "at"]
)
def test_the_same_again_is_unchanged_whatever_was_left_to_be_filled_in(sent: ReviewEntry) -> None:
    again = settle_one(sent, stored(FIRST, versions=2), NOW + 1)
    assert again == Settled(FIRST, "unchanged")


@pytest.mark.parametrize(
    "change",
    [
        {"scores": {"tone": "3"}},
        {"sampling": "targeted"},
        {"comment": "Kind"},
        {"reviewed_at": NOW - 1},
        {"rubric_version": 2},
    ],
    ids=str,
)
def test_anything_else_is_the_next_revision(change: dict[str, object]) -> None:
    revised = settle_one(entry(**change), stored(FIRST, versions=2), NOW + 1)
    assert revised.outcome == "revised"
    assert (revised.review.revision, revised.review.sequence) == (2, 2)
    assert revised.review.created_at == NOW + 1
    # Correcting it does not move it into another month.
    assert revised.review.reviewed_at == change.get("reviewed_at", NOW)


def test_all_mistakes_of_all_rows_are_named() -> None:
    theirs = settle_one(entry(review_id="theirs", reviewer="vendor"), stored()).review
    rows = [
        (1, entry(interaction_id="T-9", scores={"tone": "5.000001", "wit": "1"})),
        (2, entry(rubric_id="none")),
        (3, entry(review_id="v", rubric_version=2)),
        (4, entry(review_id="n", scores={"tone": NOT_APPLICABLE})),
        (5, entry(review_id="theirs")),
        (6, entry(review_id="m", source_account="north", scores={})),
    ]
    _, faults = settle(rows, stored(theirs), NOW)
    assert [(fault.row, fault.field, fault.code) for fault in faults] == [
        (1, "interaction_id", "unknown_interaction"),
        (1, "scores.wit", "unknown_criterion"),
        (1, "scores.tone", "out_of_range"),
        (2, "rubric_id", "unknown_rubric"),
        (3, "rubric_version", "unknown_rubric"),
        (4, "scores", "nothing_applicable"),
        (5, "review_id", "id_taken"),
        (6, "interaction_id", "unknown_interaction"),
        (6, "scores.tone", "missing_required"),
    ]
    assert all(fault.detail for fault in faults)


@pytest.mark.parametrize(
    ("change", "scored"),
    [
        ({}, True),
        ({"sampling": "stratified"}, True),
        ({"sampling": "targeted"}, False),
        ({"sampling": "complaint"}, False),
        ({"reviewer": "vendor"}, False),
    ],
    ids=str,
)
def test_only_what_the_merchant_drew_by_chance_is_scored(
    change: dict[str, object], scored: bool
) -> None:
    assert settle_one(entry(**change), stored()).review.scored is scored
