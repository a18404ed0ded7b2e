"""The set-based way from an upload's rows into `interactions`.

Rows go into a temporary table first, so that a million of them cost a handful of round trips and
the work grows with the upload, not with the table. The temporary tables live as long as their
connection and are empty between uploads: making them anew each time would cost a small upload more
than its rows.
"""

from collections.abc import Sequence

import psycopg
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Insert,
    Integer,
    MetaData,
    Subquery,
    Table,
    Update,
    and_,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.schema import CreateTable

from vendorwatch.db.engine import DatabaseUnavailable
from vendorwatch.db.scope import Scope
from vendorwatch.interactions.model import Cell, Effect

_BY_UPLOAD = ("engagement_id", "in_force", "upload_sequence")  # known or decided on insertion
_STATISTICS_FROM = 500  # rows; fewer need no statistics for a good plan
BEFORE_ALL_TIME = -(2**62)  # a revision without source_updated_at gives way to any with one

# Written out because SQLAlchemy says `in_force = 1` on SQLite, which does not match the condition
# of the partial indexes.
IN_FORCE = text("interactions.in_force")


async def load(
    connection: AsyncConnection,
    table: str,
    columns: Sequence[str],
    rows: Sequence[tuple[Cell, ...]],
) -> None:
    """Appends `rows` by the fastest way that the engine has."""
    if not rows:
        return
    names = ", ".join(f'"{name}"' for name in columns)
    if connection.dialect.name != "postgresql":
        marks = ", ".join("?" * len(columns))
        statement = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608  our own names
        await connection.exec_driver_sql(statement, list(rows))
        return
    raw = await connection.get_raw_connection()
    driver = raw.driver_connection
    assert isinstance(driver, psycopg.AsyncConnection)  # noqa: S101  the one driver that we use
    try:
        async with (
            driver.cursor() as cursor,
            cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy,
        ):
            for row in rows:
                await copy.write_row(row)
    except psycopg.OperationalError as error:  # not seen by SQLAlchemy, which would translate it
        raise DatabaseUnavailable(
            "The database did not answer; nothing was stored. Try again.", retry_after_seconds=5
        ) from error


async def _advise_planner(connection: AsyncConnection, table: Table, rows: int) -> None:
    """PostgreSQL knows nothing of a temporary table until it is told."""
    if connection.dialect.name != "postgresql":
        return
    if rows >= _STATISTICS_FROM:
        await connection.execute(text(f"ANALYZE {table.name}"))
    else:
        # Statistics of a fast growing table lag behind, and then a few rows are looked for by
        # reading all of the engagement's.
        await connection.execute(text("SET LOCAL enable_hashjoin = off"))
        await connection.execute(text("SET LOCAL enable_mergejoin = off"))


