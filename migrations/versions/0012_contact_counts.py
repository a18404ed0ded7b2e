"""What the merchant counted itself, to be held against the log."""

import sqlalchemy as sa
from alembic import op
from alembic.util import CommandError

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ROLE = "vendorwatch_app"
TABLE = "contact_counts"
_OWN = "engagement_id = (SELECT NULLIF(current_setting('vendorwatch.engagement', true), '')::uuid)"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("engagement_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.String(length=200), nullable=False),
        sa.Column("contacts", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["engagement_id"], ["engagements.engagement_id"], name=f"fk_{TABLE}_engagement_id"
        ),
        sa.PrimaryKeyConstraint("engagement_id", "day", "revision", "channel", name=f"pk_{TABLE}"),
    )
    if op.get_context().dialect.name == "postgresql":
        _protect()


def downgrade() -> None:
    """Refused while the merchant has said anything: nobody else knows it."""
    connection = op.get_bind()
    if op.get_context().dialect.name == "postgresql":  # or else its owner would count no row
        op.execute(f"ALTER TABLE {TABLE} NO FORCE ROW LEVEL SECURITY")
    count = connection.execute(sa.text("SELECT count(*) FROM contact_counts")).scalar_one()
    if count:
        raise CommandError(
            f"A downgrade to revision {down_revision} would lose rows ({TABLE}: {count}). "
            "Restore a backup from before the upgrade, or delete them first."
        )
    op.drop_table(TABLE)


def _protect() -> None:
    """FORCE, because ENABLE alone leaves the owner outside. Rows are only ever added."""
    op.execute(f"ALTER TABLE {TABLE} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {TABLE} FORCE ROW LEVEL SECURITY")
    for command, conditions in {
        "select": f"USING ({_OWN})",
        "insert": f"WITH CHECK ({_OWN})",
        "update": f"USING ({_OWN}) WITH CHECK ({_OWN})",
        "delete": f"USING ({_OWN})",
    }.items():
        op.execute(
            f"CREATE POLICY {ROLE}_{command} ON {TABLE} FOR {command.upper()} TO {ROLE} {conditions}"
        )
    op.execute(f"GRANT SELECT, INSERT ON {TABLE} TO {ROLE}")
