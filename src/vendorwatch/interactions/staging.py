"""The set-based way from an upload's rows into `interactions`, `rejects` and `agents`.

Rows go into temporary tables first, so that a million of them cost a handful of round trips and
the work grows with the upload, not with the table. The temporary tables live as long as their
connection and are empty between uploads: making them anew each time would cost a small upload more
than its rows.
"""

from functools import cached_property
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Delete,
    Insert,
    Integer,
    MetaData,
    Select,
    Subquery,
    Table,
    Update,
    Uuid,
    and_,
    bindparam,
    delete,
    exists,
    false,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.schema import CreateTable

from vendorwatch.db.scope import Scope
from vendorwatch.interactions.batches import Batch
from vendorwatch.interactions.loading import load
from vendorwatch.interactions.model import Effect, NotConserved
from vendorwatch.periods import Micros

_BY_UPLOAD = ("engagement_id", "in_force", "upload_sequence")  # known or decided on insertion
_COMPARED = ("source_account", "interaction_id", "content_sha256", "row_number")
_STATISTICS_FROM = 500  # rows; fewer need no statistics for a good plan
BEFORE_ALL_TIME = -(2**62)  # a revision without source_updated_at gives way to any with one

# Written out because SQLAlchemy says `in_force = 1` on SQLite, which does not match the condition
# of the partial indexes.
IN_FORCE = text("interactions.in_force")

# Statements are put together once: that costs more than a few rows do.
_NESTED_LOOPS = select(
    *(func.set_config(name, "off", True) for name in ("enable_hashjoin", "enable_mergejoin"))
)
_OWNER = bindparam("owner", type_=Uuid(as_uuid=False))
_SEQUENCE = bindparam("sequence", type_=BigInteger)
_NOW = bindparam("now", type_=BigInteger)


