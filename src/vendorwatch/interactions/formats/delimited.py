"""CSV as RFC 4180 has it: cells between delimiters, quoted where they hold one, a quote or a line
end, with the quotes inside doubled. A quote after other text in a cell is part of the text.

An opening quote that is not closed, or closed in the middle of a cell, spoils only the line on
which its row starts: that line is refused, and reading goes on at the next one.
"""

import re
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from vendorwatch.errors import Fault
from vendorwatch.interactions.fields import show
from vendorwatch.interactions.formats.faults import BadHeader
from vendorwatch.interactions.formats.lines import count_empty, split_lines, without_cr
from vendorwatch.interactions.formats.rows import RawRow, too_large
from vendorwatch.interactions.refusals import EmptyUpload

_UNCLOSED = "A quote opens a cell and does not close it; only this line was left out"
_SPOILT = (
    "A quote closes a cell and more text follows it, where a quote inside a cell is written twice; "
    "only this line was left out"
)
_TOLD = 5  # columns that a message names

Line = tuple[int, int, bytes]


@dataclass(frozen=True, slots=True)
class Dialect:
    """`encoding` is a codec of Python in which ASCII is ASCII. `quote` is empty where nothing is
    quoted. `skip_lines` come before the header.
    """

    delimiter: str = ","
    quote: str = '"'
    encoding: str = "utf-8"
    skip_lines: int = 0


class _End(Enum):
    CLOSED = "closed"
    OPEN = "open"  # inside quotes: the row goes on
    SPOILT = "spoilt"  # text after a closing quote


def split_records(
    chunks: Iterator[bytes], offset: int, dialect: Dialect, row_bytes: int
) -> Iterator[RawRow]:
    """The header comes first, like any row. Empty lines are no rows."""
    lines = _Lines(split_lines(chunks, offset))
    for _ in range(dialect.skip_lines):
        lines.take()
    scan = _Scan(dialect) if dialect.quote else None
    empty = 0
    while (line := lines.take()) is not None:
        number, start, piece = line
        raw = without_cr(piece)
        if not raw:
            empty = count_empty(empty)
        elif len(raw) > row_bytes:
            yield RawRow(number, start, raw[:row_bytes], too_large(len(raw), row_bytes))
        elif scan is None or scan.quote not in raw:
            yield RawRow(number, start, raw)
        else:
            yield _quoted_record(line, lines, scan, row_bytes)


def cell_splitter(dialect: Dialect) -> Callable[[str], list[str]]:
    """For rows that split_records has found no fault with."""
    delimiter, quote = dialect.delimiter, dialect.quote
    if not quote:
        return lambda text: text.split(delimiter)
    d, q = re.escape(delimiter), re.escape(quote)
    cells = re.compile(f"(?:{q}([^{q}]*(?:{q}{q}[^{q}]*)*){q}|([^{d}]*)){d}")
    doubled = quote + quote

    def split(text: str) -> list[str]:
        if quote not in text:
            return text.split(delimiter)
        # With one more delimiter every cell has one behind it, the last one too.
        return [
            quoted.replace(doubled, quote) if quoted else bare
            for quoted, bare in cells.findall(text + delimiter)
        ]

    return split


def read_header(rows: Iterator[RawRow], dialect: Dialect) -> tuple[str, ...]:
    """The first row's cells, without blanks around them; `column_3` where a name is empty.

    Raises EmptyUpload where there is no row, BadHeader where it cannot be read or a name is there
    twice.
    """
    raw = next(rows, None)
    if raw is None or (raw.raw.isspace() and not raw.raw.strip(b" ")):
        raise EmptyUpload("The body has no header. Nothing was stored.")
    if raw.fault is not None:
        raise BadHeader(f"The header cannot be read: {raw.fault.detail}", faults=(raw.fault,))
    try:
        cells = cell_splitter(dialect)(raw.raw.decode(dialect.encoding))
    except UnicodeDecodeError:
        raise BadHeader(f"The header is not {dialect.encoding}") from None
    columns = tuple(cell.strip() or f"column_{at}" for at, cell in enumerate(cells, start=1))
    twice = sorted(name for name, count in Counter(columns).items() if count > 1)
    if twice:
        faults = tuple(Fault("duplicate_column", f"{show(n)} stands twice", n) for n in twice)
        raise BadHeader(f"The header has columns twice: {_names(twice)}", faults=faults)
    return columns


