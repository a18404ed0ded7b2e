"""Packed rows into a table, by the fastest way that the engine has."""

import asyncio
from collections.abc import Iterable

import psycopg
from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.db.engine import driver_of
from vendorwatch.interactions.packing import COPY_OPTIONS, Packed


async def load(connection: AsyncConnection, table: str, packed: Packed) -> None:
    """Appends the rows."""
    if isinstance(packed.rows, bytes):
        await _copy(connection, table, packed.columns, packed.rows)
        return
    names = _listed((*packed.columns, *packed.literals))
    values = ", ".join([*("?" for _ in packed.columns), *packed.literals.values()])
    statement = f"INSERT INTO {table} ({names}) VALUES ({values})"  # noqa: S608  our own names
    await connection.exec_driver_sql(statement, packed.rows)


async def _copy(
    connection: AsyncConnection, table: str, columns: Iterable[str], text: bytes
) -> None:
    statement = f"COPY {table} ({_listed(columns)}) FROM STDIN WITH ({COPY_OPTIONS})"
    driver = await driver_of(connection)
    assert isinstance(driver, psycopg.AsyncConnection)  # noqa: S101  the one driver that we use
    try:
        async with driver.cursor() as cursor, cursor.copy(statement.encode()) as copy:
            await copy.write(text)
    except asyncio.CancelledError:
        # A COPY that is broken off leaves a connection that takes no ROLLBACK.
        await connection.invalidate()
        raise


def _listed(columns: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in columns)
