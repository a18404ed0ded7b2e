"""Columns that come from PostgreSQL packed into one number. What a row costs, the server and the driver
alike, is by field and hardly by what the field holds; and of an interaction's, two fifths are a word,
a count or a truth value.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl
from sqlalchemy import ColumnElement, literal_column

from vendorwatch.db import models
from vendorwatch.scoring.frames import Schema

_COUNTS = ("reopens", "handovers")  # of two bytes
_GRADES = {"csat": 5}  # 1 is the least
_TABLE = models.Interaction.__tablename__
_PACKED = "packed"
_ABOVE_NULL = 2**15 + 1  # added to a number of two bytes makes it 1 at least
_BITS = 63


@dataclass(frozen=True, slots=True)
class _Place:
    """A column's bits in the number, from `at` on: 0 is null, and what it is else begins with 1."""

    name: str
    dtype: pl.DataType | type[pl.DataType]
    at: int
    bits: int

    @property
    def sql(self) -> str:
        """Null where the column holds what no record may, and so is the whole number then."""
        column = f"{_TABLE}.{self.name}"
        if self.name in _COUNTS:
            return f"coalesce(({column} + {_ABOVE_NULL})::bigint << {self.at}, 0)"
        cases = [f"WHEN {column} IS NULL THEN 0::bigint"]
        if isinstance(self.dtype, pl.Enum):
            cases += [
                f"WHEN {column} = '{word}' THEN {code << self.at}::bigint"
                for code, word in enumerate(self.dtype.categories, 1)
            ]
        elif self.dtype is pl.Boolean:
            cases += [f"WHEN {column} THEN {2 << self.at}::bigint ELSE {1 << self.at}"]
        else:
            most = _GRADES[self.name]
            cases += [f"WHEN {column} BETWEEN 1 AND {most} THEN {column}::bigint << {self.at}"]
        return f"CASE {' '.join(cases)} END"

    def taken_from(self, number: pl.Expr) -> pl.Expr:
        value = (number // 2**self.at) & (2**self.bits - 1)
        if isinstance(self.dtype, pl.Enum):
            codes = pl.when(value > 0).then(value - 1)
            return codes.cast(pl.UInt8).cat.to(self.dtype)
        if self.dtype is pl.Boolean:
            return pl.when(value > 0).then(value > 1)
        return pl.when(value > 0).then(value - _ABOVE_NULL if self.name in _COUNTS else value)


def packed(columns: Schema) -> list[ColumnElement[object]]:
    """What to ask for instead of these columns of interactions."""
    places = list(_places(columns))
    named = {each.name for each in places}
    asked = [getattr(models.Interaction, name) for name in columns if name not in named]
    if places:
        asked.append(literal_column(" | ".join(each.sql for each in places)).label(_PACKED))
    return asked


def unpacked(frame: pl.DataFrame, columns: Schema, same: Mapping[str, str]) -> pl.DataFrame:
    """The columns themselves, of those types; `same` are those that were not asked for, with the value
    of all rows. Raises ValueError where one holds what no record may.
    """
    if _PACKED in frame.columns and frame[_PACKED].null_count():
        raise ValueError("A stored interaction has a word or a number that no record may have.")
    taken = {each.name: each.taken_from(pl.col(_PACKED)) for each in _places(columns)}
    known = taken | {name: pl.lit(value) for name, value in same.items()}
    # The driver hands on whatever width a column of numbers has; a frame has one for all.
    return frame.select(
        known.get(name, pl.col(name)).cast(dtype).alias(name) for name, dtype in columns.items()
    )


def _places(columns: Schema) -> Iterator[_Place]:
    at = 0
    for name, dtype in columns.items():
        if name in _COUNTS:
            bits = (2**15 + _ABOVE_NULL).bit_length()
        elif name in _GRADES:
            bits = _GRADES[name].bit_length()
        elif isinstance(dtype, pl.Enum):
            bits = len(dtype.categories).bit_length()
        elif dtype is pl.Boolean:
            bits = 2
        else:
            continue
        yield _Place(name, dtype, at, bits)
        at += bits
    assert at <= _BITS, "packed columns need another number"  # noqa: S101  our own columns
