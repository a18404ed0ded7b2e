"""What else is scored: replies after the first, the merchant's reviews, withdrawn questions."""

import json
from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_KEY = ("engagement_id", "source_account", "interaction_id", "content_sha256")
_CHUNK = 1000


def upgrade() -> None:
    op.add_column("interactions", sa.Column("next_replies", sa.Text(), nullable=True))
    op.add_column("scorecards", sa.Column("basis", sa.Text(), nullable=True))
    op.create_table(
        "question_withdrawals",
        sa.Column("merchant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("question_id", sa.String(length=200), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["merchant_id", "question_id", "version"],
            ["questions.merchant_id", "questions.question_id", "questions.version"],
            name="fk_question_withdrawals_merchant_id_question_id_version",
        ),
        sa.PrimaryKeyConstraint(
            "merchant_id", "question_id", "version", name="pk_question_withdrawals"
        ),
    )
    op.create_table(
        "rubrics",
        sa.Column("merchant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("rubric_id", sa.String(length=200), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("criteria", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchants.merchant_id"], name="fk_rubrics_merchant_id"
        ),
        sa.PrimaryKeyConstraint("merchant_id", "rubric_id", "version", name="pk_rubrics"),
    )
    op.create_table(
        "quality_reviews",
        sa.Column("engagement_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("review_id", sa.String(length=200), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("merchant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("source_account", sa.String(length=200), nullable=False),
        sa.Column("interaction_id", sa.String(length=200), nullable=False),
        sa.Column("rubric_id", sa.String(length=200), nullable=False),
        sa.Column("rubric_version", sa.BigInteger(), nullable=False),
        sa.Column("reviewer", sa.String(length=200), nullable=False),
        sa.Column("sampling", sa.String(length=200), nullable=False),
        sa.Column("scores", sa.Text(), nullable=False),
        sa.Column("share", sa.String(length=200), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("reviewed_at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["engagement_id"],
            ["engagements.engagement_id"],
            name="fk_quality_reviews_engagement_id",
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id", "rubric_id", "rubric_version"],
            ["rubrics.merchant_id", "rubrics.rubric_id", "rubrics.version"],
            name="fk_quality_reviews_merchant_id_rubric_id_rubric_version",
        ),
        sa.PrimaryKeyConstraint(
            "engagement_id", "review_id", "revision", name="pk_quality_reviews"
        ),
        sa.UniqueConstraint(
            "engagement_id", "sequence", name="uq_quality_reviews_engagement_id_sequence"
        ),
    )
    _derive_next_replies(op.get_bind())


def downgrade() -> None:
    op.drop_table("quality_reviews")
    op.drop_table("rubrics")
    op.drop_table("question_withdrawals")
    op.drop_column("scorecards", "basis")
    op.drop_column("interactions", "next_replies")


def _derive_next_replies(connection: sa.Connection) -> None:
    """Rows that were received before carry their events: what follows from them is the same."""
    table = sa.table(
        "interactions",
        *(sa.column(name) for name in _KEY),
        sa.column("opened_at"),
        sa.column("events"),
        sa.column("next_replies"),
    )
    key = [table.c[name] for name in _KEY]
    update = (
        sa.update(table)
        .where(*(table.c[name] == sa.bindparam(f"of_{name}") for name in _KEY))
        .values(next_replies=sa.bindparam("found"))
    )
    rows = connection.execute(
        sa.select(*key, table.c.opened_at, table.c.events).where(table.c.events.is_not(None))
    ).all()
    for first in range(0, len(rows), _CHUNK):
        connection.execute(
            update,
            [
                {
                    **{f"of_{name}": value for name, value in zip(_KEY, row, strict=False)},
                    "found": json.dumps(
                        list(_runs(json.loads(row.events), row.opened_at)), separators=(",", ":")
                    ),
                }
                for row in rows[first : first + _CHUNK]
            ],
        )


def _runs(events: list[dict[str, object]], opened_at: int) -> Iterator[list[object]]:
    """As the code derived them when this migration was written."""
    asked, replied = None, False
    for event in sorted(events, key=lambda event: event["at"]):
        if event["type"] != "message" or event.get("public") is False or event["at"] < opened_at:
            continue
        if event["actor"] == "agent":
            if asked is not None:
                yield [asked, event["at"]]
            asked, replied = None, True
        elif event["actor"] == "customer" and replied and asked is None:
            asked = event["at"]
    if asked is not None:
        yield [asked, None]
