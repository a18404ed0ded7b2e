"""What else is scored: replies after the first, the merchant's reviews, withdrawn questions."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from alembic.util import CommandError

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_PAGE = 5000  # rows that are held in memory at once

# Of one engagement, so that PostgreSQL reads one partition, in the order of its primary key.
_READ = """
    SELECT source_account, interaction_id, content_sha256, opened_at, events FROM interactions
    WHERE engagement_id = :engagement_id AND events IS NOT NULL
    {after} ORDER BY source_account, interaction_id, content_sha256 LIMIT :page
"""
_AFTER = """
    AND (source_account, interaction_id, content_sha256)
      > (:source_account, :interaction_id, :content_sha256)
"""
_WRITE_ONE = """
    UPDATE interactions SET next_replies = :found
    WHERE engagement_id = :engagement_id AND source_account = :source_account
    AND interaction_id = :interaction_id AND content_sha256 = :content_sha256
"""
_WRITE_PAGE = """
    UPDATE interactions AS row SET next_replies = derived.found
    FROM unnest(
        CAST(:source_account AS text[]), CAST(:interaction_id AS text[]),
        CAST(:content_sha256 AS bytea[]), CAST(:found AS text[])
    ) AS derived (source_account, interaction_id, content_sha256, found)
    WHERE row.engagement_id = :engagement_id AND row.source_account = derived.source_account
    AND row.interaction_id = derived.interaction_id
    AND row.content_sha256 = derived.content_sha256
"""
# What no earlier revision has a place for, and what can be counted of it.
_ONLY_HERE = {
    "quality_reviews": "SELECT count(*) FROM quality_reviews",
    "rubrics": "SELECT count(*) FROM rubrics",
    "question_withdrawals": "SELECT count(*) FROM question_withdrawals",
    "scorecards with a basis": "SELECT count(*) FROM scorecards WHERE basis IS NOT NULL",
}


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
    _refuse_to_lose(op.get_bind())
    op.drop_table("quality_reviews")
    op.drop_table("rubrics")
    op.drop_table("question_withdrawals")
    op.drop_column("scorecards", "basis")
    op.drop_column("interactions", "next_replies")  # follows from the events


def _refuse_to_lose(connection: sa.Connection) -> None:
    counts = {
        name: connection.execute(sa.text(query)).scalar_one() for name, query in _ONLY_HERE.items()
    }
    lost = [f"{name}: {count}" for name, count in counts.items() if count]
    if lost:
        raise CommandError(
            f"A downgrade to revision {down_revision} would lose rows ({', '.join(lost)}). "
            "Restore a backup from before the upgrade, or delete them first."
        )


def _derive_next_replies(connection: sa.Connection) -> None:
    """Rows that were received before carry their events: what follows from them is the same."""
    if connection.dialect.name == "postgresql":
        # Where it has no statistics yet it would read and sort everything for each page.
        connection.execute(sa.text("SET LOCAL enable_seqscan = off"))
        connection.execute(sa.text("SET LOCAL enable_sort = off"))
    engagements = connection.execute(sa.text("SELECT engagement_id FROM engagements")).scalars()
    for engagement_id in engagements.all():
        for page in _pages(connection, engagement_id):
            derived = [
                {
                    "source_account": row.source_account,
                    "interaction_id": row.interaction_id,
                    "content_sha256": row.content_sha256,
                    "found": json.dumps(
                        list(_runs(json.loads(row.events), row.opened_at)), separators=(",", ":")
                    ),
                }
                for row in page
            ]
            if connection.dialect.name == "postgresql":
                columns = {name: [each[name] for each in derived] for name in derived[0]}
                write = sa.text(_WRITE_PAGE).bindparams(engagement_id=engagement_id)
                connection.execute(write, columns)
            else:
                rows = [each | {"engagement_id": engagement_id} for each in derived]
                connection.execute(sa.text(_WRITE_ONE), rows)
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("RESET enable_seqscan"))
        connection.execute(sa.text("RESET enable_sort"))


def _pages(connection: sa.Connection, engagement_id: object) -> Iterator[Sequence[sa.Row[Any]]]:
    """Those with events, by primary key."""
    place = {"engagement_id": engagement_id, "page": _PAGE}
    after = ""
    while rows := connection.execute(sa.text(_READ.format(after=after)), place).all():
        yield rows
        if len(rows) < _PAGE:
            return
        after = _AFTER
        last = rows[-1]
        place |= {
            "source_account": last.source_account,
            "interaction_id": last.interaction_id,
            "content_sha256": last.content_sha256,
        }


def _runs(events: list[dict[str, Any]], opened_at: int) -> Iterator[list[object]]:
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
