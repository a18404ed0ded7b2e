"""Warnings about the rows of an upload, as its receipt told them."""

import sqlalchemy as sa
from alembic import op
from alembic.util import CommandError

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Receipts of before told none, and keep their hash."""
    op.add_column("uploads", sa.Column("flags", sa.Text(), nullable=True))


def downgrade() -> None:
    """Refused while a receipt holds one: without it, it would not have its hash any more."""
    connection = op.get_bind()
    is_postgresql = connection.dialect.name == "postgresql"
    if is_postgresql:  # or else its owner would count no row; if this fails, all is as before
        op.execute("ALTER TABLE uploads NO FORCE ROW LEVEL SECURITY")
    count = connection.execute(
        sa.text("SELECT count(*) FROM uploads WHERE flags IS NOT NULL")
    ).scalar_one()
    if count:
        raise CommandError(
            f"A downgrade to revision {down_revision} would lose warnings of receipts "
            f"(uploads: {count}), and the receipts would seem altered. "
            "Restore a backup from before the upgrade, or delete them first."
        )
    if is_postgresql:
        op.execute("ALTER TABLE uploads FORCE ROW LEVEL SECURITY")
    op.drop_column("uploads", "flags")
