"""Which code read an upload: the same bytes are known again, whichever process received them."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

INDEX = "ix_uploads_engagement_id_request_sha256"


def upgrade() -> None:
    """Uploads of before say nothing, and are read again when they are sent again."""
    op.add_column("uploads", sa.Column("read_by", sa.LargeBinary(length=32), nullable=True))
    op.create_index(INDEX, "uploads", ["engagement_id", "request_sha256"])


def downgrade() -> None:
    """Nothing is lost: the same logs are merely read again."""
    op.drop_index(INDEX, "uploads")
    op.drop_column("uploads", "read_by")
