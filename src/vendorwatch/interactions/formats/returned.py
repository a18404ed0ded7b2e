"""Files of refused rows as they come back, mended: the sender's columns, then ours.

A row that does not fit the sender's columns stands in the last of ours as it was sent, and may be
mended there: the sender's columns are then empty.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from vendorwatch.errors import Fault
from vendorwatch.interactions.formats.delimited import Dialect, cell_splitter, split_records
from vendorwatch.interactions.formats.rows import RawRow

OURS = "vendorwatch_"
"""Columns whose names start so were added by us, and are nobody's data."""

RAW = f"{OURS}raw"


class Columns:
    """A header. `theirs` are the places of the sender's columns."""

    def __init__(self, names: Sequence[str], dialect: Dialect) -> None:
        self.names = tuple(names)
        self.theirs = [n for n, name in enumerate(names) if not name.startswith(OURS)]
        self.split = self._splitter(dialect)
        self._raw = self.names.index(RAW) if RAW in names else None

    def whole_row(self, cells: Sequence[str]) -> str | None:
        """The row that stands in our column, if there is nothing in the sender's."""
        if self._raw is None or any(cells[n] for n in self.theirs):
            return None
        return cells[self._raw] or None

    def _splitter(self, dialect: Dialect) -> Callable[[str], list[str]]:
        if dialect.quote or self.names[-1:] != (RAW,):
            return cell_splitter(dialect)
        # Nothing is quoted, so that a whole row can only be all that follows.
        delimiters = len(self.names) - 1
        return lambda text: text.split(dialect.delimiter, delimiters)


def only_row(raw: bytes, dialect: Dialect, row_bytes: int) -> RawRow:
    """With a fault where it is more than one row, or none."""
    found = list(split_records(iter([raw]), 0, replace(dialect, skip_lines=0), row_bytes))
    if len(found) == 1:
        return found[0]
    return RawRow(1, 0, raw, Fault("malformed", f"{len(found)} rows stand where one is expected"))
