"""What the operators are told of, and what kept months from being closed."""

import sqlalchemy as sa
from alembic import op
from alembic.util import CommandError

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ROLE = "vendorwatch_app"
_OWN = "engagement_id = (SELECT NULLIF(current_setting('vendorwatch.engagement', true), '')::uuid)"
_OPERATOR = "(SELECT NULLIF(current_setting('vendorwatch.operator', true), '')::text) = 'on'"

# Which rows of each table are seen and written. What the operators are told is nobody else's affair.
POLICIES = {"closing_failures": _OWN, "alarms": _OPERATOR}
# All else is only ever added.
_CHANGED = {
    "closing_failures": "times, reason, failed_at",
    "alarms": "state, message_id, attempts, next_attempt_at, leased_until, lease_token, last_reply, "
    "sent_at",
}


def upgrade() -> None:
    op.create_table(
        "closing_failures",
        sa.Column("engagement_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("month", sa.String(length=200), nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("failed_at", sa.BigInteger(), nullable=False),
        _of_engagement("closing_failures"),
        sa.PrimaryKeyConstraint("engagement_id", "month", name="pk_closing_failures"),
    )
    op.create_table(
        "alarms",
        sa.Column("engagement_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("subject_key", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=200), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("raised_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=200), nullable=False),
        sa.Column("message_id", sa.String(length=200), nullable=True),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("next_attempt_at", sa.BigInteger(), nullable=False),
        sa.Column("leased_until", sa.BigInteger(), nullable=True),
        sa.Column("lease_token", sa.String(length=200), nullable=True),
        sa.Column("last_reply", sa.Text(), nullable=True),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        _of_engagement("alarms"),
        sa.PrimaryKeyConstraint("engagement_id", "subject_key", "kind", name="pk_alarms"),
    )
    if op.get_context().dialect.name == "postgresql":
        for table in POLICIES:
            _protect(table)


def downgrade() -> None:
    """Refused while there is something that the operators were told, or are to be told."""
    connection = op.get_bind()
    if op.get_context().dialect.name == "postgresql":  # or else its owner would count no row
        op.execute("ALTER TABLE alarms NO FORCE ROW LEVEL SECURITY")
    count = connection.execute(sa.text("SELECT count(*) FROM alarms")).scalar_one()
    if count:
        raise CommandError(
            f"A downgrade to revision {down_revision} would lose rows (alarms: {count}). "
            "Restore a backup from before the upgrade, or delete them first."
        )
    op.drop_table("alarms")
    op.drop_table("closing_failures")  # found again by the next attempt


def _of_engagement(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["engagement_id"], ["engagements.engagement_id"], name=f"fk_{table}_engagement_id"
    )


def _protect(table: str) -> None:
    """FORCE, because ENABLE alone leaves the owner outside."""
    rows = POLICIES[table]
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    for command, conditions in {
        "select": f"USING ({rows})",
        "insert": f"WITH CHECK ({rows})",
        "update": f"USING ({rows}) WITH CHECK ({rows})",
        "delete": f"USING ({rows})",
    }.items():
        op.execute(
            f"CREATE POLICY {ROLE}_{command} ON {table} FOR {command.upper()} TO {ROLE} {conditions}"
        )
    op.execute(f"GRANT SELECT, INSERT ON {table} TO {ROLE}")
    op.execute(f"GRANT UPDATE ({_CHANGED[table]}) ON {table} TO {ROLE}")
