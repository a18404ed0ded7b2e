"""What reviews that come in change in what is stored."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Literal

from vendorwatch.errors import Fault
from vendorwatch.periods import Micros
from vendorwatch.quality.model import Review, Rubric, fraction_text, share
from vendorwatch.quality.record import NOT_APPLICABLE, Number, ReviewEntry, Scores

Interaction = tuple[str, str]
"""(source_account, interaction_id)"""


@dataclass(frozen=True, slots=True)
class Stored:
    """What is stored that reviews speak of.

    `rubrics` by id and version; `reviews` holds the newest revision of each; `interactions` are
    those of the engagement that are in force.
    """

    rubrics: Mapping[str, Mapping[int, Rubric]] = field(default_factory=dict)
    reviews: Mapping[str, Review] = field(default_factory=dict)
    interactions: frozenset[Interaction] = frozenset()
    newest_sequence: int = 0


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of one review that was sent: `review` is now its newest revision."""

    review: Review
    outcome: Literal["created", "revised", "unchanged"]


def settle(
    entries: Sequence[tuple[int, ReviewEntry]], stored: Stored, now: Micros
) -> tuple[list[Settled], list[Fault]]:
    """Each with its row. Where there are faults, nothing else of it may be used."""
    settled: list[Settled] = []
    faults: list[Fault] = []
    sequence = stored.newest_sequence
    for row, entry in entries:
        known = stored.reviews.get(entry.review_id)
        rubric = _rubric(entry, known, stored)
        mistakes = list(_mistakes(entry, known, rubric, stored))
        faults += [Fault(each.code, each.detail, each.field, row) for each in mistakes]
        if mistakes or rubric is None:
            continue
        if known is not None and not known.withdrawn and _repeats(entry, known, rubric.version):
            settled.append(Settled(known, "unchanged"))
            continue
        sequence += 1
        review = _review(entry, known, rubric, sequence, now)
        settled.append(Settled(review, "revised" if known else "created"))
    return settled, faults


def withdrawal(review: Review, sequence: int, now: Micros) -> Review:
    """The revision that takes it back."""
    return replace(
        review,
        revision=review.revision + 1,
        sequence=sequence,
        withdrawn=True,
        created_at=now,
    )


def _rubric(entry: ReviewEntry, known: Review | None, stored: Stored) -> Rubric | None:
    """Without a version the newest; but a review that is sent again stays on the one it has."""
    versions = stored.rubrics.get(entry.rubric_id, {})
    wanted = entry.rubric_version
    if wanted is None and known and _repeats(entry, known, known.rubric_version):
        wanted = known.rubric_version
    return versions.get(max(versions, default=0) if wanted is None else wanted)


def _repeats(entry: ReviewEntry, known: Review, version: int) -> bool:
    return (
        entry.interaction_id == known.interaction_id
        and entry.source_account == known.source_account
        and entry.rubric_id == known.rubric_id
        and version == known.rubric_version
        and entry.reviewer == known.reviewer
        and entry.sampling == known.sampling
        and entry.scores == known.scores
        and entry.comment == known.comment
        and entry.reviewed_at in {None, known.reviewed_at}
    )


def _mistakes(
    entry: ReviewEntry, known: Review | None, rubric: Rubric | None, stored: Stored
) -> Iterator[Fault]:
    if known is not None and known.reviewer != entry.reviewer:
        # Of whom it is does not concern the other side.
        yield Fault("id_taken", "cannot be used; choose another id", field="review_id")
    if (entry.source_account, entry.interaction_id) not in stored.interactions:
        yield Fault("unknown_interaction", "there is no such interaction", field="interaction_id")
    if rubric is not None:
        yield from _score_mistakes(entry.scores, rubric)
    elif entry.rubric_id in stored.rubrics:
        yield Fault("unknown_rubric", "has no such version", field="rubric_version")
    else:
        yield Fault("unknown_rubric", "there is no such rubric", field="rubric_id")


def _score_mistakes(scores: Scores, rubric: Rubric) -> Iterator[Fault]:
    criteria = {each.criterion_id: each for each in rubric.content.criteria}
    its = f"version {rubric.version} of the rubric"
    for name in sorted(scores.keys() - criteria.keys()):
        yield Fault("unknown_criterion", f"is not in {its}", field=f"scores.{name}")
    for name, criterion in criteria.items():
        if name not in scores:
            detail = f"is missing, and in {its}; not applicable is written as {NOT_APPLICABLE!r}"
            yield Fault("missing_required", detail, field=f"scores.{name}")
        elif not _within(scores[name], criterion.maximum):
            detail = f"is above the maximum, {criterion.maximum}"
            yield Fault("out_of_range", detail, field=f"scores.{name}")
    applicable = [each for name, each in criteria.items() if scores.get(name) != NOT_APPLICABLE]
    if not any(Fraction(each.weight) for each in applicable):
        yield Fault("nothing_applicable", "no applicable criterion has a weight", field="scores")


def _within(score: str, maximum: Number) -> bool:
    return score == NOT_APPLICABLE or Fraction(score) <= Fraction(maximum)


def _review(
    entry: ReviewEntry, known: Review | None, rubric: Rubric, sequence: int, now: Micros
) -> Review:
    """Correcting a review does not move it: without reviewed_at it keeps that which it had."""
    ordered = {
        each.criterion_id: entry.scores[each.criterion_id] for each in rubric.content.criteria
    }
    return Review(
        review_id=entry.review_id,
        revision=known.revision + 1 if known else 1,
        sequence=sequence,
        source_account=entry.source_account,
        interaction_id=entry.interaction_id,
        rubric_id=entry.rubric_id,
        rubric_version=rubric.version,
        reviewer=entry.reviewer,
        sampling=entry.sampling,
        scores=ordered,
        share=fraction_text(share(rubric.content.criteria, ordered)),
        withdrawn=False,
        comment=entry.comment,
        reviewed_at=_reviewed_at(entry, known, now),
        created_at=now,
    )


def _reviewed_at(entry: ReviewEntry, known: Review | None, now: Micros) -> Micros:
    if entry.reviewed_at is not None:
        return entry.reviewed_at
    return known.reviewed_at if known else now