class Staging:
    """For the tables `interactions`, `rejects` and `agents`; `columns` and `reject_columns` are the
    cells of what is staged for the first two.

    `lasting`: what is staged outlives its transaction, and goes with its connection; for files that
    take long to read.
    """

    def __init__(
        self,
        interactions: Table,
        columns: tuple[str, ...],
        rejects: Table,
        reject_columns: tuple[str, ...],
        agents: Table,
        *,
        lasting: bool,
    ) -> None:
        self._all = interactions
        self._rejects = rejects
        self._agents = agents
        self.columns = columns
        self.reject_columns = reject_columns
        self._lasting = lasting
        self.name = "lasting" if lasting else "brief"
        self._metadata = MetaData()
        self._staged = self._temporary("staged_interactions", interactions, columns)
        self._refused = self._temporary("staged_rejects", rejects, reject_columns)
        self._seen = self._temporary("staged_agents", agents, ("agent_id",))
        self._fresh = self._table(
            "fresh_interactions",
            Column("row_number", Integer, primary_key=True),
            Column("source_account", interactions.c.source_account.type, nullable=False),
            Column("interaction_id", interactions.c.interaction_id.type, nullable=False),
            Column("known", Boolean, nullable=False),  # there before this upload
            Column("in_force", Boolean, nullable=False),
        )

    def _temporary(self, name: str, like: Table, columns: tuple[str, ...]) -> Table:
        carried = [like.c[column] for column in columns]
        return self._table(name, *(Column(c.name, c.type, nullable=c.nullable) for c in carried))

    def _table(self, name: str, *columns: Column[object]) -> Table:
        return Table(
            f"lasting_{name}" if self._lasting else name,
            self._metadata,
            *columns,
            prefixes=["TEMPORARY"],
            postgresql_on_commit="PRESERVE ROWS" if self._lasting else "DELETE ROWS",
        )

    async def prepare(self, connection: AsyncConnection) -> None:
        """Once a connection, before all else."""
        for table in self._metadata.sorted_tables:
            await connection.execute(CreateTable(table))

    async def clear(self, connection: AsyncConnection, *, rejects: int) -> None:
        """PostgreSQL does so itself at the end of a transaction, or with the connection."""
        if connection.dialect.name == "postgresql" or self._lasting:
            return
        for statement in self._clearing:
            if rejects or statement.table is not self._refused:
                await connection.execute(statement)

    @cached_property
    def _clearing(self) -> tuple[Delete, ...]:
        return tuple(delete(table) for table in self._metadata.sorted_tables)

    async def add(self, connection: AsyncConnection, batch: Batch) -> None:
        for table, packed in (
            (self._staged, batch.staged),
            (self._refused, batch.rejects),
            (self._seen, batch.agents),
        ):
            if packed is not None:
                await load(connection, table.name, packed)

    async def advise(
        self, connection: AsyncConnection, scope: Scope, staged: int, *, is_distinct: bool
    ) -> bool:
        """Whether surely no staged row is of the same interaction as another one, or as one there.

        Of PostgreSQL, which knows nothing of a temporary table until it is told, and needs to know
        where rows are compared with those that are there.
        """
        is_new = is_distinct and not await self._is_any_known(connection, scope)
        if not is_new and staged >= _STATISTICS_FROM:
            names = ", ".join(_COMPARED)
            await connection.execute(text(f"ANALYZE {self._staged.name} ({names})"))
        return is_new

    async def find(
        self,
        connection: AsyncConnection,
        scope: Scope,
        *,
        staged: int,
        is_distinct: bool,
        is_new: bool = False,
    ) -> Effect:
        """Which of the staged rows are new, and what they will do to the table.

        `is_distinct` only where no two of them are of the same interaction; `is_new` only where
        `advise` said so and nothing was stored since.
        """
        is_postgresql = connection.dialect.name == "postgresql"
        if is_postgresql and staged < _STATISTICS_FROM:
            # Statistics of a fast growing table lag behind, and then a few rows are looked for by
            # reading all of the engagement's.
            await connection.execute(_NESTED_LOOPS)
        if is_new or (is_distinct and not await self._is_any_known(connection, scope)):
            return Effect(created=staged, revised=0, duplicate=0)
        await connection.execute(self._find_fresh, {"owner": scope.engagement_id})
        if is_postgresql and staged >= _STATISTICS_FROM:
            await connection.execute(text(f"ANALYZE {self._fresh.name}"))
        new, created = (await connection.execute(self._count)).one()
        return Effect(created=created, revised=new - created, duplicate=staged - new)

    async def _is_any_known(self, connection: AsyncConnection, scope: Scope) -> bool:
        """Whether any staged row is of an interaction that is there."""
        found = await connection.scalar(self._known, {"owner": scope.engagement_id})
        return bool(found)

    async def move(
        self,
        connection: AsyncConnection,
        scope: Scope,
        effect: Effect,
        *,
        sequence: int,
        rejects: int,
        now: Micros,
    ) -> None:
        """What `find` found goes into the tables, as upload `sequence`.

        Raises NotConserved if that is not as many rows as were found and refused.
        """
        owner: dict[str, object] = {"owner": scope.engagement_id}
        place = owner | {"sequence": sequence}
        new = effect.created + effect.revised
        if effect.revised:
            await connection.execute(self._retire_beaten, owner)
        if new:
            is_simple = not (effect.revised or effect.duplicate)
            statement = self._insert_staged if is_simple else self._insert_fresh
            await _insert_all(connection, statement, place, new)
            is_postgresql = connection.dialect.name == "postgresql"
            add = self._add_agents_postgresql if is_postgresql else self._add_agents_sqlite
            await connection.execute(add, owner | {"now": now})
        if rejects:
            await _insert_all(connection, self._insert_rejects, place, rejects)

    @cached_property
    def _insert_rejects(self) -> Insert:
        rejects, refused = self._rejects, self._refused.c
        rows = select(
            _OWNER,
            _SEQUENCE,
            *(refused[name] for name in self.reject_columns),
        )
        names = ["engagement_id", "upload_sequence", *self.reject_columns]
        return insert(rejects).from_select(names, rows)

    @cached_property
    def _add_agents_postgresql(self) -> Insert:
        names, rows = self._unknown_agents("C")
        return postgresql.insert(self._agents).from_select(names, rows).on_conflict_do_nothing()

    @cached_property
    def _add_agents_sqlite(self) -> Insert:
        names, rows = self._unknown_agents("BINARY")
        return sqlite.insert(self._agents).from_select(names, rows).on_conflict_do_nothing()

    def _unknown_agents(self, code_points: str) -> tuple[list[str], Select[*tuple[Any, ...]]]:
        """Those that are not known yet, without a name and off the roster."""
        agents, seen = self._agents, self._seen.c.agent_id
        there = exists().where(agents.c.engagement_id == _OWNER, agents.c.agent_id == seen)
        unknown = select(seen).where(~there).distinct().subquery("unknown").c.agent_id
        values: dict[str, ColumnElement[Any]] = {
            "engagement_id": _OWNER,
            "agent_id": unknown,
            "languages": literal("[]"),
            "aliases": literal("[]"),
            "on_roster": false(),
            "created_at": _NOW,
        }
        rows = (
            select(*values.values())
            .where(true())  # SQLite takes what follows for a join without it
            # Everybody adds agents in this order: two at once then wait instead of deadlocking.
            .order_by(unknown.collate(code_points))
        )
        return list(values), rows

    def _copies(self) -> Subquery:
        """Keys of the rows that the table has not; `copy` counts equal rows of the file."""
        staged, interactions = self._staged.c, self._all.c
        there = exists().where(
            interactions.engagement_id == _OWNER,
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

    @cached_property
    def _find_fresh(self) -> Insert:
        """Narrow rows of what is new, each with whether it comes into force.

        A row is not new if the same revision is in the table, or earlier in the same file. The
        window functions sort keys only, never whole rows.
        """
        copies, rival = self._copies().c, self._all.c
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
            rival.engagement_id == _OWNER,
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

    @cached_property
    def _retire_beaten(self) -> Update:
        fresh, interactions = self._fresh.c, self._all.c
        beaten = select(fresh.source_account, fresh.interaction_id).where(
            fresh.known, fresh.in_force
        )
        return (
            update(self._all)
            .where(
                interactions.engagement_id == _OWNER,
                tuple_(interactions.source_account, interactions.interaction_id).in_(beaten),
                IN_FORCE,
            )
            .values(in_force=False)
        )

    @cached_property
    def _known(self) -> Select[bool]:
        staged, interactions = self._staged.c, self._all.c
        there = exists().where(
            interactions.engagement_id == _OWNER,
            interactions.source_account == staged.source_account,
            interactions.interaction_id == staged.interaction_id,
        )
        return select(exists(select(staged.row_number).where(there)))

    @cached_property
    def _insert_staged(self) -> Insert:
        """Where all that is staged is new, and so in force."""
        rows = select(_OWNER, true(), _SEQUENCE, *(self._staged.c[name] for name in self.columns))
        return insert(self._all).from_select([*_BY_UPLOAD, *self.columns], rows)

    @cached_property
    def _insert_fresh(self) -> Insert:
        rows = select(
            _OWNER,
            self._fresh.c.in_force,
            _SEQUENCE,
            *(self._staged.c[name] for name in self.columns),
        ).join_from(
            self._staged, self._fresh, self._fresh.c.row_number == self._staged.c.row_number
        )
        return insert(self._all).from_select([*_BY_UPLOAD, *self.columns], rows)

    @cached_property
    def _count(self) -> Select[int, int]:
        fresh = self._fresh.c
        # Of an interaction that was not there, exactly one row comes into force.
        created = func.count().filter(~fresh.known, fresh.in_force)
        return select(func.count(), created).select_from(self._fresh)


async def _insert_all(
    connection: AsyncConnection, statement: Insert, values: dict[str, object], rows: int
) -> None:
    options = {"preserve_rowcount": True}  # SQLAlchemy forgets it otherwise
    made = await connection.execute(statement, values, execution_options=options)
    if made.rowcount != rows:
        raise NotConserved(f"{rows} rows of {statement.table.name}, but {made.rowcount} stored")
