"""A JSON array, element by element, without reading it whole.

A row is whatever stands between two commas of the array; whether it is JSON is for others to say.
"""

import re
import sys
from collections.abc import Iterator

from vendorwatch.interactions.formats.faults import RowTooLarge, UnreadableFormat
from vendorwatch.interactions.formats.rows import ENDLESS, RawRow, too_large
from vendorwatch.interactions.refusals import EmptyUpload

NOTHING = "The body holds nothing but white space. Nothing was stored."

_BLANKS = b" \t\r\n"
_NOT_BLANK = re.compile(rb"[^ \t\r\n]")
# One way to match each, and no possessive quantifiers: those of Python 3.11.2 match wrongly.
_STRING = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
_AT_TOP = re.compile(rb'[^"\[\]{},]*(?:%b[^"\[\]{},]*)*([\[\]{},])' % _STRING, re.DOTALL)
_INSIDE = re.compile(rb'[^"\[\]{}]*(?:%b[^"\[\]{}]*)*([\[\]{}])' % _STRING, re.DOTALL)


def split_elements(chunks: Iterator[bytes], offset: int, row_bytes: int) -> Iterator[RawRow]:
    """Raises UnreadableFormat where the body is not an array or the array does not end."""
    window = _Window(chunks, offset)
    window.enter()
    row, last = window.take(row_bytes)
    if last and not row.raw:
        return window.leave()
    yield row
    while not last:
        row, last = window.take(row_bytes)
        yield row
    return window.leave()


class _Window:
    """The part of the body that is held: at least from the current element on."""

    def __init__(self, chunks: Iterator[bytes], offset: int) -> None:
        self._chunks = chunks
        self._bytes = b""
        self._start = 0  # of the current element within the window
        self._offset = offset  # of the window's first byte
        self._line = 1  # at the current element's start

    def enter(self) -> None:
        while not self._skip_blanks():
            if not self._grow():
                raise EmptyUpload(NOTHING)
        if not self._bytes.startswith(b"[", self._start):
            raise UnreadableFormat("The body is not a JSON array; application/json needs one")
        self._start += 1

    def take(self, row_bytes: int) -> tuple[RawRow, bool]:
        """The next element, and whether it is the last one."""
        length = depth = 0
        while True:
            found = (_INSIDE if depth else _AT_TOP).match(self._bytes, self._start + length)
            if not found:
                self._need_more()
                continue
            mark, length = found[1], found.end() - self._start
            if mark in b"[{":
                depth += 1
            elif mark in b"]}" and depth:
                depth -= 1
            elif mark != b"}":
                return self._cut(length - 1, row_bytes), mark == b"]"

    def leave(self) -> None:
        while not self._skip_blanks():
            if not self._grow():
                return
        where = self._offset + self._start
        raise UnreadableFormat(f"Something follows the array at byte {where}")

    def _cut(self, length: int, row_bytes: int) -> RawRow:
        end = self._start + length
        self._skip_blanks(end)
        raw = self._bytes[self._start : end].rstrip(_BLANKS)
        fault = too_large(len(raw), row_bytes) if len(raw) > row_bytes else None
        row = RawRow(self._line, self._offset + self._start, raw[:row_bytes], fault)
        self._line += self._bytes.count(b"\n", self._start, end)
        self._start = end + 1
        return row

    def _skip_blanks(self, end: int | None = None) -> bool:
        """Whether something else was found."""
        found = _NOT_BLANK.search(self._bytes, self._start, sys.maxsize if end is None else end)
        at = found.start() if found else (len(self._bytes) if end is None else self._start)
        self._line += self._bytes.count(b"\n", self._start, at)
        self._start = at
        return found is not None

    def _need_more(self) -> None:
        size = len(self._bytes) - self._start
        if size > ENDLESS:
            where = self._offset + self._start
            raise RowTooLarge(f"The element at byte {where} has no end within {ENDLESS} bytes")
        if not self._grow():
            raise UnreadableFormat("The array has no end; the body was cut off")

    def _grow(self) -> bool:
        chunk = next(self._chunks, None)
        if chunk is None:
            return False
        self._bytes = self._bytes[self._start :] + chunk
        self._offset += self._start
        self._start = 0
        return True
