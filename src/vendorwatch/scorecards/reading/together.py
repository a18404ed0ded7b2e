"""Columns that come from PostgreSQL packed into one. What a row costs, the server and the driver alike,
is by field and hardly by what the field holds; and a third of an interaction's are a word or a digit.
"""

from collections.abc import Collection, Iterator, Mapping

import polars as pl
from sqlalchemy import ColumnElement, literal_column

from vendorwatch.db import models

_WORDS = ("channel", "direction", "status", "priority", "resolved_by")
_BETWEEN, _NULL = " ", "-"  # neither is in a word
_FLAGS = ("first_reply_known", "resolution_known")  # never null
_NUMBERS = ("reopens", "handovers", "csat")  # of two bytes
_AS_TEXT, _AS_NUMBER = "packed_text", "packed_number"
_ABOVE_NULL = 2**15 + 1  # added to a number of two bytes makes it 1 at least
_NUMBER_BITS = 17


def packed(columns: Collection[str]) -> list[ColumnElement[object]]:
    """What to ask for instead of these columns of interactions."""
    table = models.Interaction.__tablename__
    kept = [name for name in columns if name not in {*_WORDS, *_FLAGS, *_NUMBERS}]
    asked = [getattr(models.Interaction, name) for name in kept]
    words = [f"coalesce({table}.{name}, '{_NULL}')" for name in _WORDS if name in columns]
    if words:
        asked.append(literal_column(f" || '{_BETWEEN}' || ".join(words)).label(_AS_TEXT))
    shifted = [
        f"coalesce({table}.{name} + {_ABOVE_NULL}, 0)::bigint << {at}"
        if name in _NUMBERS
        else f"{table}.{name}::integer::bigint << {at}"
        for name, at in _places(columns)
    ]
    if shifted:
        asked.append(literal_column(" | ".join(f"({each})" for each in shifted)).label(_AS_NUMBER))
    return asked


def unpacked(frame: pl.DataFrame, columns: Mapping[str, type[pl.DataType]]) -> pl.DataFrame:
    """The columns themselves, of those types."""
    found = {name: frame[name] for name in columns if name in frame.columns}
    if _AS_TEXT in frame.columns:
        found |= _words(frame[_AS_TEXT], [name for name in _WORDS if name in columns])
    if _AS_NUMBER in frame.columns:
        number = pl.col(_AS_NUMBER)
        found |= frame.select(
            _number(number, at).alias(name)
            if name in _NUMBERS
            else (number & 2**at != 0).alias(name)
            for name, at in _places(columns)
        ).to_dict()
    # The driver hands on whatever width a column of numbers has; a frame has one for all.
    return pl.DataFrame([found[name].alias(name).cast(of) for name, of in columns.items()])


def _words(texts: pl.Series, names: list[str]) -> dict[str, pl.Series]:
    """There are few different texts: each is taken apart once."""
    different = texts.unique()
    places = texts.cast(pl.Enum(different)).to_physical()
    apart = different.str.split(_BETWEEN).list.to_struct(fields=names).struct.unnest()
    apart = apart.with_columns(pl.all().replace(_NULL, None))
    return {name: apart[name].gather(places) for name in names}


def _number(number: pl.Expr, at: int) -> pl.Expr:
    value = (number // 2**at) & (2**_NUMBER_BITS - 1)
    return pl.when(value > 0).then(value - _ABOVE_NULL)


def _places(columns: Collection[str]) -> Iterator[tuple[str, int]]:
    """From which bit on each of them stands: a flag has one, a number seventeen."""
    at = 0
    for name in (*_FLAGS, *_NUMBERS):
        if name in columns:
            yield name, at
            at += 1 if name in _FLAGS else _NUMBER_BITS
