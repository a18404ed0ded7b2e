"""Addresses to which mail never arrives."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ROLE = "vendorwatch_app"


def upgrade() -> None:
    op.add_column("recipients", sa.Column("bounced_at", sa.BigInteger(), nullable=True))
    if op.get_context().dialect.name == "postgresql":
        op.execute(f"GRANT UPDATE (bounced_at) ON recipients TO {ROLE}")


def downgrade() -> None:
    """Nothing is lost: the next mail to such an address bounces again."""
    op.drop_column("recipients", "bounced_at")
