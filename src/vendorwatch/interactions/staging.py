"""The set-based way from an upload's rows into `interactions`, `rejects` and `agents`.

Rows go into temporary tables first, so that a million of them cost a handful of round trips and
the work grows with the upload, not with the table. The temporary tables live as long as their
connection and are empty between uploads: making them anew each time would cost a small upload more
than its rows.
"""

from dataclasses import replace

from sqlalchemy import Insert, func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.schema import CreateTable

from vendorwatch.db.scope import Scope
from vendorwatch.interactions.batches import Batch
from vendorwatch.interactions.intake import Window
from vendorwatch.interactions.loading import load
from vendorwatch.interactions.model import Effect, NotConserved
from vendorwatch.interactions.staged import StagedTables
from vendorwatch.periods import Micros

_COMPARED = ("source_account", "interaction_id", "content_sha256", "row_number")
_STATISTICS_FROM = 500  # rows; fewer need no statistics for a good plan
_NESTED_LOOPS = select(
    *(func.set_config(name, "off", True) for name in ("enable_hashjoin", "enable_mergejoin"))
)


class Staging:
    """Each step is one of a transaction, in the order in which they stand here."""

    def __init__(self, tables: StagedTables) -> None:
        self._tables = tables

    @property
    def name(self) -> str:
        """Tells it from others that use the same connection."""
        return "lasting" if self._tables.is_lasting else "brief"

    async def prepare(self, connection: AsyncConnection) -> None:
        """Once a connection, before all else."""
        for table in self._tables.metadata.sorted_tables:
            await connection.execute(CreateTable(table))

    async def clear(self, connection: AsyncConnection, *, rejects: int) -> None:
        """PostgreSQL does so itself at the end of a transaction, or with the connection."""
        if connection.dialect.name == "postgresql" or self._tables.is_lasting:
            return
        for statement in self._tables.clearing:
            if rejects or statement.table is not self._tables.refused:
                await connection.execute(statement)

    async def add(self, connection: AsyncConnection, batch: Batch) -> None:
        for table, packed in (
            (self._tables.staged, batch.staged),
            (self._tables.refused, batch.rejects),
            (self._tables.seen, batch.agents),
        ):
            if packed is not None:
                await load(connection, table.name, packed)

    async def advise(
        self, connection: AsyncConnection, scope: Scope, rows: int, *, is_distinct: bool
    ) -> bool:
        """Whether surely no staged row is of the same interaction as another one, or as one there.

        Of PostgreSQL, which knows nothing of a temporary table until it is told, and needs to know
        where rows are compared with those that are there.
        """
        is_new = is_distinct and not await self.is_any_known(connection, scope)
        if not is_new and rows >= _STATISTICS_FROM:
            names = ", ".join(_COMPARED)
            await connection.execute(text(f"ANALYZE {self._tables.staged.name} ({names})"))
        return is_new

    async def find(
        self,
        connection: AsyncConnection,
        scope: Scope,
        *,
        staged: int,
        moved: int = 0,
        is_distinct: bool,
        is_new: bool = False,
    ) -> Effect:
        """Which of the staged rows are new, and what they will do to the table.

        `moved` are rows that were staged before them; `is_distinct` only where no two are of the
        same interaction; `is_new` only where `advise` said so and nothing was stored since.
        """
        is_postgresql = connection.dialect.name == "postgresql"
        if is_postgresql and staged + moved < _STATISTICS_FROM:
            # Statistics of a fast growing table lag behind, and then a few rows are looked for by
            # reading all of the engagement's.
            await connection.execute(_NESTED_LOOPS)
        if is_new or (is_distinct and not await self.is_any_known(connection, scope)):
            return Effect(created=staged, revised=0, duplicate=0)
        await connection.execute(self._tables.find_fresh, {"owner": scope.engagement_id})
        if is_postgresql and staged + moved >= _STATISTICS_FROM:
            await connection.execute(text(f"ANALYZE {self._tables.fresh.name}"))
        new, created = (await connection.execute(self._tables.count_fresh)).one()
        return Effect(created=created, revised=new - created, duplicate=staged - new)

    async def is_any_known(self, connection: AsyncConnection, scope: Scope) -> bool:
        """Whether any staged row is of an interaction that is there."""
        found = await connection.scalar(self._tables.any_known, {"owner": scope.engagement_id})
        return bool(found)

    async def move(
        self, connection: AsyncConnection, scope: Scope, effect: Effect, *, sequence: int
    ) -> None:
        """What `find` found goes into the table, as upload `sequence`.

        Raises NotConserved if that is not as many rows as were found.
        """
        owner: dict[str, object] = {"owner": scope.engagement_id}
        new = effect.created + effect.revised
        if effect.revised:
            await connection.execute(self._tables.retire_beaten, owner)
        if new:
            is_simple = not (effect.revised or effect.duplicate)
            statement = self._tables.insert_staged if is_simple else self._tables.insert_fresh
            await _insert_all(connection, statement, owner | {"sequence": sequence}, new)

    async def move_new(
        self, connection: AsyncConnection, scope: Scope, staged: int, *, sequence: int
    ) -> bool:
        """All that is staged goes into the table, and more can be staged, unless any of it is of an
        interaction that is there, or that is staged twice: then nothing has happened.
        """
        place = {"owner": scope.engagement_id, "sequence": sequence}
        attempt = await connection.begin_nested()
        try:
            # Being refused now and then costs less than asking beforehand each time.
            await _insert_all(connection, self._tables.insert_staged, place, staged)
        except IntegrityError:
            await attempt.rollback()
            return False
        await connection.execute(self._tables.empty_staged)
        await attempt.commit()
        return True

    async def finish(
        self,
        connection: AsyncConnection,
        scope: Scope,
        effect: Effect,
        *,
        sequence: int,
        rejects: int,
        now: Micros,
    ) -> None:
        """What else is staged goes into the tables, after the rows: `effect` is of all of them.

        Raises NotConserved if that is not as many rows as were refused.
        """
        owner: dict[str, object] = {"owner": scope.engagement_id}
        if effect.created or effect.revised:
            is_postgresql = connection.dialect.name == "postgresql"
            add = (
                self._tables.add_agents_postgresql
                if is_postgresql
                else self._tables.add_agents_sqlite
            )
            await connection.execute(add, owner | {"now": now})
        if rejects:
            place = owner | {"sequence": sequence}
            await _insert_all(connection, self._tables.insert_rejects, place, rejects)


