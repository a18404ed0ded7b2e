"""What the operators are told of."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from vendorwatch.db.base import Base, Id, Instant, Name


class Alarm(Base):
    """At most one of a kind and subject. Those that the operators are told of in one mail have one
    message_id.
    """

    __tablename__ = "alarms"

    engagement_id: Mapped[Id] = mapped_column(
        ForeignKey("engagements.engagement_id"), primary_key=True
    )
    subject_key: Mapped[Name] = mapped_column(primary_key=True)  # a month, or a delivery's id
    kind: Mapped[Name] = mapped_column(primary_key=True)
    since: Mapped[Instant]  # when it was due
    reason: Mapped[str | None]  # the last error, as far as it was known when the alarm was raised
    raised_at: Mapped[Instant]
    state: Mapped[Name]  # as in deliveries, and so is what follows
    message_id: Mapped[Name | None]
    attempts: Mapped[int]
    next_attempt_at: Mapped[Instant]
    leased_until: Mapped[Instant | None]
    lease_token: Mapped[Name | None]
    last_reply: Mapped[str | None]
    sent_at: Mapped[Instant | None]
