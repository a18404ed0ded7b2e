"""Who is written to, and what became of each mail."""

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from vendorwatch.db.base import Base, Id, Instant, Json, Name


class Recipient(Base):
    __tablename__ = "recipients"

    merchant_id: Mapped[Id] = mapped_column(ForeignKey("merchants.merchant_id"), primary_key=True)
    recipient_id: Mapped[Id] = mapped_column(primary_key=True)
    # null: of all the merchant's engagements
    engagement_id: Mapped[Id | None] = mapped_column(ForeignKey("engagements.engagement_id"))
    side: Mapped[Name]  # merchant, vendor
    email: Mapped[str]
    name: Mapped[Name]
    language: Mapped[Name]
    kind: Mapped[Name]  # digest, scorecard, agents
    created_at: Mapped[Instant]
    removed_at: Mapped[Instant | None]
    bounced_at: Mapped[Instant | None]  # mail to the address never arrives: none is sent


class Delivery(Base):
    """Several rows with one message_id are one mail."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("engagement_id", "subject_key", "recipient_id", "kind"),
        ForeignKeyConstraint(
            ["merchant_id", "recipient_id"], ["recipients.merchant_id", "recipients.recipient_id"]
        ),
        ForeignKeyConstraint(
            ["engagement_id", "scorecard_id"],
            ["scorecards.engagement_id", "scorecards.scorecard_id"],
        ),
        Index(None, "state", "next_attempt_at"),
    )

    merchant_id: Mapped[Id] = mapped_column(ForeignKey("merchants.merchant_id"), primary_key=True)
    delivery_id: Mapped[Id] = mapped_column(primary_key=True)
    engagement_id: Mapped[Id] = mapped_column(ForeignKey("engagements.engagement_id"))
    scorecard_id: Mapped[Id | None]  # null: a notice
    subject_key: Mapped[Name]  # what it is about: 2026-10/r1, 2026-10/missing-data
    recipient_id: Mapped[Id]
    kind: Mapped[Name]  # digest, scorecard, agents, or that of a notice
    facts: Mapped[Json | None]  # what a notice tells; what a revision replaces
    state: Mapped[Name]  # queued, sending, sent, failed, unknown, cancelled, skipped
    reason: Mapped[Name | None]  # a code, where the state alone does not say why
    message_id: Mapped[Name | None]  # fixed before the first attempt
    attempts: Mapped[int]
    next_attempt_at: Mapped[Instant]
    leased_until: Mapped[Instant | None]  # while sending: then somebody else may take it over
    lease_token: Mapped[Name | None]  # who has the row; a mark under another token is refused
    last_reply: Mapped[str | None]  # the mail server's own words
    created_at: Mapped[Instant]
    sent_at: Mapped[Instant | None]