class Stretches:
    """Of a log that is stored while it is read: moved as they come, until one is not all new. That one
    and all behind it are moved together at the end, as those of other logs are.

    For PostgreSQL, in one transaction, while nobody else stores rows of the engagement.
    """

    def __init__(
        self,
        staging: Staging,
        connection: AsyncConnection,
        scope: Scope,
        *,
        sequence: int,
        at_once: int = 8_000,
    ) -> None:
        self._staging = staging
        self._connection = connection
        self._scope = scope
        self._sequence = sequence
        self._at_once = at_once  # rows that are moved together, at least
        self._window: Window | None = None
        self._staged = self._moved = 0
        self._are_new = True

    async def add(self, batch: Batch) -> None:
        """In the order of their windows. A window may come in several, in any order."""
        if batch.window != self._window and self._staged >= self._at_once:
            await self._move_new()
        await self._staging.add(self._connection, batch)
        self._staged += batch.accepted
        self._window = batch.window

    async def move_rest(self) -> Effect:
        """What became of all."""
        staging, connection, scope = self._staging, self._connection, self._scope
        if self._staged:
            await self._move_new()
        if not self._staged:
            return Effect(created=self._moved, revised=0, duplicate=0)
        await staging.advise(connection, scope, self._moved + self._staged, is_distinct=False)
        rest = await staging.find(
            connection, scope, staged=self._staged, moved=self._moved, is_distinct=False
        )
        await staging.move(connection, scope, rest, sequence=self._sequence)
        return replace(rest, created=self._moved + rest.created)

    async def _move_new(self) -> None:
        staging, connection, scope = self._staging, self._connection, self._scope
        if self._are_new and not self._moved:
            # Most logs that are not all new begin like that, and PostgreSQL logs what it refuses.
            self._are_new = not await staging.is_any_known(connection, scope)
        if self._are_new:
            self._are_new = await staging.move_new(
                connection, scope, self._staged, sequence=self._sequence
            )
        if self._are_new:
            self._moved, self._staged = self._moved + self._staged, 0


async def _insert_all(
    connection: AsyncConnection, statement: Insert, values: dict[str, object], rows: int
) -> None:
    options = {"preserve_rowcount": True}  # SQLAlchemy forgets it otherwise
    made = await connection.execute(statement, values, execution_options=options)
    if made.rowcount != rows:
        raise NotConserved(f"{rows} rows of {statement.table.name}, but {made.rowcount} stored")
