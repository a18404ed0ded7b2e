"""What the statements of this feature share."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.db import models
from vendorwatch.db.scope import Scope


async def rows(
    connection: AsyncConnection, statement: Select[*tuple[object, ...]]
) -> Sequence[RowMapping]:
    return (await connection.execute(statement)).mappings().all()


def by_code_point(connection: AsyncConnection, column: ColumnElement[str]) -> ColumnElement[str]:
    """The databases' own orders of text differ."""
    return column.collate("C" if connection.dialect.name == "postgresql" else "BINARY")


def assigned_checks(scope: Scope) -> Select[str]:
    """Ids of the checks that anybody of the engagement was assigned, excused or not."""
    assignment = models.Assignment
    return select(assignment.check_id).where(
        assignment.engagement_id == scope.engagement_id,
        assignment.merchant_id == scope.merchant_id,
    )
