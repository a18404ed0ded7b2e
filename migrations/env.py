"""Alembic's entry: with the connection that vendorwatch.db.migrate hands over."""

from alembic import context

from vendorwatch.db import models  # noqa: F401  fills the metadata
from vendorwatch.db.base import Base


def is_ours(name: str | None, kind: str, parents: object) -> bool:
    """Partitions of `interactions` are tables to PostgreSQL, and not models to us."""
    return not (kind == "table" and name is not None and name.startswith("interactions_p"))


connection = context.config.attributes.get("connection")
if connection is None:
    raise SystemExit("Run migrations with `vendorwatch db upgrade`.")
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    include_name=is_ours,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_server_default=True,
)
context.run_migrations()
