"""Questions and checks belong to the merchant; assignments and attempts to the engagement."""

from vendorwatch.knowledge.store.answered import answered, answers_given
from vendorwatch.knowledge.store.questions import (
    insert_withdrawal,
    question_versions,
    versions_of,
    withdrawn_counts,
)
from vendorwatch.knowledge.store.results import checks, results, results_of, stored
from vendorwatch.knowledge.store.writing import insert_changes

__all__ = [
    "answered",
    "answers_given",
    "checks",
    "insert_changes",
    "insert_withdrawal",
    "question_versions",
    "results",
    "results_of",
    "stored",
    "versions_of",
    "withdrawn_counts",
]
