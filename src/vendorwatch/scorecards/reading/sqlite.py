"""Columns out of SQLite: it writes each as one JSON array itself, and Polars reads that.

A Python object for each value of each row would cost more than all the rest.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import polars as pl
from sqlalchemy import ColumnElement, LargeBinary, Row, Select, cast, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.db import models
from vendorwatch.periods import Micros
from vendorwatch.scorecards.reading.parts import Part
from vendorwatch.scoring.frames import Schema

_WINDOW_ROWS = 20_000  # read at once, while those before are unpacked on another core


async def fetch(
    connection: AsyncConnection, parts: Sequence[Part], count: Select[int]
) -> tuple[list[pl.DataFrame], int]:
    """A frame for each part, and the number."""
    frames = [await _frame(connection, part) for part in parts]
    return frames, (await connection.execute(count)).scalar_one()


async def _frame(connection: AsyncConnection, part: Part) -> pl.DataFrame:
    packed = [cell for name, dtype in part.columns.items() for cell in _packed(name, dtype)]
    unpacking = []
    for start, end in await _windows(connection, part):
        found = await connection.execute(select(*packed).where(*part.where(start, end)))
        unpacking.append(
            asyncio.ensure_future(asyncio.to_thread(_unpacked, found.one(), part.columns))
        )
    return pl.concat([pl.DataFrame(schema=part.columns), *await asyncio.gather(*unpacking)])


async def _windows(connection: AsyncConnection, part: Part) -> list[tuple[Micros, Micros]]:
    """Of equal length. An index finds each one's rows, unless an earlier state is asked for."""
    number = 1
    if part.known is None:
        counted = select(func.count()).where(*part.where(part.start, part.end))
        number = (await connection.execute(counted)).scalar_one() // _WINDOW_ROWS + 1
    return part.windows(number)


def _packed(name: str, dtype: pl.DataType | type[pl.DataType]) -> list[ColumnElement[Any]]:
    """JSON has no bytes: they are joined, and the array is of their lengths."""
    column = getattr(models.Interaction, name)
    if dtype is not pl.Binary:
        return [func.json_group_array(column)]
    joined = func.group_concat(column, literal_column("''"))
    return [cast(joined, LargeBinary), func.json_group_array(func.length(column))]


def _unpacked(row: Row[*tuple[Any, ...]], columns: Schema) -> pl.DataFrame:
    cells = iter(row)
    return pl.select(
        (_joined(next(cells), next(cells)) if dtype is pl.Binary else _array(next(cells), dtype))
        .cast(dtype)
        .alias(name)
        for name, dtype in columns.items()
    )


def _joined(values: bytes | None, lengths: str) -> pl.Expr:
    length = _array(lengths, pl.Int64)
    return pl.lit(values, dtype=pl.Binary).bin.slice(length.cum_sum() - length, length)


def _array(values: str, dtype: pl.DataType | type[pl.DataType]) -> pl.Expr:
    """Raises where a value is of another type."""
    # SQLite knows 0 and 1, and texts.
    element = {pl.Boolean: pl.Int64, pl.Enum: pl.String}.get(dtype.base_type(), dtype)
    return pl.lit(values, dtype=pl.String).str.json_decode(pl.List(element)).explode()
