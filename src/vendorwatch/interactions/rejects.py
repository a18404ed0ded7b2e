"""Refused and skipped rows as files: NDJSON, and CSV that can be mended and sent again."""

import base64
import csv
import io
from collections.abc import Iterable, Sequence

import msgspec

from vendorwatch.interactions.formats.delimited import Dialect
from vendorwatch.interactions.formats.returned import OURS, RAW, Columns, only_row
from vendorwatch.interactions.model import StoredReject

_ADDED = ("row", "line", "offset", "field", "code", "message")
_COMMAS = Dialect()
_AS_SENT = "surrogateescape"  # bytes that are no text in the file's encoding


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
    was sent.
    """

    def __init__(self, columns: Sequence[str], dialect: Dialect = _COMMAS) -> None:
        # No byte order mark before each row.
        self.encoding = dialect.encoding.removesuffix("-sig")
        self._dialect = dialect
        # A file that was mended once already brings our columns along; ours are the newer ones.
        self._columns = Columns(columns, dialect)

    def header(self) -> bytes:
        """Blank lines first where the file had lines before its header."""
        names = [self._columns.names[n] for n in self._columns.theirs]
        added = [OURS + name for name in _ADDED]
        return b"\r\n" * self._dialect.skip_lines + self._line([*names, *added], RAW)

    def rows(self, rejects: Iterable[StoredReject]) -> bytes:
        return b"".join(map(self._row, rejects))

    def _row(self, reject: StoredReject) -> bytes:
        added = [str(place) for place in (reject.row, reject.line, reject.offset)]
        added += map(self._told, (reject.field or "", reject.code, reject.message))
        columns = self._columns
        text = reject.raw.decode(self.encoding, _AS_SENT)
        cells = self._split(reject.raw, text)
        whole = text if cells is None else columns.whole_row(cells)
        if cells is None or whole is not None:
            return self._line([*("" for _ in columns.theirs), *added], whole or "")
        if len(columns.theirs) == len(columns.names):
            return reject.raw + self._dialect.delimiter.encode(self.encoding) + self._line(added)
        return self._line([*(cells[n] for n in columns.theirs), *added])

    def _split(self, raw: bytes, text: str) -> list[str] | None:
        """The cells, if there is one for each column."""
        if not self._columns.names or only_row(raw, self._dialect, len(raw)).fault is not None:
            return None
        cells = self._columns.split(text)
        return cells if len(cells) == len(self._columns.names) else None

    def _told(self, ours: str) -> str:
        """As the file can hold it."""
        text = ours.encode(self.encoding, "backslashreplace").decode(self.encoding)
        marks = "" if self._dialect.quote else f"{self._dialect.delimiter}\r\n"
        return text.translate(dict.fromkeys(map(ord, marks), " "))

    def _line(self, cells: Sequence[str], whole: str = "") -> bytes:
        """`whole` is what stands in the last column."""
        delimiter, quote = self._dialect.delimiter, self._dialect.quote
        buffer = io.StringIO(newline="")
        if quote:
            csv.writer(buffer, delimiter=delimiter, quotechar=quote).writerow([*cells, whole])
        else:
            buffer.write(delimiter.join([*cells, whole]) + "\r\n")
        return buffer.getvalue().encode(self.encoding, _AS_SENT)
