"""Months that close by themselves: rules, issuances, and what was noticed."""

import sqlalchemy as sa
from alembic import op
from alembic.util import CommandError

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ROLE = "vendorwatch_app"
_OWN = "engagement_id = (SELECT NULLIF(current_setting('vendorwatch.engagement', true), '')::uuid)"
# All else is only ever added.
_CHANGED = {
    "closing_rules": "approval, late_data, first_month, last_month, updated_at",
    "issuances": "state, issued_at, decided_by, reason, compared_at, differs",
    "notices": "",
}


def upgrade() -> None:
    op.create_table(
        "closing_rules",
        sa.Column("engagement_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("approval", sa.String(length=200), nullable=False),
        sa.Column("late_data", sa.String(length=200), nullable=False),
        sa.Column("first_month", sa.String(length=200), nullable=True),
        sa.Column("last_month", sa.String(length=200), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        _of_engagement("closing_rules"),
        sa.PrimaryKeyConstraint("engagement_id", name="pk_closing_rules"),
    )
    op.create_table(
        "issuances",
        sa.Column("engagement_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("month", sa.String(length=200), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("scorecard_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("frozen_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=200), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", sa.String(length=200), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("is_late", sa.Boolean(), nullable=False),
        sa.Column("changes", sa.Text(), nullable=True),
        sa.Column("compared_at", sa.BigInteger(), nullable=True),
        sa.Column("differs", sa.String(length=200), nullable=True),
        _of_engagement("issuances"),
        sa.ForeignKeyConstraint(
            ["engagement_id", "scorecard_id"],
            ["scorecards.engagement_id", "scorecards.scorecard_id"],
            name="fk_issuances_engagement_id_scorecard_id",
        ),
        sa.PrimaryKeyConstraint("engagement_id", "month", "revision", name="pk_issuances"),
    )
    op.create_table(
        "notices",
        sa.Column("engagement_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("month", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=200), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        _of_engagement("notices"),
        sa.PrimaryKeyConstraint("engagement_id", "month", "kind", name="pk_notices"),
    )
    if op.get_context().dialect.name == "postgresql":
        for table, columns in _CHANGED.items():
            _protect(table, columns)


def downgrade() -> None:
    _refuse_to_lose(op.get_bind())
    for table in reversed(_CHANGED):
        op.drop_table(table)  # its policies and rights go with it


def _of_engagement(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["engagement_id"], ["engagements.engagement_id"], name=f"fk_{table}_engagement_id"
    )


def _protect(table: str, changed: str) -> None:
    """As in 0003: seen and written by the engagement that it belongs to."""
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    for command, conditions in {
        "select": f"USING ({_OWN})",
        "insert": f"WITH CHECK ({_OWN})",
        "update": f"USING ({_OWN}) WITH CHECK ({_OWN})",
        "delete": f"USING ({_OWN})",
    }.items():
        op.execute(
            f"CREATE POLICY {ROLE}_{command} ON {table} FOR {command.upper()} TO {ROLE} {conditions}"
        )
    op.execute(f"GRANT SELECT, INSERT ON {table} TO {ROLE}")
    if changed:
        op.execute(f"GRANT UPDATE ({changed}) ON {table} TO {ROLE}")


def _refuse_to_lose(connection: sa.Connection) -> None:
    counts = {}
    for table in _CHANGED:
        if connection.dialect.name == "postgresql":  # a plain owner would count none
            op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        counts[table] = connection.execute(
            sa.select(sa.func.count()).select_from(sa.table(table))
        ).scalar_one()
    lost = [f"{name}: {count}" for name, count in counts.items() if count]
    if lost:
        raise CommandError(
            f"A downgrade to revision {down_revision} would lose rows ({', '.join(lost)}). "
            "Restore a backup from before the upgrade, or delete them first."
        )
