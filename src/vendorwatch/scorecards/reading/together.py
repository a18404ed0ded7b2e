"""Columns that come from PostgreSQL packed into one number. What a row costs, the server and the driver
alike, is by field and hardly by what the field holds; and of an interaction's, two fifths are a word,
a count or a truth value.

The server keeps the number beside them, as a column that it generates itself: to put it together for
each reading took a quarter of the server's time. SQLite has no such column.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl
from sqlalchemy import ColumnElement, literal_column

from vendorwatch.db import models
from vendorwatch.scoring.frames import Schema

_PACKED = "packed"


@dataclass(frozen=True, slots=True)
class _Place:
    """A column's bits in the number, from `at` on: 0 is null, and what it is else begins with 1."""

    at: int
    bits: int
    least: int = 1  # number, for which 1 stands

    def taken_from(self, number: pl.Expr, dtype: pl.DataType | type[pl.DataType]) -> pl.Expr:
        value = (number // 2**self.at) & (2**self.bits - 1)
        if isinstance(dtype, pl.Enum):
            codes = pl.when(value > 0).then(value - 1)
            return codes.cast(pl.UInt8).cat.to(dtype)
        if dtype is pl.Boolean:
            return pl.when(value > 0).then(value > 1)
        return pl.when(value > 0).then(value + (self.least - 1))


# As the column's migration puts them. Words count from 1 in the order of their Enum.
_PLACES: Mapping[str, _Place] = {
    "channel": _Place(0, 4),
    "direction": _Place(4, 2),
    "status": _Place(6, 4),
    "priority": _Place(10, 3),
    "first_reply_known": _Place(13, 2),
    "resolution_known": _Place(15, 2),
    "resolved_by": _Place(17, 3),
    "reopens": _Place(20, 17, least=-(2**15)),
    "handovers": _Place(37, 17, least=-(2**15)),
    "csat": _Place(54, 3),
}


def packed(columns: Schema) -> list[ColumnElement[object]]:
    """What to ask for instead of these columns of interactions."""
    table = models.Interaction.__tablename__
    asked = [getattr(models.Interaction, name) for name in columns if name not in _PLACES]
    if len(asked) < len(columns):
        asked.append(literal_column(f"{table}.{_PACKED}"))
    return asked


def unpacked(frame: pl.DataFrame, columns: Schema, same: Mapping[str, str]) -> pl.DataFrame:
    """The columns themselves, of those types; `same` are those that were not asked for, with the value
    of all rows. Raises ValueError where one holds what no record may.
    """
    if _PACKED in frame.columns and frame[_PACKED].null_count():
        raise ValueError("A stored interaction has a word or a number that no record may have.")
    taken = {
        name: place.taken_from(pl.col(_PACKED), columns[name])
        for name, place in _PLACES.items()
        if name in columns
    }
    known = taken | {name: pl.lit(value) for name, value in same.items()}
    # The driver hands on whatever width a column of numbers has; a frame has one for all.
    return frame.select(
        known.get(name, pl.col(name)).cast(dtype).alias(name) for name, dtype in columns.items()
    )
