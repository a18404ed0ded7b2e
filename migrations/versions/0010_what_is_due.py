"""The operator sees what decides what is due, of all engagements at once."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ROLE = "vendorwatch_app"
_OWN = "engagement_id = (SELECT NULLIF(current_setting('vendorwatch.engagement', true), '')::uuid)"
_OPERATOR = "(SELECT NULLIF(current_setting('vendorwatch.operator', true), '')::text) = 'on'"
_TABLES = ("closing_rules", "issuances", "notices", "policies")


def upgrade() -> None:
    _let_see(f"{_OWN} OR {_OPERATOR}")


def downgrade() -> None:
    _let_see(_OWN)


def _let_see(rows: str) -> None:
    if op.get_context().dialect.name == "postgresql":
        for table in _TABLES:
            op.execute(f"ALTER POLICY {ROLE}_select ON {table} USING ({rows})")
