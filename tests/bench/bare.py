"""The yardsticks: the same rows put in and read out with nothing around it but the driver."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import Any
from uuid import UUID

import polars as pl
import psycopg
from adbc_driver_postgresql import dbapi  # type: ignore[import-untyped]  # it ships no types
from psycopg import sql

from bench.measure import Timing, timed
from bench.rows import Form
from vendorwatch.db.engine import wal_is_safe
from vendorwatch.interactions.intake import STAGED_COLUMNS, Intake
from vendorwatch.interactions.parse import ReadOptions, read
from vendorwatch.periods import Micros
from vendorwatch.scoring.frames import INTERACTIONS

COLUMNS = ("engagement_id", "in_force", "upload_sequence", *STAGED_COLUMNS)
Cells = tuple[object, ...]
_KEY = ("engagement_id", "source_account", "interaction_id", "content_sha256")


def cells_of(form: Form, now: Micros) -> list[Cells]:
    """What receiving puts into the table, without the engagement's id in front."""
    reading = read(BytesIO(form.body), ReadOptions(now=now, media="ndjson"))
    intake = Intake(reading, pseudonym_key=b"bench")
    return [(True, 1, *row) for batch in intake.batches(10_000) for row in batch.staged]


def insert(url: str, engagement_id: str, cells: Sequence[Cells]) -> Timing:
    """On a connection that has been used before, as a server's has."""
    put_in = _insert_sqlite if url.startswith("sqlite") else _insert_postgresql
    return put_in(url, engagement_id, cells)


def _insert_sqlite(url: str, engagement_id: str, cells: Sequence[Cells]) -> Timing:
    names, marks = ", ".join(f'"{name}"' for name in COLUMNS), ", ".join("?" * len(COLUMNS))
    statement = f"INSERT INTO interactions ({names}) VALUES ({marks})"  # noqa: S608  our own names
    owner = UUID(engagement_id).hex
    rows = [(owner, *row) for row in cells]
    with sqlite(url) as connection, timed() as timing:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(statement, rows)
        connection.execute("COMMIT")
    return timing


def _insert_postgresql(url: str, engagement_id: str, cells: Sequence[Cells]) -> Timing:
    names = sql.SQL(", ").join(map(sql.Identifier, COLUMNS))
    copy_in = sql.SQL("COPY bare ({}) FROM STDIN").format(names)
    move = sql.SQL(
        "INSERT INTO interactions ({0}) SELECT {0} FROM bare ON CONFLICT ({1}) DO NOTHING"
    ).format(names, sql.SQL(", ").join(map(sql.Identifier, _KEY)))
    rows = [(engagement_id, *row) for row in cells]
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM interactions")
        connection.commit()
        with timed() as timing:
            cursor.execute("CREATE TEMPORARY TABLE bare (LIKE interactions) ON COMMIT DROP")
            with cursor.copy(copy_in) as copy:
                for row in rows:
                    copy.write_row(row)
            cursor.execute(move)
            connection.commit()
        # A database that is used for a while knows what is in its tables.
        cursor.execute("ANALYZE interactions")
    return timing


class Fetch:
    """Reads the columns of scoring.frames.INTERACTIONS of what was opened in `[start, end)`.

    On PostgreSQL by ADBC into a Polars frame, on SQLite by sqlite3 into tuples.
    """

    def __init__(self, url: str, engagement_id: str, start: Micros, end: Micros) -> None:
        self._is_sqlite = url.startswith("sqlite")
        owner = UUID(engagement_id).hex if self._is_sqlite else engagement_id
        columns = ", ".join(
            # The driver hands on whatever width a column has; the frame has one for all.
            f"CAST({name} AS bigint) AS {name}" if dtype is pl.Int64 else name
            for name, dtype in INTERACTIONS.items()
        )
        self._statement = (
            f"SELECT {', '.join(INTERACTIONS) if self._is_sqlite else columns} "  # noqa: S608  our own names
            f"FROM interactions WHERE engagement_id = '{owner}' "
            f"AND in_force AND opened_at >= {start} AND opened_at < {end}"
        )
        self._connection: Any = (
            sqlite3.connect(_path(url)) if self._is_sqlite else dbapi.connect(url)
        )

    def run(self) -> tuple[Timing, int]:
        """And how many rows there were."""
        with timed() as timing:
            cursor = self._connection.cursor()
            cursor.execute(self._statement)
            if self._is_sqlite:
                found = len(cursor.fetchall())
            else:
                found = pl.DataFrame(cursor.fetch_arrow()).height
        cursor.close()
        self._connection.rollback()
        return timing, found

    def close(self) -> None:
        self._connection.close()


@contextmanager
def sqlite(url: str) -> Iterator[sqlite3.Connection]:
    """With the settings of vendorwatch.db.engine."""
    connection = sqlite3.connect(_path(url), isolation_level=None)
    journal = "WAL" if wal_is_safe(sqlite3.sqlite_version_info) else "DELETE"
    for pragma in (f"journal_mode = {journal}", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("SELECT count(*) FROM interactions").fetchone()
    try:
        yield connection
    finally:
        connection.close()


def _path(url: str) -> str:
    return url.removeprefix("sqlite:///")
