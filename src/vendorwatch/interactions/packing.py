"""Rows of cells as a driver takes them, packed where they are read. Pure.

Whoever stores them hands them over as they are: what is left to do for each row is the database's.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from vendorwatch.interactions.model import Cell

Engine = Literal["sqlite", "postgresql"]
Column = tuple[Cell, ...]
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
    # Column by column: most of what is done is then done by loops that are not Python's.
    cells = dict(zip(columns, zip(*rows, strict=True), strict=True))
    literals = {name: literal for name in columns if (literal := _shared(cells[name])) is not None}
    if engine == "postgresql":
        kept = {name: cells[name] for name in columns if literals.get(name) != _LITERALS[None]}
        return Packed(tuple(kept), {}, copy_text([*kept.values()]))
    left = {name: cells[name] for name in columns if name not in literals}
    packed = list(zip(*left.values(), strict=True)) if left else [()] * len(rows)
    return Packed(tuple(left), literals, packed)


def copy_text(columns: Sequence[Column]) -> bytes:
    """Rows in the text format of COPY.

    All are put together at once, and then the marks are counted: if there are no more of them than
    were put there, no cell holds one, and nothing needs to be escaped.
    """
    rows, nulls, binary = len(columns[0]), 0, 0
    shown: list[Sequence[object]] = []
    for column in columns:
        empty = column.count(None)
        nulls += empty
        if isinstance(next((cell for cell in column if cell is not None), None), bytes):
            binary += rows - empty
            shown.append([None if cell is None else _hexadecimal(cell) for cell in column])
        else:
            shown.append(column)
    template = "\t".join(["%s"] * len(columns)) + "\n"
    text = "".join(map(template.__mod__, zip(*shown, strict=True)))
    if (
        text.count("\t") != (len(columns) - 1) * rows
        or text.count("\n") != rows
        or text.count("\\") != 2 * binary
        or text.count(_NULL) != nulls
        or "\r" in text
    ):
        lines = zip(*columns, strict=True)
        text = "".join("\t".join(map(_escaped, line)) + "\n" for line in lines)
    return text.encode()


def _escaped(cell: Cell) -> str:
    if isinstance(cell, bytes):
        return _hexadecimal(cell)
    if not isinstance(cell, str):
        return str(cell)
    return _ESCAPED_NULL if cell == _NULL else cell.translate(_ESCAPES)


def _hexadecimal(cell: Cell) -> str:
    assert isinstance(cell, bytes)  # noqa: S101  a column holds bytes in all rows but for nulls
    return "\\\\x" + cell.hex()


def _shared(column: Column) -> str | None:
    """As SQL, the null or truth value that every row holds; null where there is no such thing.

    sqlite3 spends most of its time on values that are neither numbers nor texts, and a log leaves
    many columns empty from its first row to its last.
    """
    first = column[0]  # where it is a truth value, all others are, or null
    if first is None or first is True or first is False:
        return _LITERALS[first] if column.count(first) == len(column) else None
    return None
