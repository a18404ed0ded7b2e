"""Counts of contacts as a CSV file: `day,contacts` or `day,channel,contacts`."""

import csv
import io
import re
from datetime import date

from vendorwatch.anomalies.model import MOST_CONTACTS, BadContactCounts, ContactCount
from vendorwatch.errors import Fault
from vendorwatch.interactions.fields import show

COLUMNS = ContactCount.__struct_fields__
_NEEDED = ("day", "contacts")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DIGITS = re.compile(r"[0-9]+")


def read_counts(text: str) -> list[ContactCount]:
    """Raises BadContactCounts with the faults of the header, or of every row that cannot be read."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        rows = [cells for cells in reader if cells]
    except csv.Error as error:
        raise _refused([Fault("malformed", str(error), line=reader.line_num)]) from error
    header = [name.strip() for name in rows[0]] if rows else []
    wrong = [name for name in header if name not in COLUMNS or header.count(name) > 1]
    wrong += [name for name in _NEEDED if name not in header]
    if wrong:
        told = show(",".join(header))
        detail = f"the first line is day,contacts or day,channel,contacts, with commas, not {told}"
        raise _refused([Fault("bad_header", detail, line=1)])
    faults: list[Fault] = []
    counts = []
    for row, cells in enumerate(rows[1:], start=1):
        count = _count(header, cells, row)
        if isinstance(count, Fault):
            faults.append(count)
        else:
            counts.append(count)
    if faults:
        raise _refused(faults)
    return counts


def _count(header: list[str], cells: list[str], row: int) -> ContactCount | Fault:
    if len(cells) != len(header):
        detail = f"has {len(cells)} cells, the header has {len(header)}"
        return Fault("malformed", detail, row=row)
    named = dict(zip(header, (cell.strip() for cell in cells), strict=True))
    day, contacts = _day(named["day"]), _number(named["contacts"])
    if day is None:
        detail = f"{show(named['day'])} is not a date, such as 2026-10-31"
        return Fault("bad_value", detail, "day", row)
    if contacts is None:
        detail = f"{show(named['contacts'])} is not a whole number up to {MOST_CONTACTS}"
        return Fault("bad_value", detail, "contacts", row)
    return ContactCount(day=day, contacts=contacts, channel=named.get("channel") or None)


def _day(text: str) -> date | None:
    """Python takes more forms than the API does."""
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def _number(text: str) -> int | None:
    if not _DIGITS.fullmatch(text):
        return None
    digits = text.lstrip("0") or "0"
    is_short = len(digits) <= len(str(MOST_CONTACTS))
    return int(digits) if is_short and int(digits) <= MOST_CONTACTS else None


def _refused(faults: list[Fault]) -> BadContactCounts:
    return BadContactCounts(f"{len(faults)} faults; nothing was stored.", faults=tuple(faults))
