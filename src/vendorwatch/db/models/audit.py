"""What was done, by whom."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from vendorwatch.db.base import Base, Digest, Id, Instant, Json, Name


class AuditEntry(Base):
    """Only ever added to."""

    __tablename__ = "audit"

    engagement_id: Mapped[Id] = mapped_column(
        ForeignKey("engagements.engagement_id"), primary_key=True
    )
    sequence: Mapped[int] = mapped_column(primary_key=True)
    created_at: Mapped[Instant]
    action: Mapped[Name]
    key_id: Mapped[Name | None]  # null: a command
    request_id: Mapped[Name | None]
    detail: Mapped[Json]
    previous_sha256: Mapped[Digest | None]
    sha256: Mapped[Digest]


class AuditHead(Base):
    """How many entries there are. A row of its own, and not a column of the engagement: that one is
    locked while an upload is stored, and a key must be revoked meanwhile.
    """

    __tablename__ = "audit_heads"

    engagement_id: Mapped[Id] = mapped_column(
        ForeignKey("engagements.engagement_id"), primary_key=True
    )
    sequence: Mapped[int]
