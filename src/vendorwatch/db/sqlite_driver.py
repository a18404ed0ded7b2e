"""aiosqlite with one trip to a connection's thread for a statement, where it makes four, or with one
for a whole transaction.

A trip wakes that thread and then the event loop, which takes longer than most statements do. So the
cursor is made, executed, read and closed in one. Like SQLAlchemy's own adapter, this goes by how
aiosqlite queues calls: its own interface has no way to queue one of ours.
"""

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from typing import Any, Self, TypeVar

import aiosqlite
from typing_extensions import override

T = TypeVar("T")
_BEGIN = "BEGIN"
_AHEAD = 100
"""Rows that come with their statement. The rest of a longer answer comes when it is asked for."""


async def connect(*args: Any, **kwargs: Any) -> aiosqlite.Connection:
    """For SQLAlchemy. The arguments are those of sqlite3.connect."""
    connection = Connection(partial(sqlite3.connect, *args, **kwargs), iter_chunk_size=_AHEAD)
    connection._thread.daemon = True  # noqa: SLF001  as SQLAlchemy makes it
    return await connection


class Connection(aiosqlite.Connection):
    # BEGIN was asked for: it does nothing until a statement follows, and goes with that.
    _is_to_begin = False
    # Nothing was asked for since a commit or rollback came to its end. SQLite itself knows no better:
    # what was cancelled may still wait for its turn in the thread.
    _is_settled = False

    @override
    def cursor(self) -> "_Cursor":  # type: ignore[override]  # see there
        return _Cursor(self)

    @override
    async def commit(self) -> None:
        await self._settle(super().commit)

    @override
    async def rollback(self) -> None:
        """A pool asks for it whenever it gets a connection back, mostly after a commit."""
        await self._settle(super().rollback)

    async def _settle(self, how: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._is_to_begin = False
        if not self._is_settled:
            await how()
            self._is_settled = True

    def begin_later(self) -> None:
        self._is_to_begin = True

    async def together(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What `work` returns, who may wait for nothing but this connection: all of it in one trip.

        It is not broken off: whoever is cancelled meanwhile is so after it.
        """
        running = copy_context().run
        trip = asyncio.ensure_future(self.there(running, _driven, work()))
        try:
            return await asyncio.shield(trip)
        except asyncio.CancelledError:
            while not trip.done():
                with suppress(asyncio.CancelledError):  # more of them; the first is told below
                    await asyncio.wait({trip})
            if not trip.cancelled():
                _ = trip.exception()  # nobody is there to be told
            raise

    async def there(self, call: Callable[..., T], *arguments: object) -> T:
        """In the thread of the connection."""
        found: T = await self._execute(call, *arguments)
        return found

    @override
    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self._is_settled = False
        if threading.current_thread() is self._thread:
            return fn(*args, **kwargs)
        return await super()._execute(fn, *args, **kwargs)  # type: ignore[no-untyped-call]  # it has no types

    def new_cursor(self) -> sqlite3.Cursor:
        """To be called there."""
        if self._is_to_begin:
            self._is_to_begin = False
            self._conn.execute(_BEGIN)
        return self._conn.cursor()


def _driven(work: Coroutine[Any, Any, T]) -> T:
    try:
        work.send(None)
    except StopIteration as end:
        found: T = end.value
        return found
    work.close()
    raise RuntimeError("waits for something else than the connection")


class _Cursor:
    """What SQLAlchemy uses of an aiosqlite.Cursor, for one statement."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._cursor: sqlite3.Cursor | None = None
        self._ahead = deque[Any]()
        self._is_open = False  # there may be more than what is ahead

    async def __aenter__(self) -> Self:
        return self

    @property
    def description(self) -> Any:
        return self._cursor and self._cursor.description

    @property
    def rowcount(self) -> int:
        return -1 if self._cursor is None else self._cursor.rowcount

    @property
    def lastrowid(self) -> int | None:
        return None if self._cursor is None else self._cursor.lastrowid

    async def execute(self, statement: str, parameters: Iterable[Any] = ()) -> Self:
        if statement == _BEGIN:
            self._connection.begin_later()
            return self
        await self._connection.there(self._begin, sqlite3.Cursor.execute, statement, parameters)
        return self

    async def executemany(self, statement: str, parameters: Iterable[Iterable[Any]]) -> Self:
        await self._connection.there(self._begin, sqlite3.Cursor.executemany, statement, parameters)
        return self

    async def fetchone(self) -> Any:
        rows = await self.fetchmany(1)
        return rows[0] if rows else None

    async def fetchmany(self, size: int = 1) -> Sequence[Any]:
        if self._is_open and len(self._ahead) < size:
            await self._connection.there(self._take, size - len(self._ahead))
        return [self._ahead.popleft() for _ in range(min(size, len(self._ahead)))]

    async def fetchall(self) -> Sequence[Any]:
        if self._is_open:
            await self._connection.there(self._take, None)
        rows, self._ahead = self._ahead, deque()
        return rows

    async def __aiter__(self) -> AsyncIterator[Any]:
        while rows := await self.fetchmany(_AHEAD):
            for row in rows:
                yield row

    async def close(self) -> None:
        if self._is_open:
            assert self._cursor is not None  # noqa: S101  it is open
            self._is_open = False
            await self._connection.there(self._cursor.close)

    def _begin(self, how: Callable[..., object], statement: str, parameters: Iterable[Any]) -> None:
        self._cursor = self._connection.new_cursor()
        how(self._cursor, statement, parameters)
        self._is_open = self._cursor.description is not None
        if self._is_open:
            self._take(_AHEAD)

    def _take(self, number: int | None) -> None:
        """At the end the cursor is closed here: whoever drops it, in whatever thread, is done."""
        assert self._cursor is not None  # noqa: S101  it is open
        rows = self._cursor.fetchall() if number is None else self._cursor.fetchmany(number)
        self._ahead.extend(rows)
        if number is None or len(rows) < number:
            self._is_open = False
            self._cursor.close()
