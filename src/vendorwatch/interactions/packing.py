"""Rows of cells as a driver takes them, packed where they are read. Pure.

Whoever stores them hands them over as they are: what is left to do for each row is the database's.
"""

from collections.abc import Collection, Mapping, Sequence
from operator import itemgetter
from typing import Any, Literal

import msgspec

from vendorwatch.interactions.model import Cell

Engine = Literal["sqlite", "postgresql"]
COPY_OPTIONS = "NULL 'None', ENCODING 'UTF8'"
"""How PostgreSQL reads `Packed.rows`: its text format, with Python's word for null."""

_NULL = "None"
_LITERALS: Mapping[Cell, str] = {None: "NULL", False: "0", True: "1"}
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_ESCAPED_NULL = "\\116one"  # octal: a backslash before the letter itself would be lost on nobody


class Packed(msgspec.Struct, frozen=True, array_like=True):
    """`rows` are tuples of the cells of `columns` for SQLite, the text of a COPY for PostgreSQL.

    `literals` are further columns, which hold the same in every row, as SQL.
    """

    columns: tuple[str, ...]
    literals: dict[str, str]
    rows: list[tuple[Any, ...]] | bytes


def pack(columns: Sequence[str], rows: Sequence[tuple[Cell, ...]], engine: Engine) -> Packed | None:
    """Null where there are no rows."""
    if not rows:
        return None
    shared = _shared(rows)
    if engine == "postgresql":
        shared = {place: literal for place, literal in shared.items() if literal == "NULL"}
    left = tuple(name for place, name in enumerate(columns) if place not in shared)
    kept = _without(rows, shared)
    if engine == "postgresql":
        return Packed(left, {}, copy_text(kept))
    return Packed(left, {columns[place]: literal for place, literal in shared.items()}, kept)


def copy_text(rows: Sequence[tuple[Cell, ...]]) -> bytes:
    """In the text format of COPY.

    All rows are put together at once, and then the marks are counted: if there are no more of them
    than were put there, no cell holds one, and nothing needs to be escaped.
    """
    width = len(rows[0])
    template = "\t".join(["%s"] * width) + "\n"
    binary = _binary_places(rows)
    shown = [_with_hexadecimal(row, binary) for row in rows] if binary else rows
    text = "".join([template % tuple(row) for row in shown])
    nulls = sum(row.count(None) for row in shown)
    backslashes = 2 * sum(row[place] is not None for place in binary for row in shown)
    if (
        text.count("\t") != (width - 1) * len(rows)
        or text.count("\n") != len(rows)
        or text.count("\\") != backslashes
        or text.count(_NULL) != nulls
        or "\r" in text
    ):
        text = "".join("\t".join(map(_escaped, row)) + "\n" for row in rows)
    return text.encode()


def _escaped(cell: Cell) -> str:
    if isinstance(cell, bytes):
        return _hexadecimal(cell)
    if not isinstance(cell, str):
        return str(cell)
    return _ESCAPED_NULL if cell == _NULL else cell.translate(_ESCAPES)


def _hexadecimal(cell: bytes) -> str:
    return "\\\\x" + cell.hex()


def _binary_places(rows: Sequence[tuple[Cell, ...]]) -> list[int]:
    """A column holds bytes in all rows or in none, but for nulls."""
    places = []
    for place, cell in enumerate(rows[0]):
        if cell is None:
            cell = next((row[place] for row in rows if row[place] is not None), None)  # noqa: PLW2901  the first that says something
        if isinstance(cell, bytes):
            places.append(place)
    return places


def _with_hexadecimal(row: tuple[Cell, ...], places: list[int]) -> list[Cell]:
    cells = list(row)
    for place in places:
        cell = cells[place]
        if isinstance(cell, bytes):
            cells[place] = _hexadecimal(cell)
    return cells


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


def _without(rows: Sequence[tuple[Cell, ...]], places: Collection[int]) -> list[tuple[Cell, ...]]:
    kept = [place for place in range(len(rows[0])) if place not in places]
    if len(kept) < 2:  # noqa: PLR2004  itemgetter gives no tuple then
        return [tuple(row[place] for place in kept) for row in rows]
    return list(map(itemgetter(*kept), rows))
