"""A roster as a CSV file: `agent_id,name,team,...`; several values in one cell by semicolons."""

import csv
import io
from typing import Any

from vendorwatch.errors import Fault
from vendorwatch.vendors.model import BadRoster, RosterEntry

_LISTS = ("languages", "aliases")
COLUMNS = RosterEntry.__struct_fields__


def read_roster(content: bytes) -> list[RosterEntry]:
    """Raises BadRoster with the faults of the header, or of every row that cannot be read."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        fault = Fault("invalid_utf8", "is not UTF-8; save the file as UTF-8", line=line)
        raise BadRoster(str(fault), faults=(fault,)) from error
    rows = _rows(text)
    header = rows[0] if rows else []
    _check_header(header)
    faults = [
        Fault("malformed", f"has {len(cells)} cells, the header has {len(header)}", row=row)
        for row, cells in enumerate(rows[1:], start=1)
        if len(cells) != len(header)
    ]
    if faults:
        raise BadRoster(f"{len(faults)} rows cannot be read.", faults=tuple(faults))
    return [_entry(dict(zip(header, cells, strict=True))) for cells in rows[1:]]


def _rows(text: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        return [cells for cells in reader if cells]
    except csv.Error as error:
        fault = Fault("malformed", str(error), line=reader.line_num)
        raise BadRoster(str(fault), faults=(fault,)) from error


def _check_header(header: list[str]) -> None:
    faults = [
        Fault("bad_header", f"is not one of {', '.join(COLUMNS)}", field=name)
        for name in header
        if name not in COLUMNS
    ]
    faults += [
        Fault("bad_header", "stands more than once", field=name)
        for name in COLUMNS
        if header.count(name) > 1
    ]
    if "agent_id" not in header:
        faults.append(Fault("bad_header", "is missing from the first line", field="agent_id"))
    if faults:
        raise BadRoster("The header cannot be used.", faults=tuple(faults))


def _entry(cells: dict[str, str]) -> RosterEntry:
    # The header was checked against the fields, so every name here is one of them.
    values: dict[str, Any] = {
        name: tuple(part.strip() for part in cell.split(";")) if name in _LISTS else cell
        for name, cell in cells.items()
        if cell or name == "agent_id"
    }
    return RosterEntry(**values)
