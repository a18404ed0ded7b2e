"""What the statements of this feature share."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection


async def rows(
    connection: AsyncConnection, statement: Select[*tuple[object, ...]]
) -> Sequence[RowMapping]:
    return (await connection.execute(statement)).mappings().all()


def by_code_point(connection: AsyncConnection, column: ColumnElement[str]) -> ColumnElement[str]:
    """The databases' own orders of text differ."""
    return column.collate("C" if connection.dialect.name == "postgresql" else "BINARY")
