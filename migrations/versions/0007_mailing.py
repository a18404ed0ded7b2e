"""Who is written to, and what became of each mail."""

import sqlalchemy as sa
from alembic import op
from alembic.util import CommandError

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ROLE = "vendorwatch_app"
_MERCHANT = "merchant_id = (SELECT NULLIF(current_setting('vendorwatch.merchant', true), '')::uuid)"
_OPERATOR = "(SELECT NULLIF(current_setting('vendorwatch.operator', true), '')::text) = 'on'"
_ITS_OWN = (
    f"engagement_id IN (SELECT own.engagement_id FROM engagements AS own WHERE own.{_MERCHANT})"  # noqa: S608  names of our own
)

# Which rows of each table are seen, and which are written. A vendor sees neither: whom its merchant
# writes to is the merchant's affair. The operator sees where mail waits, and no address.
POLICIES = {
    "recipients": (_MERCHANT, f"{_MERCHANT} AND (engagement_id IS NULL OR {_ITS_OWN})"),
    "deliveries": (f"{_MERCHANT} OR {_OPERATOR}", f"{_MERCHANT} AND {_ITS_OWN}"),
}
_CHANGED = {
    "recipients": "removed_at",
    "deliveries": "state, reason, message_id, attempts, next_attempt_at, leased_until, "
    "lease_token, last_reply, sent_at",
}


def upgrade() -> None:
    op.create_table(
        "recipients",
        sa.Column("merchant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("recipient_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("engagement_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("side", sa.String(length=200), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("language", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("removed_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchants.merchant_id"], name="fk_recipients_merchant_id"
        ),
        sa.ForeignKeyConstraint(
            ["engagement_id"], ["engagements.engagement_id"], name="fk_recipients_engagement_id"
        ),
        sa.PrimaryKeyConstraint("merchant_id", "recipient_id", name="pk_recipients"),
    )
    _create_deliveries()
    if op.get_context().dialect.name == "postgresql":
        for table in POLICIES:
            _protect(table)


def _create_deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("merchant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("delivery_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("engagement_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("scorecard_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("subject_key", sa.String(length=200), nullable=False),
        sa.Column("recipient_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("kind", sa.String(length=200), nullable=False),
        sa.Column("facts", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("message_id", sa.String(length=200), nullable=True),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("next_attempt_at", sa.BigInteger(), nullable=False),
        sa.Column("leased_until", sa.BigInteger(), nullable=True),
        sa.Column("lease_token", sa.String(length=200), nullable=True),
        sa.Column("last_reply", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchants.merchant_id"], name="fk_deliveries_merchant_id"
        ),
        sa.ForeignKeyConstraint(
            ["engagement_id"], ["engagements.engagement_id"], name="fk_deliveries_engagement_id"
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id", "recipient_id"],
            ["recipients.merchant_id", "recipients.recipient_id"],
            name="fk_deliveries_merchant_id_recipient_id",
        ),
        sa.ForeignKeyConstraint(
            ["engagement_id", "scorecard_id"],
            ["scorecards.engagement_id", "scorecards.scorecard_id"],
            name="fk_deliveries_engagement_id_scorecard_id",
        ),
        sa.PrimaryKeyConstraint("merchant_id", "delivery_id", name="pk_deliveries"),
        sa.UniqueConstraint(
            "engagement_id",
            "subject_key",
            "recipient_id",
            "kind",
            name="uq_deliveries_engagement_id_subject_key_recipient_id_kind",
        ),
    )
    op.create_index(
        "ix_deliveries_state_next_attempt_at", "deliveries", ["state", "next_attempt_at"]
    )


def downgrade() -> None:
    """Refused while there is mail or somebody to write to: no earlier revision has a place for it."""
    connection = op.get_bind()
    if op.get_context().dialect.name == "postgresql":
        for table in POLICIES:  # or else whoever owns them would count no row
            op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    rows = {
        table: connection.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608  names of our own
        for table in POLICIES
    }
    lost = [f"{table}: {count}" for table, count in rows.items() if count]
    if lost:
        raise CommandError(
            f"A downgrade to revision {down_revision} would lose rows ({', '.join(lost)}). "
            "Restore a backup from before the upgrade, or delete them first."
        )
    op.drop_table("deliveries")
    op.drop_table("recipients")


def _protect(table: str) -> None:
    """FORCE, because ENABLE alone leaves the owner outside."""
    seen, written = POLICIES[table]
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    for command, conditions in {
        "select": f"USING ({seen})",
        "insert": f"WITH CHECK ({written})",
        "update": f"USING ({written}) WITH CHECK ({written})",
        "delete": f"USING ({written})",
    }.items():
        op.execute(
            f"CREATE POLICY {ROLE}_{command} ON {table} FOR {command.upper()} TO {ROLE} {conditions}"
        )
    op.execute(f"GRANT SELECT, INSERT ON {table} TO {ROLE}")
    op.execute(f"GRANT UPDATE ({_CHANGED[table]}) ON {table} TO {ROLE}")
