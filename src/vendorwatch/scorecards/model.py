"""Policies and scorecards as they are kept."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from vendorwatch.db.scope import Scope
from vendorwatch.errors import Kind, VendorwatchError
from vendorwatch.periods import Micros, Month
from vendorwatch.scoring.document import Document, canonical_json

DEFAULT_POLICY_ID = "default"


class BadScorecardRequest(VendorwatchError):
    """The month is not one, or the as-of instant cannot be read.

    Write the month as 2026-10 and the instant as 2026-11-08T00:00:00Z.
    """

    kind = Kind.REFUSED
    slug = "bad-scorecard-request"
    title = "The scorecard cannot be computed so"


@dataclass(frozen=True, slots=True)
class StoredPolicy:
    """One version; `source` is the file as it was set. The package's own has version 0."""

    policy_id: str
    version: int
    sha256: str
    name: str
    effective_from: str
    source: str


@dataclass(frozen=True, slots=True)
class Computed:
    """A document, and what it takes to compute it again."""

    scope: Scope
    document: Document
    as_of: Micros
    policy_version: int
    known: Mapping[str, int]  # the newest upload of each of the merchant's engagements

    @property
    def sha256(self) -> str:
        return hashlib.sha256(canonical_json(self.document).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class StoredScorecard:
    scorecard_id: str
    document: Document
    document_sha256: str
    created_at: Micros
    history: tuple[str, ...] = ()  # ids of the scorecards of the months before, oldest first
    is_new: bool = False  # it was stored just now

    @property
    def month(self) -> Month:
        return Month.parse(str(self.document["month"]))
