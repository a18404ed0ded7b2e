"""Puts a month of interactions into a database without going through the application."""

import sqlite3
from uuid import UUID

import polars as pl
import psycopg
from psycopg import sql

_CONSTANTS = {"in_force": True, "upload_sequence": 1, "source_system": "bench"}


def fill(url: str, engagement_id: str, interactions: pl.DataFrame) -> None:
    """`interactions` has the columns of scoring.frames.INTERACTIONS."""
    is_sqlite = url.startswith("sqlite")
    rows = interactions.select(
        engagement_id=pl.lit(UUID(engagement_id).hex if is_sqlite else engagement_id),
        row_number=pl.int_range(pl.len(), dtype=pl.Int64) + 1,
        **{name: pl.lit(value) for name, value in _CONSTANTS.items()},
        **{name: pl.col(name) for name in interactions.columns},
    )
    (_into_sqlite if is_sqlite else _into_postgresql)(url, rows)


def _into_sqlite(url: str, rows: pl.DataFrame) -> None:
    names, marks = ", ".join(rows.columns), ", ".join("?" * rows.width)
    statement = f"INSERT INTO interactions ({names}) VALUES ({marks})"  # noqa: S608  our own names
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    try:
        connection.execute("BEGIN")
        connection.executemany(statement, rows.iter_rows())
        connection.execute("COMMIT")
        connection.execute("ANALYZE")
    finally:
        connection.close()


def _into_postgresql(url: str, rows: pl.DataFrame) -> None:
    binary = [name for name, dtype in rows.schema.items() if dtype == pl.Binary]
    in_hex = [pl.format("\\x{}", pl.col(name).bin.encode("hex")).alias(name) for name in binary]
    copy_in = sql.SQL("COPY interactions ({}) FROM STDIN (FORMAT csv)").format(
        sql.SQL(", ").join(map(sql.Identifier, rows.columns))
    )
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        with cursor.copy(copy_in) as copy:
            for part in rows.iter_slices(100_000):
                copy.write(part.with_columns(in_hex).write_csv(include_header=False))
        # A database that is used for a while knows what is in its tables.
        cursor.execute("ANALYZE interactions")
