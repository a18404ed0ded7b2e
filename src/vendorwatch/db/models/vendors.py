"""Who works for whom."""

from sqlalchemy import ForeignKey, ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from vendorwatch.db.base import Base, Digest, Id, Instant, Json, Name


class Merchant(Base):
    __tablename__ = "merchants"
    __table_args__ = (UniqueConstraint("name"),)

    merchant_id: Mapped[Id] = mapped_column(primary_key=True)
    name: Mapped[Name]
    pseudonym_key: Mapped[Digest]  # what customers and orders are hashed under, with the server's
    created_at: Mapped[Instant]


class Vendor(Base):
    """A vendor as one merchant knows it: two merchants of one firm share nothing, not even an id."""

    __tablename__ = "vendors"
    __table_args__ = (UniqueConstraint("merchant_id", "name"),)

    merchant_id: Mapped[Id] = mapped_column(ForeignKey("merchants.merchant_id"), primary_key=True)
    vendor_id: Mapped[Id] = mapped_column(primary_key=True)
    name: Mapped[Name]
    created_at: Mapped[Instant]


class Engagement(Base):
    __tablename__ = "engagements"
    __table_args__ = (
        UniqueConstraint("merchant_id", "vendor_id"),
        ForeignKeyConstraint(
            ["merchant_id", "vendor_id"], ["vendors.merchant_id", "vendors.vendor_id"]
        ),
    )

    engagement_id: Mapped[Id] = mapped_column(primary_key=True)
    merchant_id: Mapped[Id]
    vendor_id: Mapped[Id]
    time_zone: Mapped[Name]
    upload_sequence: Mapped[int]  # of the newest upload; locked while one is received
    created_at: Mapped[Instant]


class Agent(Base):
    __tablename__ = "agents"

    engagement_id: Mapped[Id] = mapped_column(
        ForeignKey("engagements.engagement_id"), primary_key=True
    )
    agent_id: Mapped[Name] = mapped_column(primary_key=True)
    name: Mapped[Name | None]
    team: Mapped[Name | None]
    started_on: Mapped[str | None]  # YYYY-MM-DD
    ended_on: Mapped[str | None]
    languages: Mapped[Json]  # list of BCP 47 tags
    aliases: Mapped[Json]  # list of ids in other source systems
    on_roster: Mapped[bool]  # false: only seen in an interaction
    created_at: Mapped[Instant]
