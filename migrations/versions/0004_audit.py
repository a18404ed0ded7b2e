"""What was done to an engagement, by whom: a chain of entries that is only ever added to."""

import sqlalchemy as sa
from alembic import op
from alembic.util import CommandError

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ROLE = "vendorwatch_app"
# As in 0003: read once for a statement, and '' after a transaction.
_ENGAGEMENT = (
    "engagement_id = (SELECT NULLIF(current_setting('vendorwatch.engagement', true), '')::uuid)"
)


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("engagement_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.String(length=200), nullable=False),
        sa.Column("key_id", sa.String(length=200), nullable=True),
        sa.Column("request_id", sa.String(length=200), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("previous_sha256", sa.LargeBinary(length=32), nullable=True),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["engagement_id"], ["engagements.engagement_id"], name="fk_audit_engagement_id"
        ),
        sa.PrimaryKeyConstraint("engagement_id", "sequence", name="pk_audit"),
    )
    op.create_table(
        "audit_heads",
        sa.Column("engagement_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["engagement_id"], ["engagements.engagement_id"], name="fk_audit_heads_engagement_id"
        ),
        sa.PrimaryKeyConstraint("engagement_id", name="pk_audit_heads"),
    )
    if op.get_context().dialect.name == "postgresql":
        for table in ("audit", "audit_heads"):
            _protect(table)
        op.execute(f"GRANT UPDATE (sequence) ON audit_heads TO {ROLE}")


def downgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        # Or else a plain owner would see no rows, and drop them; if this fails, all is as before.
        op.execute("ALTER TABLE audit NO FORCE ROW LEVEL SECURITY")
    count = op.get_bind().execute(sa.text("SELECT count(*) FROM audit")).scalar_one()
    if count:
        raise CommandError(
            f"A downgrade to revision {down_revision} would lose rows (audit: {count}). "
            "Restore a backup from before the upgrade, or delete them first."
        )
    op.drop_table("audit_heads")
    op.drop_table("audit")


def _protect(table: str) -> None:
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    for command, conditions in {
        "select": f"USING ({_ENGAGEMENT})",
        "insert": f"WITH CHECK ({_ENGAGEMENT})",
        "update": f"USING ({_ENGAGEMENT}) WITH CHECK ({_ENGAGEMENT})",
        "delete": f"USING ({_ENGAGEMENT})",
    }.items():
        op.execute(
            f"CREATE POLICY {ROLE}_{command} ON {table} FOR {command.upper()} TO {ROLE} {conditions}"
        )
    op.execute(f"GRANT SELECT, INSERT ON {table} TO {ROLE}")
