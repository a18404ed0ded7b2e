"""What vendors sent: uploads, every revision of every interaction, and what was refused."""

from sqlalchemy import ForeignKey, Index, Integer, LargeBinary, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from vendorwatch.db.base import Base, Digest, Id, Instant, Json, Name


class Upload(Base):
    __tablename__ = "uploads"
    __table_args__ = (
        UniqueConstraint("engagement_id", "sequence"),
        UniqueConstraint("engagement_id", "idempotency_key"),
        Index(None, "engagement_id", "request_sha256"),
    )

    engagement_id: Mapped[Id] = mapped_column(
        ForeignKey("engagements.engagement_id"), primary_key=True
    )
    upload_id: Mapped[Id] = mapped_column(primary_key=True)
    sequence: Mapped[int]  # 1, 2, 3 ... within the engagement
    # where every row was refused, the key and request_sha256: the same log again is a replay, and
    # a mended one may use the key (null in rows of before that)
    idempotency_key: Mapped[str | None]
    request_sha256: Mapped[Digest]  # body and parameters: tells a replay from a reused key
    sha256: Mapped[Digest]  # of the body as received; names the object that holds it
    size_bytes: Mapped[int]
    content_type: Mapped[Name]
    content_encoding: Mapped[Name]
    format: Mapped[Name]
    mapping_version: Mapped[int | None]
    time_zone: Mapped[Name | None]
    mode: Mapped[Name]
    key_id: Mapped[Name | None]
    received_at: Mapped[Instant]
    status: Mapped[Name]
    received: Mapped[int]
    created: Mapped[int]
    revised: Mapped[int]
    duplicate: Mapped[int]
    rejected: Mapped[int]
    skipped: Mapped[int]
    excluded: Mapped[int]
    claims_differ: Mapped[int]
    first_opened_at: Mapped[Instant | None]
    last_opened_at: Mapped[Instant | None]
    measurable: Mapped[Json]  # ids of the metrics that the upload's fields can support
    extra_columns: Mapped[Json]
    flags: Mapped[Json | None]  # warnings about its rows, as they were told; null where none was
    columns: Mapped[Json]  # header of a CSV upload, else []: rejects keep the original columns
    previous_sha256: Mapped[Digest | None]  # of the receipt before
    receipt_sha256: Mapped[Digest]
    # which code read it, under which secrets; null where that was not written down yet
    read_by: Mapped[Digest | None]


class Interaction(Base):
    """One revision of one interaction, as a vendor sent it; rows are only ever added.

    `in_force` is the one exception: it marks, for each interaction, the revision with the newest
    (source_updated_at, upload, row).

    PostgreSQL generates one more column, `packed`: see scorecards.reading.together.
    """

    __tablename__ = "interactions"
    __table_args__ = (
        Index(
            "uq_interactions_in_force",
            "engagement_id",
            "source_account",
            "interaction_id",
            unique=True,
            sqlite_where=text("in_force"),
            postgresql_where=text("in_force"),
        ),
        Index(
            "ix_interactions_opened_at",
            "engagement_id",
            "opened_at",
            sqlite_where=text("in_force"),
            postgresql_where=text("in_force"),
        ),
        {"postgresql_partition_by": "HASH (engagement_id)"},
    )

    engagement_id: Mapped[Id] = mapped_column(
        ForeignKey("engagements.engagement_id"), primary_key=True
    )
    source_account: Mapped[Name] = mapped_column(primary_key=True)
    interaction_id: Mapped[Name] = mapped_column(primary_key=True)
    content_sha256: Mapped[Digest] = mapped_column(primary_key=True)
    in_force: Mapped[bool]
    upload_sequence: Mapped[int]
    row_number: Mapped[int]
    source_system: Mapped[Name]
    source_updated_at: Mapped[Instant | None]
    source_url: Mapped[str | None]
    channel: Mapped[Name]
    direction: Mapped[Name]
    status: Mapped[Name]
    priority: Mapped[Name | None]
    opened_at: Mapped[Instant]
    first_reply_at: Mapped[Instant | None]
    resolved_at: Mapped[Instant | None]
    abandoned_at: Mapped[Instant | None]
    # false: the source has no such field at all, so its absence says nothing about the vendor
    first_reply_known: Mapped[bool]
    resolution_known: Mapped[bool]
    agent_id: Mapped[Name | None]
    first_reply_agent_id: Mapped[Name | None]
    resolved_by_agent_id: Mapped[Name | None]
    resolved_by: Mapped[Name]
    customer_ref: Mapped[Digest | None]  # HMAC-SHA-256, never the reference itself
    order_ref: Mapped[Digest | None]
    topic: Mapped[Name | None]
    product: Mapped[Name | None]
    language: Mapped[Name | None]
    agent_replies: Mapped[int | None] = mapped_column(Integer)
    customer_messages: Mapped[int | None] = mapped_column(Integer)
    reopens: Mapped[int | None] = mapped_column(SmallInteger)
    handovers: Mapped[int | None] = mapped_column(SmallInteger)
    handle_seconds: Mapped[int | None] = mapped_column(Integer)
    csat_invited_at: Mapped[Instant | None]
    csat_at: Mapped[Instant | None]
    csat: Mapped[int | None] = mapped_column(SmallInteger)
    nps: Mapped[int | None] = mapped_column(SmallInteger)
    vendor_quality: Mapped[str | None]  # a decimal as text, exactly as sent
    tags: Mapped[Json | None]
    events: Mapped[Json | None]
    # [[asked_at, answered_at or null], ...] as the events tell; null where there are none
    next_replies: Mapped[Json | None]
    claims: Mapped[Json | None]  # fields whose value disagreed with the events: what was claimed
    extra: Mapped[Json | None]


class Reject(Base):
    """A row that was refused, or skipped as its mapping says, byte for byte."""

    __tablename__ = "rejects"

    engagement_id: Mapped[Id] = mapped_column(
        ForeignKey("engagements.engagement_id"), primary_key=True
    )
    upload_sequence: Mapped[int] = mapped_column(primary_key=True)
    row_number: Mapped[int] = mapped_column(primary_key=True)
    outcome: Mapped[Name]  # rejected, skipped
    line_number: Mapped[int]
    byte_offset: Mapped[int]
    field: Mapped[str | None]
    code: Mapped[Name]
    message: Mapped[str]
    faults: Mapped[Json]  # every fault of the row; field, code and message are the first one's
    raw: Mapped[bytes] = mapped_column(LargeBinary)


class Mapping(Base):
    __tablename__ = "mappings"

    engagement_id: Mapped[Id] = mapped_column(
        ForeignKey("engagements.engagement_id"), primary_key=True
    )
    version: Mapped[int] = mapped_column(primary_key=True)
    sha256: Mapped[Digest]
    source: Mapped[str]  # the TOML as it was set, comments and all
    created_at: Mapped[Instant]
