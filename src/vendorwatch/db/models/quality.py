"""By what the merchant judges an interaction, and how each judged one did."""

from sqlalchemy import ForeignKey, ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from vendorwatch.db.base import Base, Id, Instant, Json, Name


class Rubric(Base):
    """One version of a rubric; editing makes the next version and leaves this one."""

    __tablename__ = "rubrics"

    merchant_id: Mapped[Id] = mapped_column(ForeignKey("merchants.merchant_id"), primary_key=True)
    rubric_id: Mapped[Name] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[Name]
    criteria: Mapped[Json]
    created_at: Mapped[Instant]


class QualityReview(Base):
    """One revision of one review; rows are only ever added, and the newest revision counts."""

    __tablename__ = "quality_reviews"
    __table_args__ = (
        UniqueConstraint("engagement_id", "sequence"),
        ForeignKeyConstraint(
            ["merchant_id", "rubric_id", "rubric_version"],
            ["rubrics.merchant_id", "rubrics.rubric_id", "rubrics.version"],
        ),
    )

    engagement_id: Mapped[Id] = mapped_column(
        ForeignKey("engagements.engagement_id"), primary_key=True
    )
    review_id: Mapped[Name] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    sequence: Mapped[int]  # 1, 2, 3 ... within the engagement, over all reviews and revisions
    merchant_id: Mapped[Id]
    source_account: Mapped[Name]
    interaction_id: Mapped[Name]
    rubric_id: Mapped[Name]
    rubric_version: Mapped[int]
    reviewer: Mapped[Name]  # merchant, vendor
    sampling: Mapped[Name]  # random, stratified, targeted, complaint
    scores: Mapped[Json]
    share: Mapped[Name]  # of what could be had, an exact fraction: "17/20"
    withdrawn: Mapped[bool]
    comment: Mapped[str | None]
    reviewed_at: Mapped[Instant]
    created_at: Mapped[Instant]
