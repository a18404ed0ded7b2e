"""Refused and skipped rows as files: NDJSON, and CSV that can be mended and sent again."""

import base64
import csv
import io
from collections.abc import Iterable, Sequence

import msgspec

from vendorwatch.interactions.model import StoredReject

OURS = "vendorwatch_"
_ADDED = ("row", "line", "offset", "field", "code", "message")
_RAW = f"{OURS}raw"


def ndjson(rejects: Iterable[StoredReject]) -> bytes:
    """One object a line. `raw` is text, or `raw_base64` where the bytes are not UTF-8."""
    return b"".join(msgspec.json.encode(_object(reject)) + b"\n" for reject in rejects)


def _object(reject: StoredReject) -> dict[str, object]:
    shown: dict[str, object] = {
        "row": reject.row,
        "line": reject.line,
        "offset": reject.offset,
        "outcome": reject.outcome,
        "field": reject.field,
        "code": reject.code,
        "message": reject.message,
        "errors": reject.errors,
    }
    try:
        shown["raw"] = reject.raw.decode()
    except UnicodeDecodeError:
        shown["raw_base64"] = base64.b64encode(reject.raw).decode()
    return shown


class CsvRejects:
    """The sender's columns with the sender's bytes, then ours.

    A row is not split and quoted anew: what stands in the file is what was sent. Only a row that
    does not fit the header goes into `vendorwatch_raw` as a whole. `columns` is the header as it
    was sent; the rest says how that file was written (no `quote`: nothing in it is quoted).
    """

    def __init__(
        self,
        columns: Sequence[str],
        *,
        delimiter: str = ",",
        quote: str = '"',
        encoding: str = "utf-8",
        skip_lines: int = 0,
    ) -> None:
        self._columns = tuple(columns)
        self._delimiter = delimiter
        self._quote = quote
        self.encoding = encoding.removesuffix("-sig")  # no byte order mark before each row
        self._skip_lines = skip_lines
        # A file that was mended once already brings our columns along; ours are the newer ones.
        self._kept = [n for n, name in enumerate(self._columns) if not name.startswith(OURS)]

    def header(self) -> bytes:
        """Blank lines first where the file had lines before its header."""
        kept = [self._columns[n] for n in self._kept]
        names = [*kept, *(OURS + name for name in _ADDED), _RAW]
        return b"\r\n" * self._skip_lines + self._line(names)

    def rows(self, rejects: Iterable[StoredReject]) -> bytes:
        return b"".join(map(self._row, rejects))

    def _row(self, reject: StoredReject) -> bytes:
        added = [str(place) for place in (reject.row, reject.line, reject.offset)]
        added += [reject.field or "", reject.code, reject.message]
        cells = self._split(reject.raw)
        if cells is None:
            raw = reject.raw.decode(self.encoding, "backslashreplace")
            return self._line([*("" for _ in self._kept), *added, raw])
        if len(self._kept) == len(self._columns):
            ours = self._line([*added, ""])
            return reject.raw + self._delimiter.encode(self.encoding) + ours
        return self._line([*(cells[n] for n in self._kept), *added, ""])

    def _split(self, raw: bytes) -> list[str] | None:
        """The cells, if there is one for each column."""
        if not self._columns:
            return None
        try:
            text = raw.decode(self.encoding)
            rows = list(csv.reader(io.StringIO(text, newline=""), self._dialect(), strict=True))
        except (UnicodeDecodeError, csv.Error):
            return None
        fits = len(rows) == 1 and len(rows[0]) == len(self._columns)
        return rows[0] if fits else None

    def _line(self, cells: Sequence[str]) -> bytes:
        buffer = io.StringIO(newline="")
        if not self._quote:
            marks = dict.fromkeys(map(ord, f"{self._delimiter}\r\n"), " ")
            cells = [cell.translate(marks) for cell in cells]
        csv.writer(buffer, self._dialect()).writerow(cells)
        return buffer.getvalue().encode(self.encoding, "backslashreplace")

    def _dialect(self) -> type[csv.Dialect]:
        class Written(csv.excel):
            delimiter = self._delimiter
            quotechar = self._quote or None
            quoting = csv.QUOTE_MINIMAL if self._quote else csv.QUOTE_NONE

        return Written
