"""Columns out of PostgreSQL by ADBC, on connections that see what the use case's one sees."""

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock

import adbc_driver_manager as adbc
import adbc_driver_postgresql  # type: ignore[import-untyped]  # it ships no types
import polars as pl
from sqlalchemy import Dialect, Select, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.db import models
from vendorwatch.db.engine import SNAPSHOT, DatabaseUnavailable
from vendorwatch.db.wall import SETTINGS, quoted
from vendorwatch.scorecards.reading.parts import Part
from vendorwatch.scorecards.reading.together import packed, unpacked

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
        SNAPSHOT,
        f"SET TRANSACTION SNAPSHOT '{snapshot}'",
        *(
            f"SET LOCAL {name} = {quoted(value or '')}"
            for name, value in zip(_CARRIED, carried, strict=True)
        ),
    )
    same = {each: await _same(connection, each) for each in {part.engagement_id for part in parts}}
    pieces = [
        _Piece(part, sql, same[part.engagement_id])
        for part in parts
        for sql in _statements(connection.dialect, part, same[part.engagement_id])
    ]
    to_read = deque(enumerate(pieces))
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
        pl.concat([found[number] for number, piece in enumerate(pieces) if piece.part is part])
        for part in parts
    ]
    return frames, number


@dataclass(frozen=True, slots=True)
class _Piece:
    """`same` are columns that need not be read, with the value that all rows have."""

    part: Part
    sql: str
    same: Mapping[str, str]


async def _same(connection: AsyncConnection, engagement_id: str) -> Mapping[str, str]:
    """As a rule a vendor's log is of one account. Both ends of an index tell."""
    row = models.Interaction
    account = row.source_account
    ends = select(func.min(account), func.max(account)).where(row.engagement_id == engagement_id)
    found = set((await connection.execute(ends)).one()) - {None}
    return {account.key: found.pop()} if len(found) == 1 else {}


def _statements(dialect: Dialect, part: Part, same: Mapping[str, str]) -> list[str]:
    """One for each window of the part."""
    read = {name: dtype for name, dtype in part.columns.items() if name not in same}
    statement = select(*packed(read)).where(*part.where(part.start, part.end))
    # Put together once, which takes a millisecond or two: the windows alone differ.
    whole = str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    opened_at = f"{models.Interaction.__tablename__}.opened_at"
    return [
        f"{whole} AND {opened_at} >= {start} AND {opened_at} < {end}"
        for start, end in part.windows(_WINDOWS)
    ]


def _fetched(
    uri: str, begin: Sequence[str], to_read: deque[tuple[int, _Piece]]
) -> list[tuple[int, pl.DataFrame]]:
    """Takes pieces out until there are none; each with its number."""
    frames = []
    try:
        with _server(uri).connection() as connection:
            for statement in begin:
                _run(connection, statement)
            with suppress(IndexError):  # nothing is left
                while True:
                    number, piece = to_read.popleft()
                    read = _frame(connection, piece.sql)
                    frames.append((number, unpacked(read, piece.part.columns, piece.same)))
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
