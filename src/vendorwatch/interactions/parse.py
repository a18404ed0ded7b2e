"""An upload's bytes, row by row, as interactions or as reasons why not.

Nothing is read ahead but a bounded buffer, so that a file of any size costs the same memory.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import BinaryIO
from zoneinfo import ZoneInfo

import msgspec

from vendorwatch.errors import Fault
from vendorwatch.interactions.fields import show
from vendorwatch.interactions.formats.delimited import (
    Dialect,
    cell_splitter,
    check_header,
    read_header,
    split_records,
)
from vendorwatch.interactions.formats.elements import NOTHING, split_elements
from vendorwatch.interactions.formats.faults import TooManyRows, UnreadableFormat
from vendorwatch.interactions.formats.inflate import inflate, text_start
from vendorwatch.interactions.formats.lines import json_lines
from vendorwatch.interactions.formats.rows import RawRow
from vendorwatch.interactions.formats.strict_json import BadJson, decode
from vendorwatch.interactions.instants import DateOrder
from vendorwatch.interactions.mapping import Mapping as VendorMapping
from vendorwatch.interactions.mapping import SkipRow
from vendorwatch.interactions.model import EmptyUpload, Encoding, Format, Limits, Media
from vendorwatch.interactions.record import (
    FIELDS,
    OUR_COLUMNS,
    Context,
    Interaction,
    RowRefused,
    build,
)
from vendorwatch.periods import Micros

_MOST_NAMES = 1_000
_LONGEST_NAME = 200


class Accepted(msgspec.Struct, frozen=True):
    """`row` counts data rows from 1; `line`, `offset` and `raw` are as in formats.rows.RawRow."""

    row: int
    line: int
    offset: int
    interaction: Interaction


class Refused(msgspec.Struct, frozen=True):
    """`faults` is never empty; each carries `row` and `line`."""

    row: int
    line: int
    offset: int
    raw: bytes
    faults: tuple[Fault, ...]


class Skipped(msgspec.Struct, frozen=True):
    row: int
    line: int
    offset: int
    raw: bytes
    rule: str


Outcome = Accepted | Refused | Skipped


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    now: Micros
    media: Media
    format: Format = "canonical"
    encoding: Encoding = "identity"
    time_zone: ZoneInfo | None = None  # of instants without an offset
    date_order: DateOrder | None = None  # of dates that are not written year-month-day
    mapping: VendorMapping | None = None  # needed where the format is mapped
    limits: Limits = field(default_factory=Limits)
    delimiter: str = ","  # of a CSV file in the canonical format; a mapping names its own


class Reading:
    """Iterate once. What it tells of the whole file is complete when the iteration is.

    `columns` is the header of a CSV file, else empty. `extra_columns` are the columns and keys that
    are not the record's, sorted (at most 1 000 are told); a key inside an event is `events.key`.
    `supplied` are the record's fields that the file carries, be they filled or not.
    """

    def __init__(self, file: BinaryIO, options: ReadOptions) -> None:
        self._file = file
        self._options = options
        self._context = Context(options.now, options.time_zone, options.date_order)
        self._cells: Callable[[bytes], Mapping[str, object]] = _json_object
        self._seen: set[str] = set()
        self._extra: set[str] = set()
        self.columns: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Outcome]:
        most = self._options.limits.rows
        row = 0
        for row, raw in enumerate(self._raw_rows(), start=1):
            if row > most:
                raise TooManyRows(f"The upload has more than {most} rows")
            yield self._outcome(row, raw)
        if not row and self._options.media == "ndjson":
            raise EmptyUpload(NOTHING)

    @property
    def extra_columns(self) -> tuple[str, ...]:
        return tuple(sorted(self._extra))

    @property
    def supplied(self) -> frozenset[str]:
        told = self._context.supplied
        return frozenset(self._seen & FIELDS.keys()) if told is None else told

    def _raw_rows(self) -> Iterator[RawRow]:
        options = self._options
        offset, chunks = text_start(inflate(self._file, options.encoding, options.limits))
        if options.media == "csv":
            return self._csv_rows(offset, chunks)
        if options.mapping is not None:
            raise UnreadableFormat("A mapping reads CSV; send the file as text/csv")
        split = json_lines if options.media == "ndjson" else split_elements
        return split(chunks, offset, options.limits.row_bytes)

    def _csv_rows(self, offset: int, chunks: Iterator[bytes]) -> Iterator[RawRow]:
        mapping = self._options.mapping
        dialect = mapping.dialect if mapping else Dialect(self._options.delimiter)
        rows = split_records(chunks, offset, dialect, self._options.limits.row_bytes)
        self.columns = read_header(rows, dialect)
        if mapping is None:
            check_header(self.columns, [f.name for f in FIELDS.values() if f.required])
            self._note(self.columns)
            supplied = frozenset(self._seen & FIELDS.keys())
        else:
            mapping.check_header(self.columns)
            supplied = mapping.supplied
        self._context = replace(self._context, supplied=supplied)
        self._cells = _csv_cells(self.columns, dialect)
        return rows

    def _outcome(self, row: int, raw: RawRow) -> Outcome:
        if raw.fault is not None:
            return _refused(row, raw, (raw.fault,))
        try:
            cells = self._cells(raw.raw)
            if self._options.mapping is None:
                interaction = self._canonical(cells)
            else:
                interaction = self._mapped(cells, self._options.mapping)
        except RowRefused as refused:
            return _refused(row, raw, refused.faults)
        except _Skip as skip:
            return Skipped(row, raw.line, raw.offset, raw.raw, skip.rule)
        return Accepted(row, raw.line, raw.offset, interaction)

    def _canonical(self, cells: Mapping[str, object]) -> Interaction:
        if not self._seen.issuperset(cells):
            self._note(cells)
        interaction = build(cells, self._context, text=self._options.media == "csv")
        for event in interaction.events:
            if event.extra:
                self._note_extra(f"events.{name}" for name in event.extra)
        return interaction

    def _mapped(self, cells: Mapping[str, object], mapping: VendorMapping) -> Interaction:
        mapped = mapping.apply({name: str(cell) for name, cell in cells.items()})
        if isinstance(mapped, SkipRow):
            raise _Skip(mapped.rule)
        if not self._extra.issuperset(mapped.extra):
            self._note_extra(mapped.extra)
        try:
            return build(mapped.fields, self._context, text=True, extra=mapped.extra)
        except RowRefused as refused:
            raise RowRefused(tuple(map(mapping.explain, refused.faults))) from None

    def _note(self, names: Iterable[str]) -> None:
        for name in names:
            if len(self._seen) < _MOST_NAMES or name in FIELDS:
                self._seen.add(name)
            if name not in FIELDS:
                self._note_extra((name,))

    def _note_extra(self, names: Iterable[str]) -> None:
        for name in names:
            if len(self._extra) < _MOST_NAMES and not name.startswith(OUR_COLUMNS):
                self._extra.add(name[:_LONGEST_NAME])


def read(file: BinaryIO, options: ReadOptions) -> Reading:
    """`file` holds the body as received, still encoded.

    Iterating raises the errors of formats.faults, EmptyUpload, and what `file` itself raises.
    """
    return Reading(file, options)


class _Skip(Exception):
    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


def _refused(row: int, raw: RawRow, faults: Iterable[Fault]) -> Refused:
    placed = tuple(replace(fault, row=row, line=raw.line) for fault in faults)
    return Refused(row, raw.line, raw.offset, raw.raw, placed)


def _json_object(raw: bytes) -> Mapping[str, object]:
    try:
        value = decode(_text(raw, "utf-8"))
    except BadJson as bad:
        raise RowRefused((Fault(bad.code, bad.detail, field=bad.key),)) from None
    if not isinstance(value, dict):
        raise RowRefused((Fault("malformed", f"The row is {show(value)}, not a JSON object"),))
    return value


def _csv_cells(
    columns: tuple[str, ...], dialect: Dialect
) -> Callable[[bytes], Mapping[str, object]]:
    split = cell_splitter(dialect)

    def cells(raw: bytes) -> Mapping[str, object]:
        values = split(_text(raw, dialect.encoding))
        if len(values) != len(columns):
            told = f"The row has {len(values)} cells, the header has {len(columns)}"
            raise RowRefused((Fault("malformed", told),))
        return dict(zip(columns, values, strict=True))

    return cells


def _text(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        told = f"Byte {error.start + 1} of the row is not {encoding}"
        raise RowRefused((Fault("invalid_utf8", told),)) from None
