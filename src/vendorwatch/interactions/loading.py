"""Rows of tuples into a table, by the fastest way that the engine has."""

import asyncio
from collections.abc import Collection, Sequence
from operator import itemgetter

import psycopg
from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.db.engine import DatabaseUnavailable
from vendorwatch.interactions.model import Cell

_LITERALS: dict[Cell, str] = {None: "NULL", False: "0", True: "1"}


async def load(
    connection: AsyncConnection,
    table: str,
    columns: Sequence[str],
    rows: Sequence[tuple[Cell, ...]],
) -> None:
    """Appends `rows`, whose cells are those of `columns`."""
    if not rows:
        return
    shared = _shared(rows)
    if connection.dialect.name == "postgresql":
        empty = [place for place, literal in shared.items() if literal == "NULL"]
        await _copy(connection, table, _left(columns, empty), _without(rows, empty))
        return
    marks = ", ".join(shared.get(place, "?") for place in range(len(columns)))
    names = _listed(columns)
    statement = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608  our own names
    await connection.exec_driver_sql(statement, _without(rows, shared))


async def _copy(
    connection: AsyncConnection,
    table: str,
    columns: Sequence[str],
    rows: Sequence[tuple[Cell, ...]],
) -> None:
    statement = f"COPY {table} ({_listed(columns)}) FROM STDIN"
    raw = await connection.get_raw_connection()
    driver = raw.driver_connection
    assert isinstance(driver, psycopg.AsyncConnection)  # noqa: S101  the one driver that we use
    try:
        async with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                await copy.write_row(row)
    except asyncio.CancelledError:
        # A COPY that is broken off leaves a connection that takes no ROLLBACK.
        await connection.invalidate()
        raise
    except psycopg.OperationalError as error:  # not seen by SQLAlchemy, which would translate it
        raise DatabaseUnavailable(
            "The database did not answer; nothing was stored. Try again.", retry_after_seconds=5
        ) from error


def _shared(rows: Sequence[tuple[Cell, ...]]) -> dict[int, str]:
    """The places that hold the same null or truth value in every row, as SQL.

    sqlite3 spends most of its time on values that are neither numbers nor texts, and a log leaves
    many columns empty from its first row to its last.
    """
    return {
        place: _LITERALS[cell]
        for place, cell in enumerate(rows[0])
        if (cell is None or cell is True or cell is False)
        and all(row[place] is cell for row in rows)
    }


def _without(
    rows: Sequence[tuple[Cell, ...]], places: Collection[int]
) -> Sequence[tuple[Cell, ...]]:
    kept = [place for place in range(len(rows[0])) if place not in places]
    if len(kept) < 2:  # noqa: PLR2004  itemgetter gives no tuple then
        return [tuple(row[place] for place in kept) for row in rows]
    return list(map(itemgetter(*kept), rows))


def _left(columns: Sequence[str], places: Collection[int]) -> list[str]:
    return [name for place, name in enumerate(columns) if place not in places]


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in columns)
