"""Policies and the documents that were computed under them."""

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from vendorwatch.db.base import Base, Digest, Id, Instant, Json, Name


class Policy(Base):
    __tablename__ = "policies"

    engagement_id: Mapped[Id] = mapped_column(
        ForeignKey("engagements.engagement_id"), primary_key=True
    )
    version: Mapped[int] = mapped_column(primary_key=True)
    policy_id: Mapped[Id]
    name: Mapped[Name]
    effective_from: Mapped[Name]  # YYYY-MM
    sha256: Mapped[Digest]
    source: Mapped[str]  # the TOML as it was set, comments and all
    created_at: Mapped[Instant]


class Scorecard(Base):
    __tablename__ = "scorecards"
    __table_args__ = (
        UniqueConstraint("engagement_id", "document_sha256"),
        Index(
            "uq_scorecards_issued",
            "engagement_id",
            "month",
            "revision",
            unique=True,
            sqlite_where=text("revision > 0"),
            postgresql_where=text("revision > 0"),
        ),
    )

    engagement_id: Mapped[Id] = mapped_column(
        ForeignKey("engagements.engagement_id"), primary_key=True
    )
    scorecard_id: Mapped[Id] = mapped_column(primary_key=True)
    month: Mapped[Name]
    as_of: Mapped[Instant]
    status: Mapped[Name]  # provisional, final
    revision: Mapped[int]  # 0: computed, not issued
    policy_version: Mapped[int]  # 0: the default policy of the package
    # {engagement_id: upload_sequence}: which records were known, so that it can be computed again
    known: Mapped[Json]
    # what else was read and may change since: names and aliases of agents, results of checks, and
    # how many reviews there were; null on cards of before this was kept
    basis: Mapped[Json | None]
    # ids of the scorecards of the months before that stand beside it, oldest first; kept so that
    # its pages stay the same when another month is computed again
    history: Mapped[Json]
    records_sha256: Mapped[Digest]
    document_sha256: Mapped[Digest]
    document: Mapped[Json]
    created_at: Mapped[Instant]
