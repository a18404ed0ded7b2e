"""The schema on one shelf. Only stores import it (import-linter)."""

from vendorwatch.db.models.access import ApiKey
from vendorwatch.db.models.alarms import Alarm
from vendorwatch.db.models.anomalies import ContactCount
from vendorwatch.db.models.audit import AuditEntry, AuditHead
from vendorwatch.db.models.closing import ClosingFailure, ClosingRules, Issuance, Notice
from vendorwatch.db.models.interactions import Interaction, Mapping, Reject, Upload
from vendorwatch.db.models.knowledge import (
    Answer,
    Assignment,
    Attempt,
    Check,
    CheckQuestion,
    Question,
    QuestionWithdrawal,
)
from vendorwatch.db.models.mailing import Delivery, Recipient
from vendorwatch.db.models.quality import QualityReview, Rubric
from vendorwatch.db.models.scorecards import Policy, Scorecard
from vendorwatch.db.models.vendors import Agent, Engagement, Merchant, Vendor

__all__ = [
    "Agent",
    "Alarm",
    "Answer",
    "ApiKey",
    "Assignment",
    "Attempt",
    "AuditEntry",
    "AuditHead",
    "Check",
    "CheckQuestion",
    "ClosingFailure",
    "ClosingRules",
    "ContactCount",
    "Delivery",
    "Engagement",
    "Interaction",
    "Issuance",
    "Mapping",
    "Merchant",
    "Notice",
    "Policy",
    "QualityReview",
    "Question",
    "QuestionWithdrawal",
    "Recipient",
    "Reject",
    "Rubric",
    "Scorecard",
    "Upload",
    "Vendor",
]
