"""What the merchant counted itself."""

from datetime import date

from sqlalchemy import Date, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from vendorwatch.db.base import Base, Id, Instant, Name


class ContactCount(Base):
    """The rows of a day with its highest revision count, all together."""

    __tablename__ = "contact_counts"

    engagement_id: Mapped[Id] = mapped_column(
        ForeignKey("engagements.engagement_id"), primary_key=True
    )
    day: Mapped[date] = mapped_column(Date, primary_key=True)  # in the engagement's time zone
    revision: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[Name] = mapped_column(primary_key=True)  # empty: all of them
    contacts: Mapped[int]
    created_at: Mapped[Instant]
