"""Who may call."""

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from vendorwatch.db.base import Base, Digest, Id, Instant, Json, Name


class ApiKey(Base):
    __tablename__ = "api_keys"
    # Found by key_id before the tenant is known; the id is random, so the index need not be unique
    # (a unique constraint without the tenant would tell a rival that an id exists).
    __table_args__ = (Index(None, "key_id"),)

    merchant_id: Mapped[Id] = mapped_column(ForeignKey("merchants.merchant_id"), primary_key=True)
    key_id: Mapped[Name] = mapped_column(primary_key=True)
    engagement_id: Mapped[Id] = mapped_column(ForeignKey("engagements.engagement_id"))
    secret_hash: Mapped[Digest]
    scopes: Mapped[Json]  # sorted list
    created_at: Mapped[Instant]
    expires_at: Mapped[Instant | None]
    last_used_at: Mapped[Instant | None]
    revoked_at: Mapped[Instant | None]
