"""Rows of cells as a driver takes them, packed where they are read. Pure.

Whoever stores them hands them over as they are: what is left to do for each row is the database's.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from vendorwatch.interactions.model import Cell

Engine = Literal["sqlite", "postgresql"]
Column = tuple[Cell, ...]
COPY_OPTIONS = "FORMAT csv, ESCAPE '\\', NULL 'null', ENCODING 'UTF8'"
"""How PostgreSQL reads `Packed.rows`."""

_LITERALS: Mapping[Cell, str] = {None: "NULL", False: "0", True: "1"}
_JSON = msgspec.json.Encoder()
_ESCAPED = re.compile(rb"\\(?:([bfnrt])|u00([0-9a-f]{2})|.)")
_LETTERS = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}


class Packed(msgspec.Struct, frozen=True, array_like=True):
    """`rows` are tuples of the cells of `columns` for SQLite, the CSV of a COPY for PostgreSQL.

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
    """Rows as JSON writes lists, without the brackets.

    To PostgreSQL that is CSV whose escape is a backslash: it says the same of quotes, backslashes,
    numbers, truth values and nulls. What else JSON escapes has to stand there itself.
    """
    rows, binary = len(columns[0]), 0
    shown: list[Sequence[Cell]] = []
    for column in columns:
        if isinstance(next((cell for cell in column if cell is not None), None), bytes):
            binary += rows - column.count(None)
            shown.append([None if cell is None else _hexadecimal(cell) for cell in column])
        else:
            shown.append(column)
    lines = _JSON.encode_lines(list(zip(*shown, strict=True)))
    text = lines[1:-2].replace(b"]\n[", b"\n") + b"\n"  # no text holds a line's end as it is
    # The backslash of a cell of bytes is doubled. Any other that is not before a quote, or that is
    # itself escaped, makes them more.
    if text.count(b"\\") != 2 * binary + text.count(b'\\"'):
        text = _ESCAPED.sub(_itself, text)
    return text


def _itself(escaped: re.Match[bytes]) -> bytes:
    letter, code = escaped.groups()
    if letter:
        return _LETTERS[letter]
    return bytes.fromhex(code.decode()) if code else escaped[0]


def _hexadecimal(cell: Cell) -> str:
    assert isinstance(cell, bytes)  # noqa: S101  a column holds bytes in all rows but for nulls
    return "\\x" + cell.hex()


def _shared(column: Column) -> str | None:
    """As SQL, the null or truth value that every row holds; null where there is no such thing.

    sqlite3 spends most of its time on values that are neither numbers nor texts, and a log leaves
    many columns empty from its first row to its last.
    """
    first = column[0]  # where it is a truth value, all others are, or null
    if first is None or first is True or first is False:
        return _LITERALS[first] if column.count(first) == len(column) else None
    return None
