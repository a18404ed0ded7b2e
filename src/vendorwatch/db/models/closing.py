"""Which months were closed, by what rules, what kept them from it, and who was told of what."""

from sqlalchemy import ForeignKey, ForeignKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from vendorwatch.db.base import Base, Id, Instant, Json, Name


class ClosingRules(Base):
    """An engagement without a row has the defaults."""

    __tablename__ = "closing_rules"

    engagement_id: Mapped[Id] = mapped_column(
        ForeignKey("engagements.engagement_id"), primary_key=True
    )
    approval: Mapped[Name]  # automatic, hold
    late_data: Mapped[Name]  # ask, automatic
    first_month: Mapped[Name | None]  # YYYY-MM; null: the one in which the engagement was created
    last_month: Mapped[Name | None]  # null: it goes on
    updated_at: Mapped[Instant]


class Issuance(Base):
    """One revision of one month's scorecard: the key makes a second one impossible."""

    __tablename__ = "issuances"
    __table_args__ = (
        ForeignKeyConstraint(
            ["engagement_id", "scorecard_id"],
            ["scorecards.engagement_id", "scorecards.scorecard_id"],
        ),
    )

    engagement_id: Mapped[Id] = mapped_column(
        ForeignKey("engagements.engagement_id"), primary_key=True
    )
    month: Mapped[Name] = mapped_column(primary_key=True)  # YYYY-MM
    revision: Mapped[int] = mapped_column(primary_key=True)
    scorecard_id: Mapped[Id]
    due_at: Mapped[Instant | None]  # of revision 1 only
    frozen_at: Mapped[Instant]
    state: Mapped[Name]  # held, issued
    issued_at: Mapped[Instant | None]
    decided_by: Mapped[Name | None]  # the id of a key, operator or rule; null while it is held
    reason: Mapped[str | None]
    is_late: Mapped[bool]
    changes: Mapped[Json | None]  # against the revision before
    # when it was last computed anew, and what differed: records, policy
    compared_at: Mapped[Instant | None]
    differs: Mapped[Name | None]


class Notice(Base):
    """At most one of a kind and month. A row that tells of nothing says that it was looked for."""

    __tablename__ = "notices"

    engagement_id: Mapped[Id] = mapped_column(
        ForeignKey("engagements.engagement_id"), primary_key=True
    )
    month: Mapped[Name] = mapped_column(primary_key=True)
    kind: Mapped[Name] = mapped_column(primary_key=True)
    detail: Mapped[Json]
    created_at: Mapped[Instant]


class ClosingFailure(Base):
    """What kept a month from being closed, the last time that it was tried."""

    __tablename__ = "closing_failures"

    engagement_id: Mapped[Id] = mapped_column(
        ForeignKey("engagements.engagement_id"), primary_key=True
    )
    month: Mapped[Name] = mapped_column(primary_key=True)  # YYYY-MM
    times: Mapped[int]
    reason: Mapped[str]
    failed_at: Mapped[Instant]
