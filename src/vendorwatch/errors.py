"""Errors that a caller can act on. They know nothing of HTTP or of exit codes.

Each edge translates a `Kind` by one table of its own (web.problems, terminal); a kind that a table
forgets fails when that module is imported.
"""

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from typing_extensions import override


class Kind(Enum):
    MALFORMED = "malformed"  # the request cannot be read
    REFUSED = "refused"  # it can be read, and is not acceptable
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    TOO_LARGE = "too_large"
    UNSUPPORTED = "unsupported"
    TOO_MANY = "too_many"
    TOO_SLOW = "too_slow"  # the rest of the request did not come in time
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Fault:
    """One mistake among several. `row` counts data rows from 1; `line` counts lines from 1."""

    code: str
    detail: str
    field: str | None = None
    row: int | None = None
    line: int | None = None

    @override
    def __str__(self) -> str:
        where = [f"line {self.line}"] if self.line is not None else []
        where += [f"row {self.row}"] if self.row is not None else []
        where += [self.field] if self.field else []
        return f"{', '.join(where)}: {self.detail}" if where else self.detail


class VendorwatchError(Exception):
    """Base of every error that we mean to raise.

    `slug` names the documentation page, `title` is constant for the slug, `detail` tells of this
    occurrence in words that may be shown to the caller, `faults` lists every mistake found.
    """

    kind: ClassVar[Kind]
    slug: ClassVar[str]
    title: ClassVar[str]

    def __init__(
        self,
        detail: str,
        *,
        faults: tuple[Fault, ...] = (),
        retry_after_seconds: int | None = None,
        extra: dict[str, object] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.faults = faults
        self.retry_after_seconds = retry_after_seconds
        self.extra = extra or {}  # members that the problem document carries besides


def described(error: BaseException) -> str:
    """For whoever runs the server: our own words; of an error that we did not mean, its type alone,
    as its text may quote what a customer wrote.
    """
    if isinstance(error, VendorwatchError):
        return f"{error.title}: {error.detail}"
    return f"{type(error).__name__} (the log has the place)"


class NotFound(VendorwatchError):
    """There is nothing under this id or address, or it belongs to somebody else: both answer alike,
    so that nobody learns what exists.

    Check the id, and that the key belongs to the engagement that you mean.
    """

    kind = Kind.NOT_FOUND
    slug = "not-found"
    title = "Not found"
