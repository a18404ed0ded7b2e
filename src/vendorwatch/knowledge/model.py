"""What a document of questions, checks and attempts changes in what is stored."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from vendorwatch.errors import Fault, Kind, VendorwatchError
from vendorwatch.knowledge.record import Assignment, Attempt, Check, Document, Question
from vendorwatch.knowledge.withdrawals import Version
from vendorwatch.periods import CLOCK_SKEW, Micros


class BadKnowledge(VendorwatchError):
    """The document of questions, checks, assignments and attempts has mistakes. All of them are
    named, and nothing of it was stored.

    Correct them and load the whole document again.
    """

    kind = Kind.REFUSED
    slug = "bad-knowledge"
    title = "The knowledge document cannot be used"


class KnowledgeConflict(VendorwatchError):
    """A check, an attempt or the instant of an assignment is stored already with another content.
    A score may have been computed from it, so that it never changes.

    Give the changed one an id of its own, or load it as it was. Questions may change: a changed
    one becomes the next version.
    """

    kind = Kind.CONFLICT
    slug = "knowledge-conflict"
    title = "The knowledge document contradicts what is stored"


Key = tuple[str, str]
"""(check_id, agent_id)"""


@dataclass(frozen=True, slots=True)
class Stored:
    """What is stored that a document speaks of.

    `questions` holds the newest version of each; `pinned` the questions of each check by id, as
    the check pinned them; the attempts of a key are in the order of their numbers.
    """

    questions: Mapping[str, tuple[int, Question]] = field(default_factory=dict)
    checks: Mapping[str, Check] = field(default_factory=dict)
    pinned: Mapping[str, Mapping[str, Question]] = field(default_factory=dict)
    assignments: Mapping[Key, Assignment] = field(default_factory=dict)
    attempts: Mapping[Key, Sequence[Attempt]] = field(default_factory=dict)
    withdrawn: frozenset[Version] = frozenset()


@dataclass(frozen=True, slots=True)
class Changes:
    """What there is to write; whatever the document repeats unchanged is not in it.

    `questions` are (version, question); `checks` are (check, {question_id: pinned version}).
    """

    questions: tuple[tuple[int, Question], ...]
    checks: tuple[tuple[Check, Mapping[str, int]], ...]
    assignments: tuple[Assignment, ...]
    excuses: tuple[Assignment, ...]
    attempts: tuple[Attempt, ...]


def changes(document: Document, stored: Stored, now: Micros) -> Changes:
    """Raises BadKnowledge, or KnowledgeConflict, with every mistake; the places are the document's.

    A question that differs from its newest version becomes the next version. A check, an
    attempt, or the instant of an assignment that differs from what is stored is a conflict: they
    are what a score was computed from. The excuse of an assignment may change.
    """
    questions = tuple(_new_versions(document, stored))
    newest = dict(stored.questions)
    newest |= {question.question_id: (version, question) for version, question in questions}
    after = _after(document, stored, newest)
    refuse([*_refusals(document, after, newest, now), *_withdrawn_pins(document, stored, newest)])
    conflicts = list(_conflicts(document, stored))
    if conflicts:
        raise KnowledgeConflict(
            "What is stored differs; nothing was stored.", faults=tuple(conflicts)
        )
    return Changes(
        questions=questions,
        checks=tuple(
            (check, {each: newest[each][0] for each in check.questions})
            for check in document.checks
            if check.check_id not in stored.checks
        ),
        assignments=tuple(a for a in document.assignments if _key(a) not in stored.assignments),
        excuses=tuple(
            assignment
            for assignment in document.assignments
            if (old := stored.assignments.get(_key(assignment)))
            and old.excused != assignment.excused
        ),
        attempts=tuple(a for a in document.attempts if _same_number(a, stored) is None),
    )


def refuse(faults: Sequence[Fault]) -> None:
    if faults:
        count = f"{len(faults)} mistakes" if len(faults) > 1 else "1 mistake"
        raise BadKnowledge(f"The document has {count}; nothing was stored.", faults=tuple(faults))


def _key(item: Assignment | Attempt) -> Key:
    return item.check_id, item.agent_id


def _new_versions(document: Document, stored: Stored) -> Iterator[tuple[int, Question]]:
    for question in document.questions:
        version, known = stored.questions.get(question.question_id, (0, None))
        if question != known:
            yield version + 1, question


def _after(
    document: Document, stored: Stored, newest: Mapping[str, tuple[int, Question]]
) -> Stored:
    """What would be stored afterwards; a check that is stored already keeps its questions."""
    added = [check for check in document.checks if check.check_id not in stored.checks]
    attempts = {key: list(known) for key, known in stored.attempts.items()}
    for attempt in document.attempts:
        if _same_number(attempt, stored) is None:
            attempts.setdefault(_key(attempt), []).append(attempt)
    return Stored(
        checks={check.check_id: check for check in added} | dict(stored.checks),
        pinned={
            check.check_id: {each: newest[each][1] for each in check.questions if each in newest}
            for check in added
        }
        | dict(stored.pinned),
        assignments={_key(each): each for each in document.assignments} | dict(stored.assignments),
        attempts={
            key: sorted(each, key=lambda attempt: attempt.number) for key, each in attempts.items()
        },
    )


def _same_number(attempt: Attempt, stored: Stored) -> Attempt | None:
    known = stored.attempts.get(_key(attempt), ())
    return next((each for each in known if each.number == attempt.number), None)


def _refusals(
    document: Document, after: Stored, newest: Mapping[str, tuple[int, Question]], now: Micros
) -> Iterator[Fault]:
    for index, check in enumerate(document.checks):
        for at, question_id in enumerate(check.questions):
            if question_id not in newest:
                yield _unknown("question", question_id, f"checks[{index}].questions[{at}]")
    for index, assignment in enumerate(document.assignments):
        place = f"assignments[{index}]"
        if assignment.check_id not in after.checks:
            yield _unknown("check", assignment.check_id, f"{place}.check_id")
        yield from _future(assignment.assigned_at, now, f"{place}.assigned_at")
    for index, attempt in enumerate(document.attempts):
        place = f"attempts[{index}]"
        yield from _future(attempt.started_at, now, f"{place}.started_at")
        yield from _future(attempt.submitted_at, now, f"{place}.submitted_at")
        yield from _attempt_refusals(attempt, after, place)


def _withdrawn_pins(
    document: Document, stored: Stored, newest: Mapping[str, tuple[int, Question]]
) -> Iterator[Fault]:
    """A new check must not ask what counts for nobody; one that is stored already may have."""
    for index, check in enumerate(document.checks):
        if check.check_id in stored.checks:
            continue
        for at, question_id in enumerate(check.questions):
            version, _ = newest.get(question_id, (0, None))
            if (question_id, version) in stored.withdrawn:
                yield Fault(
                    "withdrawn",
                    f"version {version} of {question_id!r} was withdrawn; mend the question first",
                    field=f"checks[{index}].questions[{at}]",
                )


def _attempt_refusals(attempt: Attempt, after: Stored, place: str) -> Iterator[Fault]:
    if _key(attempt) not in after.assignments:
        yield Fault(
            "unknown_assignment",
            f"the check {attempt.check_id!r} is not assigned to {attempt.agent_id!r}",
            field=place,
        )
    pinned = after.pinned.get(attempt.check_id, {})
    for index, answer in enumerate(attempt.answers):
        where = f"{place}.answers[{index}]"
        question = pinned.get(answer.question_id)
        if question is None:
            yield _unknown("question of this check", answer.question_id, f"{where}.question_id")
        elif answer.chosen and max(answer.chosen) >= len(question.options):
            yield Fault("out_of_range", "there is no such option", field=f"{where}.chosen")
    yield from _sequence_refusals(attempt, after.attempts[_key(attempt)], place)


def _sequence_refusals(
    attempt: Attempt, attempts: Sequence[Attempt], place: str
) -> Iterator[Fault]:
    """The first one counts, so no earlier one may be left out and no two may overlap."""
    if attempt.number == 1:
        return
    before = next((each for each in attempts if each.number == attempt.number - 1), None)
    if before is None:
        yield Fault(
            "attempt_missing",
            f"there is no attempt {attempt.number - 1} before it",
            field=f"{place}.number",
        )
    elif attempt.started_at < (before.submitted_at or before.started_at):
        yield Fault(
            "attempts_overlap",
            f"lies before the end of attempt {before.number}",
            field=f"{place}.started_at",
        )


def _conflicts(document: Document, stored: Stored) -> Iterator[Fault]:
    for index, check in enumerate(document.checks):
        if stored.checks.get(check.check_id, check) != check:
            yield _differs(f"checks[{index}]", f"the check {check.check_id!r}")
    for index, assignment in enumerate(document.assignments):
        old = stored.assignments.get(_key(assignment))
        if old and assignment.assigned_at not in {None, old.assigned_at}:
            yield _differs(f"assignments[{index}].assigned_at", "the instant of the assignment")
    for index, attempt in enumerate(document.attempts):
        if (_same_number(attempt, stored) or attempt) != attempt:
            yield _differs(f"attempts[{index}]", f"attempt {attempt.number}")


def _unknown(what: str, which: str, place: str) -> Fault:
    return Fault("unknown_reference", f"there is no {what} {which!r}", field=place)


def _differs(place: str, what: str) -> Fault:
    return Fault("differs", f"{what} is stored and is different", field=place)


def _future(at: Micros | None, now: Micros, place: str) -> Iterator[Fault]:
    if at is not None and at > now + CLOCK_SKEW:
        yield Fault("future_timestamp", "lies in the future", field=place)
