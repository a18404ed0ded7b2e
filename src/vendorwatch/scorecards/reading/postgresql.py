"""Columns out of PostgreSQL by ADBC, on connections that see what the use case's one sees."""

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from threading import Lock

import adbc_driver_manager as adbc
import adbc_driver_postgresql  # type: ignore[import-untyped]  # it ships no types
import polars as pl
from sqlalchemy import Dialect, Select, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.db import models
from vendorwatch.db.engine import DatabaseUnavailable
from vendorwatch.db.wall import SETTINGS
from vendorwatch.scorecards.reading.parts import Part
from vendorwatch.scorecards.reading.together import packed, unpacked
from vendorwatch.scoring.frames import Schema

_KEPT_SERVERS = 8
_READERS = 2  # connections: the server sends on one core what is unpacked here on another
_WINDOWS = 4  # of a part, so that no reader waits long for the other
# How long it waits for a lock, as whom it acts and whose rows it is about: as the use case does.
_CARRIED = ("lock_timeout", "role", *SETTINGS)
_SHARE = text(
    "SELECT pg_export_snapshot(), pg_current_xact_id_if_assigned() IS NULL, "
    + ", ".join(f"current_setting('{name}', true)" for name in _CARRIED)
)
_OUTAGES = {"08", "53", "57", "40"}  # classes of SQLSTATE, as in db.engine


async def fetch(
    connection: AsyncConnection, parts: Sequence[Part], count: Select[int]
) -> tuple[list[pl.DataFrame], int]:
    """A frame for each part, and the number, which is counted meanwhile."""
    snapshot, is_unwritten, *carried = (await connection.execute(_SHARE)).one()
    assert is_unwritten, "what the transaction wrote would not be seen"  # noqa: S101  our mistake
    address = connection.engine.url.set(drivername="postgresql")
    uri = address.render_as_string(hide_password=False)
    begin = (
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        f"SET TRANSACTION SNAPSHOT '{snapshot}'",
        *(
            f"SET LOCAL {name} = {_quoted(value or '')}"
            for name, value in zip(_CARRIED, carried, strict=True)
        ),
    )
    pieces = [(part, sql) for part in parts for sql in _statements(connection.dialect, part)]
    to_read = deque((number, sql, part.columns) for number, (part, sql) in enumerate(pieces))
    reading = asyncio.gather(
        *(asyncio.to_thread(_fetched, uri, begin, to_read) for _ in range(_READERS)),
        return_exceptions=True,  # each is waited for: the snapshot lasts as long as this transaction
    )
    try:
        number = (await connection.execute(count)).scalar_one()
    finally:
        read = await reading
    found: dict[int, pl.DataFrame] = {}
    for frames_read in read:
        if isinstance(frames_read, BaseException):
            raise frames_read
        found.update(frames_read)
    frames = [
        pl.concat([found[number] for number, (of, _) in enumerate(pieces) if of is part])
        for part in parts
    ]
    return frames, number


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _statements(dialect: Dialect, part: Part) -> list[str]:
    """One for each window of the part."""
    statement = select(*packed(part.columns)).where(*part.where(part.start, part.end))
    # Put together once, which takes a millisecond or two: the windows alone differ.
    whole = str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    opened_at = f"{models.Interaction.__tablename__}.opened_at"
    return [
        f"{whole} AND {opened_at} >= {start} AND {opened_at} < {end}"
        for start, end in part.windows(_WINDOWS)
    ]


def _fetched(
    uri: str, begin: Sequence[str], to_read: deque[tuple[int, str, Schema]]
) -> list[tuple[int, pl.DataFrame]]:
    """Takes pieces out until there are none; each with its number."""
    frames = []
    try:
        with _server(uri).connection() as connection:
            for statement in begin:
                _run(connection, statement)
            with suppress(IndexError):  # nothing is left
                while True:
                    number, statement, columns = to_read.popleft()
                    frames.append((number, unpacked(_frame(connection, statement), columns)))
    except (adbc.Error, pl.exceptions.ComputeError) as error:
        # Polars raises for a stream that breaks off, and has no more than a text to tell.
        if isinstance(error, adbc.Error) and not _is_outage(error):
            raise
        raise DatabaseUnavailable(
            "The database did not answer; nothing was stored. Try again.", retry_after_seconds=5
        ) from error
    return frames


def _is_outage(error: adbc.Error) -> bool:
    return error.sqlstate is None or error.sqlstate[:2] in _OUTAGES or error.sqlstate == "55P03"


def _run(connection: adbc.AdbcConnection, statement: str) -> None:
    with adbc.AdbcStatement(connection) as running:
        running.set_sql_query(statement)
        running.execute_update()


def _frame(connection: adbc.AdbcConnection, statement: str) -> pl.DataFrame:
    with adbc.AdbcStatement(connection) as running:
        running.set_sql_query(statement)
        stream, _ = running.execute_query()
        return pl.DataFrame(stream)


class _Server:
    """Is asked for its types once, not by every connection, which would cost 50 ms each."""

    def __init__(self, uri: str) -> None:
        self._database = adbc_driver_postgresql.connect(uri)
        self._lock = Lock()  # the handle allows one thread at a time

    @contextmanager
    def connection(self) -> Iterator[adbc.AdbcConnection]:
        with self._lock:
            opened = adbc.AdbcConnection(self._database)
        try:
            yield opened
        finally:
            with self._lock:
                opened.close()


@lru_cache(maxsize=_KEPT_SERVERS)
def _server(uri: str) -> _Server:
    return _Server(uri)
