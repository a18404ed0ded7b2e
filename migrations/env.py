"""Alembic's entry: with the connection that vendorwatch.db.migrate hands over."""

from alembic import context

from vendorwatch.db import migrate, models  # noqa: F401  the models fill the metadata
from vendorwatch.db.base import Base

connection = context.config.attributes.get("connection")
if connection is None:
    raise SystemExit("Run migrations with `vendorwatch db upgrade`.")
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    include_name=migrate.is_in_the_models,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_server_default=True,
)
context.run_migrations()
