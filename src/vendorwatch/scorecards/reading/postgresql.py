"""Columns out of PostgreSQL by ADBC, on a connection that sees what the use case's one sees."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from threading import Lock

import adbc_driver_manager as adbc
import adbc_driver_postgresql  # type: ignore[import-untyped]  # it ships no types
import polars as pl
from sqlalchemy import BigInteger, Select, cast, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.db import models
from vendorwatch.db.engine import DatabaseUnavailable
from vendorwatch.scorecards.reading.parts import Part

_KEPT_SERVERS = 8
_SHARE = text(
    "SELECT pg_export_snapshot(), current_setting('lock_timeout'), "
    "pg_current_xact_id_if_assigned() IS NULL"
)
_OUTAGES = {"08", "53", "57", "40"}  # classes of SQLSTATE, as in db.engine


async def fetch(
    connection: AsyncConnection, parts: Sequence[Part], received: Select[int]
) -> tuple[list[pl.DataFrame], int]:
    """A frame for each part, and the number, which is counted meanwhile."""
    snapshot, patience, is_unwritten = (await connection.execute(_SHARE)).one()
    assert is_unwritten, "what the transaction wrote would not be seen"  # noqa: S101  our mistake
    address = connection.engine.url.set(drivername="postgresql")
    uri = address.render_as_string(hide_password=False)
    begin = (
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        f"SET TRANSACTION SNAPSHOT '{snapshot}'",
        f"SET LOCAL lock_timeout = '{patience}'",
    )
    statements = [_sql(connection, part) for part in parts]
    reading = asyncio.ensure_future(asyncio.to_thread(_fetched, uri, begin, statements))
    try:
        count = (await connection.execute(received)).scalar_one()
    finally:
        frames = await reading
    return frames, count


def _sql(connection: AsyncConnection, part: Part) -> str:
    columns = []
    for name, dtype in part.columns.items():
        column = getattr(models.Interaction, name)
        columns.append(cast(column, BigInteger).label(name) if dtype is pl.Int64 else column)
    statement = select(*columns).where(*part.where(part.start, part.end))
    compiled = statement.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
    return str(compiled)


def _fetched(uri: str, begin: Sequence[str], statements: Sequence[str]) -> list[pl.DataFrame]:
    try:
        with _server(uri).connection() as connection:
            for statement in begin:
                _run(connection, statement)
            return [_frame(connection, statement) for statement in statements]
    except (adbc.Error, pl.exceptions.ComputeError) as error:
        # Polars raises for a stream that breaks off, and has no more than a text to tell.
        if isinstance(error, adbc.Error) and not _is_outage(error):
            raise
        raise DatabaseUnavailable(
            "The database did not answer; nothing was stored. Try again.", retry_after_seconds=5
        ) from error


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
