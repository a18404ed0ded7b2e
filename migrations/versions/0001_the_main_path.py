"""The main path: who works for whom, what was sent, what was asked, what was scored."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Interactions are spread by engagement, so that one large vendor's rows do not slow the others'
# indexes down. The number cannot be changed without rewriting the table.
PARTITIONS = 16


def upgrade() -> None:
    op.create_table(
        "merchants",
        sa.Column("merchant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("pseudonym_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("merchant_id", name="pk_merchants"),
        sa.UniqueConstraint("name", name="uq_merchants_name"),
    )
    op.create_table(
        "checks",
        sa.Column("merchant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("check_id", sa.String(length=200), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("pass_mark", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("time_limit_seconds", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchants.merchant_id"], name="fk_checks_merchant_id"
        ),
        sa.PrimaryKeyConstraint("merchant_id", "check_id", name="pk_checks"),
    )
    op.create_table(
        "questions",
        sa.Column("merchant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("question_id", sa.String(length=200), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("stem", sa.Text(), nullable=False),
        sa.Column("options", sa.Text(), nullable=False),
        sa.Column("correct", sa.Text(), nullable=False),
        sa.Column("topic", sa.String(length=200), nullable=False),
        sa.Column("product", sa.String(length=200), nullable=True),
        sa.Column("weight", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchants.merchant_id"], name="fk_questions_merchant_id"
        ),
        sa.PrimaryKeyConstraint("merchant_id", "question_id", "version", name="pk_questions"),
    )
    op.create_table(
        "vendors",
        sa.Column("merchant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("vendor_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchants.merchant_id"], name="fk_vendors_merchant_id"
        ),
        sa.PrimaryKeyConstraint("merchant_id", "vendor_id", name="pk_vendors"),
        sa.UniqueConstraint("merchant_id", "name", name="uq_vendors_merchant_id_name"),
    )
    op.create_table(
        "check_questions",
        sa.Column("merchant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("check_id", sa.String(length=200), nullable=False),
        sa.Column("question_id", sa.String(length=200), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["merchant_id", "check_id"],
            ["checks.merchant_id", "checks.check_id"],
            name="fk_check_questions_merchant_id_check_id",
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id", "question_id", "version"],
            ["questions.merchant_id", "questions.question_id", "questions.version"],
            name="fk_check_questions_merchant_id_question_id_version",
        ),
        sa.PrimaryKeyConstraint(
            "merchant_id", "check_id", "question_id", name="pk_check_questions"
        ),
    )
    op.create_table(
        "engagements",
        sa.Column("engagement_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("merchant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("vendor_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("time_zone", sa.String(length=200), nullable=False),
        sa.Column("upload_sequence", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["merchant_id", "vendor_id"],
            ["vendors.merchant_id", "vendors.vendor_id"],
            name="fk_engagements_merchant_id_vendor_id",
        ),
        sa.PrimaryKeyConstraint("engagement_id", name="pk_engagements"),
        sa.UniqueConstraint(
            "merchant_id", "vendor_id", name="uq_engagements_merchant_id_vendor_id"
        ),
    )
    op.create_table(
        "agents",
        sa.Column("engagement_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("agent_id", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=True),
        sa.Column("team", sa.String(length=200), nullable=True),
        sa.Column("started_on", sa.Text(), nullable=True),
        sa.Column("ended_on", sa.Text(), nullable=True),
        sa.Column("languages", sa.Text(), nullable=False),
        sa.Column("aliases", sa.Text(), nullable=False),
        sa.Column("on_roster", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["engagement_id"], ["engagements.engagement_id"], name="fk_agents_engagement_id"
        ),
        sa.PrimaryKeyConstraint("engagement_id", "agent_id", name="pk_agents"),
    )
    op.create_table(
        "api_keys",
        sa.Column("merchant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("key_id", sa.String(length=200), nullable=False),
        sa.Column("engagement_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["engagement_id"], ["engagements.engagement_id"], name="fk_api_keys_engagement_id"
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchants.merchant_id"], name="fk_api_keys_merchant_id"
        ),
        sa.PrimaryKeyConstraint("merchant_id", "key_id", name="pk_api_keys"),
    )
    op.create_index("ix_api_keys_key_id", "api_keys", ["key_id"], unique=False)
    op.create_table(
        "assignments",
        sa.Column("engagement_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("merchant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("check_id", sa.String(length=200), nullable=False),
        sa.Column("agent_id", sa.String(length=200), nullable=False),
        sa.Column("assigned_at", sa.BigInteger(), nullable=False),
        sa.Column("excused", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["engagement_id"], ["engagements.engagement_id"], name="fk_assignments_engagement_id"
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id", "check_id"],
            ["checks.merchant_id", "checks.check_id"],
            name="fk_assignments_merchant_id_check_id",
        ),
        sa.PrimaryKeyConstraint("engagement_id", "check_id", "agent_id", name="pk_assignments"),
    )
    op.create_table(
        "interactions",
        sa.Column("engagement_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("source_account", sa.String(length=200), nullable=False),
        sa.Column("interaction_id", sa.String(length=200), nullable=False),
        sa.Column("content_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("in_force", sa.Boolean(), nullable=False),
        sa.Column("upload_sequence", sa.BigInteger(), nullable=False),
        sa.Column("row_number", sa.BigInteger(), nullable=False),
        sa.Column("source_system", sa.String(length=200), nullable=False),
        sa.Column("source_updated_at", sa.BigInteger(), nullable=True),
        sa.Column("source_url", sa.Text(), nullable=True),
        sa.Column("channel", sa.String(length=200), nullable=False),
        sa.Column("direction", sa.String(length=200), nullable=False),
        sa.Column("status", sa.String(length=200), nullable=False),
        sa.Column("priority", sa.String(length=200), nullable=True),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("first_reply_at", sa.BigInteger(), nullable=True),
        sa.Column("resolved_at", sa.BigInteger(), nullable=True),
        sa.Column("abandoned_at", sa.BigInteger(), nullable=True),
        sa.Column("first_reply_known", sa.Boolean(), nullable=False),
        sa.Column("resolution_known", sa.Boolean(), nullable=False),
        sa.Column("agent_id", sa.String(length=200), nullable=True),
        sa.Column("first_reply_agent_id", sa.String(length=200), nullable=True),
        sa.Column("resolved_by_agent_id", sa.String(length=200), nullable=True),
        sa.Column("resolved_by", sa.String(length=200), nullable=False),
        sa.Column("customer_ref", sa.LargeBinary(length=32), nullable=True),
        sa.Column("order_ref", sa.LargeBinary(length=32), nullable=True),
        sa.Column("topic", sa.String(length=200), nullable=True),
        sa.Column("product", sa.String(length=200), nullable=True),
        sa.Column("language", sa.String(length=200), nullable=True),
        sa.Column("agent_replies", sa.Integer(), nullable=True),
        sa.Column("customer_messages", sa.Integer(), nullable=True),
        sa.Column("reopens", sa.SmallInteger(), nullable=True),
        sa.Column("handovers", sa.SmallInteger(), nullable=True),
        sa.Column("handle_seconds", sa.Integer(), nullable=True),
        sa.Column("csat_invited_at", sa.BigInteger(), nullable=True),
        sa.Column("csat_at", sa.BigInteger(), nullable=True),
        sa.Column("csat", sa.SmallInteger(), nullable=True),
        sa.Column("nps", sa.SmallInteger(), nullable=True),
        sa.Column("vendor_quality", sa.Text(), nullable=True),
        sa.Column("tags", sa.Text(), nullable=True),
        sa.Column("events", sa.Text(), nullable=True),
        sa.Column("claims", sa.Text(), nullable=True),
        sa.Column("extra", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["engagement_id"], ["engagements.engagement_id"], name="fk_interactions_engagement_id"
        ),
        sa.PrimaryKeyConstraint(
            "engagement_id",
            "source_account",
            "interaction_id",
            "content_sha256",
            name="pk_interactions",
        ),
        postgresql_partition_by="HASH (engagement_id)",
    )
    if op.get_context().dialect.name == "postgresql":
        for part in range(PARTITIONS):
            op.execute(
                f"CREATE TABLE interactions_p{part:02} PARTITION OF interactions FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER {part})"
            )
    op.create_index(
        "ix_interactions_opened_at",
        "interactions",
        ["engagement_id", "opened_at"],
        unique=False,
        sqlite_where=sa.text("in_force"),
        postgresql_where=sa.text("in_force"),
    )
    op.create_index(
        "uq_interactions_in_force",
        "interactions",
        ["engagement_id", "source_account", "interaction_id"],
        unique=True,
        sqlite_where=sa.text("in_force"),
        postgresql_where=sa.text("in_force"),
    )
    op.create_table(
        "mappings",
        sa.Column("engagement_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["engagement_id"], ["engagements.engagement_id"], name="fk_mappings_engagement_id"
        ),
        sa.PrimaryKeyConstraint("engagement_id", "version", name="pk_mappings"),
    )
    op.create_table(
        "policies",
        sa.Column("engagement_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("policy_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("effective_from", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["engagement_id"], ["engagements.engagement_id"], name="fk_policies_engagement_id"
        ),
        sa.PrimaryKeyConstraint("engagement_id", "version", name="pk_policies"),
    )
    op.create_table(
        "rejects",
        sa.Column("engagement_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("upload_sequence", sa.BigInteger(), nullable=False),
        sa.Column("row_number", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(length=200), nullable=False),
        sa.Column("line_number", sa.BigInteger(), nullable=False),
        sa.Column("byte_offset", sa.BigInteger(), nullable=False),
        sa.Column("field", sa.Text(), nullable=True),
        sa.Column("code", sa.String(length=200), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("faults", sa.Text(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["engagement_id"], ["engagements.engagement_id"], name="fk_rejects_engagement_id"
        ),
        sa.PrimaryKeyConstraint(
            "engagement_id", "upload_sequence", "row_number", name="pk_rejects"
        ),
    )
    op.create_table(
        "scorecards",
        sa.Column("engagement_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("scorecard_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("month", sa.String(length=200), nullable=False),
        sa.Column("as_of", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=200), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("policy_version", sa.BigInteger(), nullable=False),
        sa.Column("known", sa.Text(), nullable=False),
        sa.Column("history", sa.Text(), nullable=False),
        sa.Column("records_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("document_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["engagement_id"], ["engagements.engagement_id"], name="fk_scorecards_engagement_id"
        ),
        sa.PrimaryKeyConstraint("engagement_id", "scorecard_id", name="pk_scorecards"),
        sa.UniqueConstraint(
            "engagement_id", "document_sha256", name="uq_scorecards_engagement_id_document_sha256"
        ),
    )
    op.create_index(
        "uq_scorecards_issued",
        "scorecards",
        ["engagement_id", "month", "revision"],
        unique=True,
        sqlite_where=sa.text("revision > 0"),
        postgresql_where=sa.text("revision > 0"),
    )
    op.create_table(
        "uploads",
        sa.Column("engagement_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("upload_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("request_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("content_type", sa.String(length=200), nullable=False),
        sa.Column("content_encoding", sa.String(length=200), nullable=False),
        sa.Column("format", sa.String(length=200), nullable=False),
        sa.Column("mapping_version", sa.BigInteger(), nullable=True),
        sa.Column("time_zone", sa.String(length=200), nullable=True),
        sa.Column("mode", sa.String(length=200), nullable=False),
        sa.Column("key_id", sa.String(length=200), nullable=True),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=200), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("revised", sa.BigInteger(), nullable=False),
        sa.Column("duplicate", sa.BigInteger(), nullable=False),
        sa.Column("rejected", sa.BigInteger(), nullable=False),
        sa.Column("skipped", sa.BigInteger(), nullable=False),
        sa.Column("excluded", sa.BigInteger(), nullable=False),
        sa.Column("claims_differ", sa.BigInteger(), nullable=False),
        sa.Column("first_opened_at", sa.BigInteger(), nullable=True),
        sa.Column("last_opened_at", sa.BigInteger(), nullable=True),
        sa.Column("measurable", sa.Text(), nullable=False),
        sa.Column("extra_columns", sa.Text(), nullable=False),
        sa.Column("columns", sa.Text(), nullable=False),
        sa.Column("previous_sha256", sa.LargeBinary(length=32), nullable=True),
        sa.Column("receipt_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["engagement_id"], ["engagements.engagement_id"], name="fk_uploads_engagement_id"
        ),
        sa.PrimaryKeyConstraint("engagement_id", "upload_id", name="pk_uploads"),
        sa.UniqueConstraint(
            "engagement_id", "idempotency_key", name="uq_uploads_engagement_id_idempotency_key"
        ),
        sa.UniqueConstraint("engagement_id", "sequence", name="uq_uploads_engagement_id_sequence"),
    )
    op.create_table(
        "attempts",
        sa.Column("engagement_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("check_id", sa.String(length=200), nullable=False),
        sa.Column("agent_id", sa.String(length=200), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("submitted_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["engagement_id", "check_id", "agent_id"],
            ["assignments.engagement_id", "assignments.check_id", "assignments.agent_id"],
            name="fk_attempts_engagement_id_check_id_agent_id",
        ),
        sa.PrimaryKeyConstraint(
            "engagement_id", "check_id", "agent_id", "number", name="pk_attempts"
        ),
    )
    op.create_table(
        "answers",
        sa.Column("engagement_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("check_id", sa.String(length=200), nullable=False),
        sa.Column("agent_id", sa.String(length=200), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("question_id", sa.String(length=200), nullable=False),
        sa.Column("chosen", sa.Text(), nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["engagement_id", "check_id", "agent_id", "number"],
            ["attempts.engagement_id", "attempts.check_id", "attempts.agent_id", "attempts.number"],
            name="fk_answers_engagement_id_check_id_agent_id_number",
        ),
        sa.PrimaryKeyConstraint(
            "engagement_id", "check_id", "agent_id", "number", "question_id", name="pk_answers"
        ),
    )


def downgrade() -> None:

    op.drop_table("answers")
    op.drop_table("attempts")
    op.drop_table("uploads")
    op.drop_index(
        "uq_scorecards_issued",
        table_name="scorecards",
        sqlite_where=sa.text("revision > 0"),
        postgresql_where=sa.text("revision > 0"),
    )
    op.drop_table("scorecards")
    op.drop_table("rejects")
    op.drop_table("policies")
    op.drop_table("mappings")
    op.drop_index(
        "uq_interactions_in_force",
        table_name="interactions",
        sqlite_where=sa.text("in_force"),
        postgresql_where=sa.text("in_force"),
    )
    op.drop_index(
        "ix_interactions_opened_at",
        table_name="interactions",
        sqlite_where=sa.text("in_force"),
        postgresql_where=sa.text("in_force"),
    )
    op.drop_table("interactions")
    op.drop_table("assignments")
    op.drop_index("ix_api_keys_key_id", table_name="api_keys")
    op.drop_table("api_keys")
    op.drop_table("agents")
    op.drop_table("engagements")
    op.drop_table("check_questions")
    op.drop_table("vendors")
    op.drop_table("questions")
    op.drop_table("checks")
    op.drop_table("merchants")