class Staging:
    """For the table `interactions`; `columns` are the cells of a row that is to be staged."""

    def __init__(self, interactions: Table, columns: tuple[str, ...]) -> None:
        self._all = interactions
        self.columns = columns
        carried = [interactions.c[name] for name in columns]
        temporary = MetaData()
        self._staged = Table(
            "staged_interactions",
            temporary,
            *(Column(c.name, c.type, nullable=c.nullable) for c in carried),
            prefixes=["TEMPORARY"],
            postgresql_on_commit="DELETE ROWS",
        )
        self._fresh = Table(
            "fresh_interactions",
            temporary,
            Column("row_number", Integer, primary_key=True),
            Column("source_account", interactions.c.source_account.type, nullable=False),
            Column("interaction_id", interactions.c.interaction_id.type, nullable=False),
            Column("known", Boolean, nullable=False),  # there before this upload
            Column("in_force", Boolean, nullable=False),
            prefixes=["TEMPORARY"],
            postgresql_on_commit="DELETE ROWS",
        )

    async def prepare(self, connection: AsyncConnection) -> None:
        for table in (self._staged, self._fresh):
            await connection.execute(CreateTable(table, if_not_exists=True))
            await connection.execute(delete(table))

    async def add(self, connection: AsyncConnection, rows: Sequence[tuple[Cell, ...]]) -> None:
        await load(connection, self._staged.name, self.columns, rows)

    async def apply(
        self, connection: AsyncConnection, scope: Scope, *, sequence: int, staged: int
    ) -> Effect:
        """Moves what was staged into the table as upload `sequence`; says what the rows were."""
        await _advise_planner(connection, self._staged, staged)
        await connection.execute(self._find_fresh(scope))
        await _advise_planner(connection, self._fresh, staged)
        await connection.execute(self._retire_beaten(scope))
        await connection.execute(self._insert_fresh(scope, sequence))
        effect = await self._effect(connection, staged)
        for table in (self._staged, self._fresh):
            await connection.execute(delete(table))
        return effect

    def _copies(self, scope: Scope) -> Subquery:
        """Keys of the rows that the table has not; `copy` counts equal rows of the file."""
        staged, interactions = self._staged.c, self._all.c
        there = exists().where(
            interactions.engagement_id == scope.engagement_id,
            interactions.source_account == staged.source_account,
            interactions.interaction_id == staged.interaction_id,
            interactions.content_sha256 == staged.content_sha256,
        )
        copy = func.row_number().over(
            partition_by=[staged.source_account, staged.interaction_id, staged.content_sha256],
            order_by=staged.row_number,
        )
        return (
            select(
                staged.row_number,
                staged.source_account,
                staged.interaction_id,
                func.coalesce(staged.source_updated_at, BEFORE_ALL_TIME).label("updated_at"),
                copy.label("copy"),
            )
            .where(~there)
            .subquery("copies")
        )

    def _find_fresh(self, scope: Scope) -> Insert:
        """Narrow rows of what is new, each with whether it comes into force.

        A row is not new if the same revision is in the table, or earlier in the same file. The
        window functions sort keys only, never whole rows.
        """
        copies, rival = self._copies(scope).c, self._all.c
        newest = (
            func.row_number().over(
                partition_by=[copies.source_account, copies.interaction_id],
                order_by=[copies.updated_at.desc(), copies.row_number.desc()],
            )
            == 1
        )
        # On a tie, the later upload wins.
        beats = or_(
            rival.interaction_id.is_(None),
            copies.updated_at >= func.coalesce(rival.source_updated_at, BEFORE_ALL_TIME),
        )
        is_rival = and_(
            rival.engagement_id == scope.engagement_id,
            rival.source_account == copies.source_account,
            rival.interaction_id == copies.interaction_id,
            IN_FORCE,
        )
        fresh = (
            select(
                copies.row_number,
                copies.source_account,
                copies.interaction_id,
                rival.interaction_id.is_not(None),
                and_(newest, beats),
            )
            .select_from(copies.row_number.table.outerjoin(self._all, is_rival))
            .where(copies.copy == 1)
        )
        return insert(self._fresh).from_select([c.name for c in self._fresh.columns], fresh)

    def _retire_beaten(self, scope: Scope) -> Update:
        fresh, interactions = self._fresh.c, self._all.c
        beaten = select(fresh.source_account, fresh.interaction_id).where(
            fresh.known, fresh.in_force
        )
        return (
            update(self._all)
            .where(
                interactions.engagement_id == scope.engagement_id,
                tuple_(interactions.source_account, interactions.interaction_id).in_(beaten),
                IN_FORCE,
            )
            .values(in_force=False)
        )

    def _insert_fresh(self, scope: Scope, sequence: int) -> Insert:
        rows = select(
            literal(scope.engagement_id, self._all.c.engagement_id.type),
            self._fresh.c.in_force,
            literal(sequence, BigInteger),
            *(self._staged.c[name] for name in self.columns),
        ).join_from(
            self._staged, self._fresh, self._fresh.c.row_number == self._staged.c.row_number
        )
        return insert(self._all).from_select([*_BY_UPLOAD, *self.columns], rows)

    async def _effect(self, connection: AsyncConnection, staged: int) -> Effect:
        fresh = self._fresh.c
        # Of an interaction that was not there, exactly one row comes into force.
        created = func.count().filter(~fresh.known, fresh.in_force)
        found = (
            await connection.execute(select(func.count(), created).select_from(self._fresh))
        ).one()
        new, first = int(found[0]), int(found[1])
        return Effect(created=first, revised=new - first, duplicate=staged - new)
