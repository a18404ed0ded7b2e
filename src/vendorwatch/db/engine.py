"""The engine, and the one way to a transaction, for SQLite and PostgreSQL."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite
import psycopg
from sqlalchemy import Connection, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from vendorwatch.db import sqlite_driver, wall
from vendorwatch.db.scope import OPERATOR, MerchantScope, Reach, Scope
from vendorwatch.errors import Kind, VendorwatchError

T = TypeVar("T")
Line = AbstractAsyncContextManager[None]
_BUSY_SECONDS = 30
_READ_ONLY = "vendorwatch_read_only"
_POOL_SIZE = "pool_size"
_LAID_OUT = "vendorwatch_laid_out"
# As long as SQLite's: whoever waits holds one of few connections, and must give it back some time.
_ON_POSTGRESQL: dict[str, Any] = {
    "isolation_level": "AUTOCOMMIT",  # the driver's own BEGIN is switched off: see _begin
    "connect_args": {"options": f"-c lock_timeout={_BUSY_SECONDS}s"},
}
# Several statements of one answer must see the same data.
SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_READ_COMMITTED = "BEGIN ISOLATION LEVEL READ COMMITTED"


class DatabaseUnavailable(VendorwatchError):
    """The database did not answer in time, or is locked by a longer work. Nothing was stored.

    Try again after Retry-After. For the operator: `vendorwatch doctor`.
    """

    kind = Kind.UNAVAILABLE
    slug = "database-unavailable"
    title = "The database cannot be used right now"


class Database:
    """Connections to one database. One use case is one `write()` or `read()`: one transaction.

    Each is told whose data it is about, and on PostgreSQL reaches nobody else's: see db.wall.
    The transaction commits when the block ends and rolls back when it raises. Nothing else commits.
    A database that cannot be reached, is locked or is full raises DatabaseUnavailable.
    """

    def __init__(self, url: str) -> None:
        self.url, pool = _without_pool(driver_url(url))
        self.engine = create_async_engine(
            self.url,
            hide_parameters=True,  # they hold customers' data, and errors are logged
            **pool,
            **(_ON_POSTGRESQL if self.is_postgresql else {"async_creator": self._connect_sqlite}),
        )
        # SQLite has one writer, and whoever waits for it sleeps and asks again: the next one would be
        # whoever happens to wake up. Those of this process wait in a line instead.
        self._line: Line = contextlib.nullcontext() if self.is_postgresql else asyncio.Lock()
        if not self.is_postgresql:
            _prepare_folder(self.url)
            event.listen(self.engine.sync_engine, "connect", _on_sqlite_connect)
            event.listen(self.engine.sync_engine, "begin", _on_sqlite_begin)

    async def _connect_sqlite(self) -> aiosqlite.Connection:
        given, named = self.engine.dialect.create_connect_args(self.url)
        return await sqlite_driver.connect(*given, **named)

    @property
    def is_postgresql(self) -> bool:
        return self.url.get_backend_name() == "postgresql"

    @asynccontextmanager
    async def write(self, whose: Scope | MerchantScope) -> AsyncIterator[AsyncConnection]:
        """What of `whose` there is, and nothing else."""
        async with self._within(whose.reach, read_only=False) as connection:
            yield connection

    @asynccontextmanager
    async def read(self, whose: Scope | MerchantScope) -> AsyncIterator[AsyncConnection]:
        """One snapshot of what of `whose` there is, and nothing else.

        On SQLite with the rollback journal it waits while a writer commits, or writes more than
        its cache holds.
        """
        async with self._within(whose.reach, read_only=True) as connection:
            yield connection

    async def read_key(
        self, key_id: str, work: Callable[[AsyncConnection], Coroutine[Any, Any, T]]
    ) -> T:
        """What `work` returns of the API keys of that id, before it is known whose they are. It waits
        for nothing but the database.
        """

        async def in_transaction() -> T:
            async with _transaction(connection, Reach(key=key_id), read_only=True):
                return await work(connection)

        async with _connected(self.engine) as connection:
            return await _together(connection, in_transaction)

    @asynccontextmanager
    async def write_as_operator(self) -> AsyncIterator[AsyncConnection]:
        """Merchants, vendors and engagements: for commands, never for a caller of the API."""
        async with self._within(OPERATOR, read_only=False) as connection:
            yield connection

    @asynccontextmanager
    async def read_as_operator(self) -> AsyncIterator[AsyncConnection]:
        """Who works for whom, where scorecards belong and what is due: for commands and background
        work, never for a caller.
        """
        async with self._within(OPERATOR, read_only=True) as connection:
            yield connection

    @asynccontextmanager
    async def write_as_owner(self) -> AsyncIterator[AsyncConnection]:
        """As the user of the URL, before the second wall: for the schema, never for rows."""
        async with self._within(None, read_only=False) as connection:
            yield connection

    @asynccontextmanager
    async def read_as_owner(self) -> AsyncIterator[AsyncConnection]:
        """As the user of the URL, before the second wall: for the schema, never for rows."""
        async with self._within(None, read_only=True) as connection:
            yield connection

    @asynccontextmanager
    async def _within(
        self, reach: Reach | None, *, read_only: bool
    ) -> AsyncIterator[AsyncConnection]:
        async with (
            contextlib.nullcontext() if read_only else self._line,
            _connected(self.engine) as connection,
            _transaction(connection, reach, read_only=read_only),
        ):
            yield connection

    @asynccontextmanager
    async def workbench(self, whose: Scope) -> AsyncIterator["Workbench"]:
        """One connection for several transactions about what of `whose` there is."""
        async with _connected(self.engine) as connection:
            bench = Workbench(connection, whose, self._line)
            try:
                yield bench
            finally:
                if bench.is_used_up:
                    await connection.invalidate()

    async def close(self) -> None:
        await self.engine.dispose()


class Workbench:
    """Temporary tables outlive a transaction, so what takes long can be laid out in them before
    anything is locked.
    """

    def __init__(self, connection: AsyncConnection, whose: Scope, line: Line) -> None:
        self._connection = connection
        self._whose = whose
        self._line = line
        self._has_turn = False
        self._is_new = True
        self.is_used_up = False

    def use_up(self) -> None:
        """The connection is not used again, and what its temporary tables hold goes with it."""
        self.is_used_up = True

    @property
    def laid_out(self) -> set[str]:
        """Names that the user of the connection gives to what it has made; empty on a new one."""
        sync = self._connection.sync_connection
        assert sync is not None  # noqa: S101  it was opened
        found: set[str] = sync.info.setdefault(_LAID_OUT, set())
        return found

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Each statement sees what is there by then. On SQLite as Database.read()."""
        async with self._begun(read_only=True):
            yield self._connection

    @asynccontextmanager
    async def aside(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that writes to temporary tables only: nobody waits for it."""
        async with self._begun(read_only=True):
            yield self._connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """As Database.write(), but of all workbenches of an engagement one at a time."""
        line = contextlib.nullcontext() if self._has_turn else self._line
        queue = wall.queueing(self._whose.reach, is_waiting=True)
        async with line, self._begun(queue, read_only=False):
            yield self._connection

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """In which `write` does not wait for others of this process."""
        async with self._line:
            self._has_turn = True
            try:
                yield
            finally:
                self._has_turn = False

    async def together(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What `work` returns, who waits for nothing but transactions of this workbench, and for no
        turn in it. On SQLite it is faster, and is not broken off by a cancel.
        """
        return await _together(self._connection, work)

    @asynccontextmanager
    async def write_at_once(self) -> AsyncIterator[AsyncConnection | None]:
        """As `write`, for what may take long; null where somebody else has the turn, and on SQLite,
        where everybody would wait for it.
        """
        if self._connection.dialect.name != "postgresql":
            yield None
            return
        queue = wall.queueing(self._whose.reach, is_waiting=False)
        async with self._begun(queue, read_only=False) as is_free:
            yield self._connection if is_free else None

    @asynccontextmanager
    async def _begun(self, *last: str, read_only: bool) -> AsyncIterator[object]:
        # What was laid out on a connection that is lost is not sought on another one.
        is_new, self._is_new = self._is_new, False
        # PostgreSQL is not told that it only reads: then tables of a session cannot be made.
        async with _transaction(
            self._connection,
            self._whose.reach,
            *last,
            read_only=read_only,
            begin=_READ_COMMITTED,
            is_new=is_new,
        ) as told:
            yield told


@asynccontextmanager
async def _transaction(
    connection: AsyncConnection,
    reach: Reach | None,
    *last: str,
    read_only: bool,
    begin: str | None = None,
    is_new: bool = True,
) -> AsyncIterator[object]:
    """What the `last` statement tells. On SQLite there are no such statements, and no `begin`."""
    told: object = None
    if connection.dialect.name != "postgresql":
        _ = await connection.execution_options(**{_READ_ONLY: read_only})
    else:
        first = begin or (SNAPSHOT if read_only else _READ_COMMITTED)
        statements = [first, wall.entrance(reach), *last] if reach else [first]
        told = await _begin(connection, statements, is_new=is_new)
    async with connection.begin():
        if reach is not None:
            await wall.entered(connection, reach)
        yield told


async def _begin(connection: AsyncConnection, statements: Iterable[str], *, is_new: bool) -> object:
    """On PostgreSQL, what the last statement tells. All of them are one round trip, which costs more
    than what they ask for, and shows whether the connection still stands: the pool does not know.
    If it does not, nothing has been begun, and where it is new to its user the next one is taken.
    """
    command = "; ".join(statements)
    while True:
        driver = await driver_of(connection)
        assert isinstance(driver, psycopg.AsyncConnection)  # noqa: S101  the one driver that we use
        try:
            found = await driver.execute(command.encode(), prepare=False)
        except asyncio.CancelledError:
            await connection.invalidate()
            raise
        except psycopg.OperationalError:
            if not (is_new and driver.closed):
                raise
            # Taken out of the pool, so that the last one to come is a connection that is made anew.
            await connection.invalidate()
            is_new = connection.engine.pool.checkedin() > 0  # type: ignore[attr-defined]  # of a queue
        else:
            while found.nextset():
                pass
            row = await found.fetchone() if found.description else None
            return row[0] if row else None


async def driver_of(connection: AsyncConnection) -> object:
    """For what SQLAlchemy has no way to say. Errors of psycopg are told as its own are."""
    raw = await connection.get_raw_connection()
    return raw.driver_connection


async def _together(connection: AsyncConnection, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """What `work` returns, who waits for nothing but the connection. On SQLite that takes half as long
    together, and is not broken off by a cancel.
    """
    driver = await driver_of(connection)
    if isinstance(driver, sqlite_driver.Connection):
        return await driver.together(work)
    return await work()


@asynccontextmanager
async def _connected(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    try:
        async with engine.connect() as connection:
            yield connection
    except (DBAPIError, psycopg.Error, PoolTimeout) as error:
        if isinstance(error, PoolTimeout) or _is_outage(error):
            raise DatabaseUnavailable(
                "The database did not answer; nothing was stored. Try again.",
                retry_after_seconds=5,
            ) from error
        raise


def _is_outage(error: DBAPIError | psycopg.Error) -> bool:
    """Not a mistake of ours: connection lost, locked, full, or cancelled by a restart."""
    told: BaseException | None = error
    is_lost = False
    if isinstance(error, DBAPIError):
        is_lost, told = error.connection_invalidated, error.orig
    if isinstance(told, sqlite3.OperationalError):
        text = str(told)
        return any(word in text for word in ("locked", "full", "unable to open", "disk I/O"))
    state = getattr(told, "sqlstate", None) or ""
    # A server that was never reached, or was lost, has no state to tell.
    is_lost |= isinstance(told, psycopg.OperationalError) and not state
    return is_lost or state[:2] in {"08", "53", "57", "40"} or state == "55P03"


def driver_url(url: str) -> URL:
    """With the asynchronous driver that we use for that engine."""
    parsed = make_url(url)
    driver = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg"}
    return parsed.set(drivername=driver[parsed.get_backend_name()])


def _without_pool(url: URL) -> tuple[URL, dict[str, int]]:
    """`pool_size` in the query is ours: how many connections one process holds at most."""
    size = url.query.get(_POOL_SIZE)
    if not isinstance(size, str):
        return url, {}
    return url.difference_update_query([_POOL_SIZE]), {"pool_size": int(size), "max_overflow": 0}


# The first release of each series without the bug that can lose committed pages on a WAL reset.
_WAL_MENDED = {44: 6, 50: 7, 51: 3}


def wal_is_safe(version: tuple[int, int, int]) -> bool:
    _, series, patch = version
    if series > max(_WAL_MENDED):
        return True
    return series in _WAL_MENDED and patch >= _WAL_MENDED[series]


def _prepare_folder(url: URL) -> None:
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)


def _on_sqlite_connect(connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
    # The driver's own BEGIN is switched off: it would start transactions too late to be safe.
    connection.isolation_level = None
    cursor = connection.cursor()
    journal = "WAL" if wal_is_safe(sqlite3.sqlite_version_info) else "DELETE"
    for pragma in (
        f"busy_timeout = {_BUSY_SECONDS * 1000}",
        f"journal_mode = {journal}",
        "synchronous = EXTRA",  # FULL leaves the end of the rollback journal to chance
        "foreign_keys = ON",
        "temp_store = FILE",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _on_sqlite_begin(connection: Connection) -> None:
    # IMMEDIATE takes the write lock before the first read: what was read cannot have changed.
    read_only = connection.get_execution_options().get(_READ_ONLY, False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