def check_header(columns: Sequence[str], required: Iterable[str]) -> None:
    """Raises BadHeader that names every column that is missing."""
    missing = [name for name in required if name not in columns]
    if not missing:
        return
    hint = "; a file with columns of its own needs a mapping: format=mapped, or push --map"
    if len(columns) == 1:
        hint = "; the header is a single column, so the delimiter may be another one"
    if any("\r" in name for name in columns):
        hint = "; the lines end with CR alone, and must end with LF or CR LF"
    faults = tuple(Fault("missing_column", f"{show(n)} is missing", n) for n in missing)
    told = f"The header lacks columns: {_names(missing)}; it has {_first(columns)}{hint}"
    raise BadHeader(told, faults=faults)


def _first(columns: Sequence[str]) -> str:
    more = len(columns) - _TOLD
    return _names(columns[:_TOLD]) + (f" and {more} more" if more > 0 else "")


def _names(names: Iterable[str]) -> str:
    return ", ".join(map(show, names))


class _Lines:
    """Lines, of which those to come can be looked at.

    Whether a line ends a row that is open at its start does not depend on where that row started.
    So each is looked at once, however many rows before it are open: with a quote too many in every
    line, all of them are.
    """

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = lines
        self._ahead: deque[Line] = deque()
        self._open = 0  # how many of those ahead leave open what is open at their start
        self._end: _End | None = None  # what the line after them does, once it is known

    def take(self) -> Line | None:
        if not self._ahead:
            return next(self._lines, None)
        if self._open:
            self._open -= 1
        else:
            self._end = None
        return self._ahead.popleft()

    def look_for_end(self, scan: "_Scan", furthest: int) -> tuple[_End, int]:
        """Of a row that is open at the end of the line taken last: how it ends, and with how many
        lines more. It stays open where it has no end up to the byte `furthest`.
        """
        while (line := self._at(self._open)) is not None:
            if line[1] + len(line[2]) - line[2].endswith(b"\r") > furthest:
                break
            self._end = self._end or scan.go_on(without_cr(line[2]))
            if self._end is not _End.OPEN:
                return self._end, self._open + 1
            self._open, self._end = self._open + 1, None
        return _End.OPEN, 0

    def _at(self, place: int) -> Line | None:
        if place == len(self._ahead) and (line := next(self._lines, None)) is not None:
            self._ahead.append(line)
        return self._ahead[place] if place < len(self._ahead) else None


class _Scan:
    """Where a line stands at its end, cell by cell."""

    def __init__(self, dialect: Dialect) -> None:
        self.quote = dialect.quote.encode()
        self._delimiter = dialect.delimiter.encode()
        self._opening = self._delimiter + self.quote
        q, d = re.escape(self.quote), re.escape(self._delimiter)
        # Written so that there is one way to match, and no possessive quantifiers: those of
        # Python 3.11.2, which is Debian 12's, match wrongly (python/cpython#106052).
        closing = b"[^%b]*(?:%b%b[^%b]*)*%b(?!%b)" % (q, q, q, q, q, q)
        cell = b"(?:%b%b|(?!%b)[^%b]*)" % (q, closing, q, d)
        self._closing = re.compile(closing)
        self._is_whole = re.compile(b"%b(?:%b%b)*" % (cell, d, cell)).fullmatch

    def start(self, line: bytes) -> _End:
        if self._is_whole(line):
            return _End.CLOSED  # nearly always, and told at once
        if line.startswith(self.quote):
            return self._inside(line, len(self.quote))
        return self._outside(line, 0)

    def go_on(self, line: bytes) -> _End:
        return self._inside(line, 0)

    def _outside(self, line: bytes, position: int) -> _End:
        at = line.find(self._opening, position)
        return _End.CLOSED if at < 0 else self._inside(line, at + len(self._opening))

    def _inside(self, line: bytes, position: int) -> _End:
        while found := self._closing.match(line, position):
            position = found.end()
            if position == len(line):
                return _End.CLOSED
            if not line.startswith(self._delimiter, position):
                return _End.SPOILT
            position = line.find(self._opening, position)
            if position < 0:
                return _End.CLOSED
            position += len(self._opening)
        return _End.OPEN


def _quoted_record(first: Line, lines: _Lines, scan: _Scan, row_bytes: int) -> RawRow:
    number, start, piece = first
    raw = without_cr(piece)
    end = scan.start(raw)
    if end is _End.OPEN:
        end, more = lines.look_for_end(scan, start + row_bytes)
        if end is _End.CLOSED:
            rest = [line[2] for line in (lines.take() for _ in range(more)) if line]
            return RawRow(number, start, without_cr(b"\n".join([piece, *rest])))
    if end is _End.CLOSED:
        return RawRow(number, start, raw)
    told = _SPOILT if end is _End.SPOILT else _UNCLOSED
    return RawRow(number, start, raw, Fault("malformed", told))
