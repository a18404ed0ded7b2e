"""Policies and scorecards as they are kept."""

from dataclasses import dataclass

from vendorwatch.periods import Micros, Month
from vendorwatch.scoring.document import Document

DEFAULT_POLICY_ID = "default"


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
class StoredScorecard:
    scorecard_id: str
    document: Document
    document_sha256: str
    created_at: Micros
    is_new: bool = False  # it was stored just now

    @property
    def month(self) -> Month:
        return Month.parse(str(self.document["month"]))
