"""What a knowledge document may hold. Every limit of one value stands here."""

from typing import Annotated

from msgspec import Meta, Struct


class Instant(int):
    """Microseconds as everywhere; in a document it is RFC 3339 with an offset."""

    __slots__ = ()


# No white space at either end: an id that differs only there is a mistake, never another id.
Id = Annotated[str, Meta(min_length=1, max_length=128, pattern=r"^\S(.*\S)?\Z")]
Topic = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^\S(.*\S)?\Z")]
Text = Annotated[str, Meta(min_length=1, max_length=4000)]
Title = Annotated[str, Meta(min_length=1, max_length=200)]
Position = Annotated[int, Meta(ge=0, le=7)]
PerCent = Annotated[int, Meta(ge=1, le=100)]
MAX_ATTEMPTS = 1000


class Question(Struct, frozen=True, kw_only=True):
    """`correct` are positions in `options`, from 0; a set of them is right or it is not."""

    question_id: Id
    stem: Text
    options: Annotated[tuple[Text, ...], Meta(min_length=2, max_length=8)]
    correct: Annotated[tuple[Position, ...], Meta(min_length=1)]
    topic: Topic
    product: Topic | None = None
    weight: Annotated[int, Meta(ge=1, le=100)] = 1


class Check(Struct, frozen=True, kw_only=True):
    """`questions` are ids; each is pinned at its newest version when the check is first stored."""

    check_id: Id
    title: Title
    pass_mark: PerCent
    due_at: Instant
    questions: Annotated[tuple[Id, ...], Meta(min_length=1, max_length=200)]
    time_limit_seconds: Annotated[int, Meta(ge=1, le=864_000)] | None = None


class Assignment(Struct, frozen=True, kw_only=True):
    """`excused` is the reason; null: not excused. `assigned_at` null: when it is first stored."""

    check_id: Id
    agent_id: Id
    assigned_at: Instant | None = None
    excused: Title | None = None


class Answer(Struct, frozen=True, kw_only=True):
    """`chosen` are positions in the question's own order of options, not in the order shown."""

    question_id: Id
    chosen: Annotated[tuple[Position, ...], Meta(max_length=8)]
    answered_at: Instant | None = None


class Attempt(Struct, frozen=True, kw_only=True):
    """`number` 1 is the first. `submitted_at` null: begun and never handed in."""

    check_id: Id
    agent_id: Id
    number: Annotated[int, Meta(ge=1, le=MAX_ATTEMPTS)] = 1
    started_at: Instant
    submitted_at: Instant | None = None
    answers: tuple[Answer, ...] = ()


class Document(Struct, frozen=True, kw_only=True):
    questions: tuple[Question, ...] = ()
    checks: tuple[Check, ...] = ()
    assignments: tuple[Assignment, ...] = ()
    attempts: tuple[Attempt, ...] = ()
