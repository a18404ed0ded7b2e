"""Lines with their places. A line ends with LF; a CR before it belongs to the end as well."""

from collections.abc import Iterator

from vendorwatch.interactions.formats.faults import RowTooLarge, TooManyRows
from vendorwatch.interactions.formats.rows import ENDLESS, RawRow, too_large

MOST_EMPTY = 1_000_000


def split_lines(chunks: Iterator[bytes], offset: int) -> Iterator[tuple[int, int, bytes]]:
    """`(line, offset, bytes without LF)`; a CR at the end is left. Raises RowTooLarge."""
    line, tail = 0, b""
    for chunk in chunks:
        pieces = (tail + chunk).split(b"\n")
        tail = pieces.pop()
        for piece in pieces:
            line += 1
            yield line, offset, piece
            offset += len(piece) + 1
        if len(tail) > ENDLESS:
            raise RowTooLarge(f"Line {line + 1} has no end within {ENDLESS} bytes")
    if tail:
        yield line + 1, offset, tail


def json_lines(chunks: Iterator[bytes], offset: int, row_bytes: int) -> Iterator[RawRow]:
    """Lines of white space are no rows. Raises RowTooLarge and TooManyRows."""
    empty = 0
    for line, start, piece in split_lines(chunks, offset):
        raw = without_cr(piece)
        if len(raw) > row_bytes:
            yield RawRow(line, start, raw[:row_bytes], too_large(len(raw), row_bytes))
        elif raw and not raw.isspace():
            yield RawRow(line, start, raw)
        else:
            empty = count_empty(empty)


def count_empty(before: int) -> int:
    """One more. Raises TooManyRows: none of them is a row, yet each has to be looked at."""
    if before == MOST_EMPTY:
        raise TooManyRows(f"The upload has more than {MOST_EMPTY} empty lines")
    return before + 1


def without_cr(line: bytes) -> bytes:
    return line[:-1] if line.endswith(b"\r") else line
