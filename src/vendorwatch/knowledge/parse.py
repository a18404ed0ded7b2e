"""Reads a knowledge document strictly and names every mistake with its place."""

import json
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from datetime import datetime
from typing import Annotated, Any, get_args, get_origin

import msgspec

from vendorwatch.db.text import is_illegal, nfc
from vendorwatch.errors import Fault
from vendorwatch.knowledge.model import BadKnowledge, refuse
from vendorwatch.knowledge.record import Answer, Attempt, Document, Instant, Question
from vendorwatch.periods import to_shown_micros


def read_document(source: bytes) -> Document:
    """Raises BadKnowledge with every mistake; a fault's field is like `questions[2].options`.

    Texts are NFC-normalised, so that an id is the same however it was typed; sets are sorted, so
    that equal things compare equal.
    """
    faults: list[Fault] = []
    document = _convert(_load(source), Document, "", faults)
    if not faults:
        faults += _contradictions(document)
    refuse(faults)
    return _normal_form(document)


def _load(source: bytes) -> object:
    try:
        return json.loads(source.decode("utf-8-sig"), object_pairs_hook=_unique_keys)
    except UnicodeDecodeError as error:
        raise BadKnowledge("The file is not UTF-8.") from error
    except (ValueError, RecursionError) as error:
        raise BadKnowledge(f"The file is not JSON that can be used: {error}") from error


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    repeated = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]
    if repeated:
        raise ValueError(f"the key {repeated[0]!r} stands twice in one object")
    if any(is_illegal(key) for key, _ in pairs):
        raise ValueError("a key holds NUL or half a surrogate pair")
    return dict(pairs)


def _convert(value: object, kind: Any, place: str, faults: list[Fault]) -> Any:
    """Like msgspec.convert, but goes on after a mistake; the value is of no use if there was one."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and isinstance(value, dict):
        return _convert_struct(value, kind, place, faults)
    item = _struct_inside(kind)
    if item is not None and isinstance(value, list):
        return tuple(
            _convert(each, item, f"{place}[{index}]", faults) for index, each in enumerate(value)
        )
    try:
        return msgspec.convert(_normalised(value), kind, dec_hook=_instant)
    except msgspec.ValidationError as error:
        reason, _, inner = str(error).partition(" - at `$")
        faults.append(Fault("bad_value", reason, field=place + inner.rstrip("`") or None))
    return None


def _convert_struct(
    value: dict[str, object], kind: type[msgspec.Struct], place: str, faults: list[Fault]
) -> object:
    start = f"{place}." if place else ""
    before = len(faults)
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    faults += [
        Fault("unknown_field", "there is no such field", field=start + name)
        for name in value
        if name not in fields
    ]
    made = {}
    for name, field in fields.items():
        if name in value:
            made[name] = _convert(value[name], field.type, start + name, faults)
        elif field.required:
            faults.append(Fault("missing_required", "is missing", field=start + name))
    return kind(**made) if len(faults) == before else None


def _struct_inside(kind: Any) -> type[msgspec.Struct] | None:
    """S of `tuple[S, ...]`, if S is a struct."""
    item = get_args(kind)[0] if get_origin(kind) is tuple else None
    return item if isinstance(item, type) and issubclass(item, msgspec.Struct) else None


def _normalised(value: object) -> object:
    if isinstance(value, list):
        return [_normalised(each) for each in value]
    if isinstance(value, str):
        if is_illegal(value):
            raise msgspec.ValidationError("holds NUL or half a surrogate pair")
        return nfc(value)
    return value


def _instant(kind: type, value: object) -> object:
    if kind is not Instant:
        raise NotImplementedError(kind)
    if not isinstance(value, str):
        raise ValueError("an instant is text, like 2026-10-25T18:00:00+07:00")  # noqa: TRY004  msgspec turns ValueError into its own
    moment = msgspec.convert(value, Annotated[datetime, msgspec.Meta(tz=True)])
    return Instant(to_shown_micros(moment))


def _contradictions(document: Document) -> Iterator[Fault]:
    """What the types cannot say, within the document alone."""
    yield from _repeated("questions", document.questions, lambda each: each.question_id)
    yield from _repeated("checks", document.checks, lambda each: each.check_id)
    yield from _repeated(
        "assignments", document.assignments, lambda each: (each.check_id, each.agent_id)
    )
    yield from _repeated(
        "attempts", document.attempts, lambda each: (each.check_id, each.agent_id, each.number)
    )
    for index, question in enumerate(document.questions):
        yield from _question_faults(f"questions[{index}]", question)
    for index, check in enumerate(document.checks):
        yield from _repeated(f"checks[{index}].questions", check.questions, lambda each: each)
    for index, attempt in enumerate(document.attempts):
        yield from _attempt_faults(f"attempts[{index}]", attempt)


def _repeated(place: str, items: Iterable[Any], key: Callable[[Any], Hashable]) -> Iterator[Fault]:
    seen: dict[Hashable, int] = {}
    for index, item in enumerate(items):
        first = seen.setdefault(key(item), index)
        if first != index:
            yield Fault("repeated", f"is the same as {place}[{first}]", field=f"{place}[{index}]")


def _question_faults(place: str, question: Question) -> Iterator[Fault]:
    yield from _repeated(f"{place}.options", question.options, lambda each: each)
    yield from _repeated(f"{place}.correct", question.correct, lambda each: each)
    for index, position in enumerate(question.correct):
        if position >= len(question.options):
            yield Fault(
                "out_of_range",
                f"there is no option {position}; positions count from 0",
                field=f"{place}.correct[{index}]",
            )


def _attempt_faults(place: str, attempt: Attempt) -> Iterator[Fault]:
    if attempt.submitted_at is not None and attempt.submitted_at < attempt.started_at:
        yield Fault("submitted_before_start", "lies before started_at", f"{place}.submitted_at")
    yield from _repeated(f"{place}.answers", attempt.answers, lambda each: each.question_id)
    for index, answer in enumerate(attempt.answers):
        where = f"{place}.answers[{index}]"
        yield from _repeated(f"{where}.chosen", answer.chosen, lambda each: each)
        if not _within(answer, attempt):
            yield Fault(
                "answered_outside", "lies outside of the attempt's times", f"{where}.answered_at"
            )


def _within(answer: Answer, attempt: Attempt) -> bool:
    at, end = answer.answered_at, attempt.submitted_at
    return at is None or (attempt.started_at <= at and (end is None or at <= end))


def _normal_form(document: Document) -> Document:
    replace = msgspec.structs.replace
    return replace(
        document,
        questions=tuple(
            replace(each, correct=tuple(sorted(each.correct))) for each in document.questions
        ),
        checks=tuple(
            replace(each, questions=tuple(sorted(each.questions))) for each in document.checks
        ),
        attempts=tuple(
            replace(
                each,
                answers=tuple(
                    replace(answer, chosen=tuple(sorted(answer.chosen)))
                    for answer in sorted(each.answers, key=lambda answer: answer.question_id)
                ),
            )
            for each in document.attempts
        ),
    )
