"""What a month's reading takes from PostgreSQL as one number, kept as one."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# As vendorwatch.scorecards.reading.together takes it apart: each column's first bit, and what may
# stand there as of this revision.
_FEW = {
    "channel": (
        0,
        "text",
        "email web_form chat messaging phone sms social marketplace review bot other",
    ),
    "direction": (4, "text", "inbound outbound"),
    "status": (
        6,
        "text",
        "open pending on_hold resolved closed abandoned merged spam withdrawn",
    ),
    "priority": (10, "text", "low normal high urgent"),
    "first_reply_known": (13, "boolean", "false true"),
    "resolution_known": (15, "boolean", "false true"),
    "resolved_by": (17, "text", "agent customer automation unknown"),
    "csat": (54, "smallint", "1 2 3 4 5"),
}
_COUNTS = {"reopens": 20, "handovers": 37}  # of two bytes


def upgrade() -> None:
    """Writes the table anew."""
    if op.get_context().dialect.name == "postgresql":
        op.execute(
            "ALTER TABLE interactions "
            f"ADD COLUMN packed BIGINT GENERATED ALWAYS AS ({' | '.join(_bits())}) STORED"
        )


def downgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        op.execute("ALTER TABLE interactions DROP COLUMN packed")


def _bits():
    """0 is null. What may not stand there has no position, and the whole number is null then."""
    for name, (at, kind, values) in _FEW.items():
        known = f"'{{NULL,{','.join(values.split())}}}'::{kind}[]"
        yield f"((array_position({known}, {name}::{kind}) - 1)::bigint << {at})"
    for name, at in _COUNTS.items():
        yield f"COALESCE(({name} + 32769)::bigint << {at}, 0)"  # 1 at least
