"""An upload's bytes, row by row, as interactions or as reasons why not.

Nothing is read ahead but a bounded buffer, so that a file of any size costs the same memory.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import BinaryIO
from zoneinfo import ZoneInfo

import msgspec

from vendorwatch.errors import Fault
from vendorwatch.interactions.fields import FAULTS_OF_A_ROW, show
from vendorwatch.interactions.formats.delimited import (
    Dialect,
    check_header,
    read_header,
    split_records,
)
from vendorwatch.interactions.formats.elements import NOTHING, split_elements
from vendorwatch.interactions.formats.faults import TooManyRows, UnreadableFormat
from vendorwatch.interactions.formats.inflate import inflate, text_start
from vendorwatch.interactions.formats.lines import json_lines
from vendorwatch.interactions.formats.returned import OURS, RAW, Columns, only_row
from vendorwatch.interactions.formats.rows import RawRow
from vendorwatch.interactions.formats.strict_json import BadJson, decode
from vendorwatch.interactions.instants import DateOrder
from vendorwatch.interactions.mapping import Mapping as VendorMapping
from vendorwatch.interactions.mapping import SkipRow
from vendorwatch.interactions.model import MOST_EXTRA_COLUMNS, Encoding, Format, Limits, Media
from vendorwatch.interactions.record import (
    FIELDS,
    Context,
    Interaction,
    Plan,
    RowRefused,
    build_filled,
)
from vendorwatch.interactions.refusals import EmptyUpload
from vendorwatch.interactions.values import is_illegal, storable
from vendorwatch.periods import Micros

MOST_EXTRA = MOST_EXTRA_COLUMNS + 1  # one more tells that there were more
_MOST_NAMES = 1_000
_STRETCH = 500  # rows
_LONGEST_NAME = 200
_MOST_PLANS = 1_000
_LONGEST_NAMES = 2_000  # characters of all names of a row whose plan is kept


class Accepted(msgspec.Struct, frozen=True, gc=False):
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


class Share(msgspec.Struct, frozen=True):
    """One of several readers of the same file: `number` from 0, of `readers` in all.

    Each goes through all of the file, and says what comes of every so manieth stretch of rows only.
    """

    number: int
    readers: int

    def holds(self, row: int) -> bool:
        return row // _STRETCH % self.readers == self.number


WHOLE = Share(0, 1)


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
    share: Share = WHOLE


class Reading:
    """Iterate once. What it tells of the whole file is complete when the iteration is.

    `columns` is the header of a CSV file, else empty. `extra_columns` are the columns and keys that
    are not the record's, sorted (at most MOST_EXTRA); a key inside an event is `events.key`.
    `supplied` are the record's fields that the file carries, be they filled or not.
    """

    def __init__(self, file: BinaryIO, options: ReadOptions) -> None:
        self._file = file
        self._options = options
        self._context = Context(options.now, options.time_zone, options.date_order)
        self._interaction: Callable[[bytes], Interaction] = self._of_json
        self._plans: dict[tuple[str, ...], Plan] = {}
        self._seen: set[str] = set()
        self._row = 0
        self.extra: dict[str, tuple[int, int]] = {}  # in which row each was first, and its place
        self.columns: tuple[str, ...] = ()
        self.decoded_bytes = 0
        self.rows = 0  # of the file, whoever's share they are

    def __iter__(self) -> Iterator[Outcome]:
        """Of the share's rows."""
        most, share = self._options.limits.rows, self._options.share
        row = 0
        for row, raw in enumerate(self._raw_rows(), start=1):
            if row > most:
                raise TooManyRows(f"The upload has more than {most} rows")
            if share.holds(row):
                yield self._outcome(row, raw)
        self.rows = row
        if not row and self._options.media == "ndjson":
            raise EmptyUpload(NOTHING)

    def _counted(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self.decoded_bytes += len(chunk)
            yield chunk

    @property
    def extra_columns(self) -> tuple[str, ...]:
        return tuple(sorted(self.extra))

    @property
    def supplied(self) -> frozenset[str]:
        told = self._context.supplied
        return frozenset(self._seen & FIELDS.keys()) if told is None else told

    def _raw_rows(self) -> Iterator[RawRow]:
        options = self._options
        decoded = inflate(self._file, options.encoding, options.limits)
        offset, chunks = text_start(self._counted(decoded))
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
        columns = Columns(self.columns, dialect)
        split = _csv_cells(columns, dialect)
        if RAW in self.columns and mapping is None and not columns.theirs:
            # What was refused were rows of JSON.
            self._interaction = lambda raw: self._of_json(_whole_row(columns, split(raw)))
            return rows
        if RAW in self.columns:
            split = _mended_cells(columns, dialect, split, self._options.limits.row_bytes)
        if mapping is None:
            check_header(self.columns, [f.name for f in FIELDS.values() if f.required])
            self._note(self.columns)
            supplied = frozenset(self._seen & FIELDS.keys())
            self._interaction = self._of_csv(split)
        else:
            mapping.check_header(self.columns)
            supplied = mapping.supplied
            self._interaction = self._of_mapped(split, mapping)
        self._context = replace(self._context, supplied=supplied)
        return rows

    def _outcome(self, row: int, raw: RawRow) -> Outcome:
        self._row = row
        if raw.fault is not None:
            return _refused(row, raw, (raw.fault,))
        try:
            interaction = self._interaction(raw.raw)
        except RowRefused as refused:
            return _refused(row, raw, refused.faults)
        except _Skip as skip:
            return Skipped(row, raw.line, raw.offset, raw.raw, skip.rule)
        if interaction.events:
            for event in interaction.events:
                self._note_extra(f"events.{name}" for name in event.extra or ())
        return Accepted(row, raw.line, raw.offset, interaction)

    def _of_json(self, raw: bytes) -> Interaction:
        values = _json_object(raw)
        names = tuple(values)
        plan = self._plans.get(names) or self._new_plan(names)
        if b"null" in raw:
            values = {name: value for name, value in values.items() if value is not None}
        return build_filled(values, plan, self._context, suspect=_is_suspect(raw))

    def _new_plan(self, names: tuple[str, ...]) -> Plan:
        self._note(names)
        plan = Plan.of(names, text=False)
        if len(self._plans) < _MOST_PLANS and sum(map(len, names)) <= _LONGEST_NAMES:
            self._plans[names] = plan
        return plan

    def _of_csv(self, split: Callable[[bytes], list[str]]) -> Callable[[bytes], Interaction]:
        columns = self.columns
        plan = Plan.of(columns, text=True)

        def interaction(raw: bytes) -> Interaction:
            cells = zip(columns, split(raw), strict=True)
            values: dict[str, object] = {name: cell for name, cell in cells if cell}
            return build_filled(values, plan, self._context, suspect=_is_suspect(raw))

        return interaction

    def _of_mapped(
        self, split: Callable[[bytes], list[str]], mapping: VendorMapping
    ) -> Callable[[bytes], Interaction]:
        columns = self.columns
        plan = Plan.of(mapping.supplied, text=True)

        def interaction(raw: bytes) -> Interaction:
            mapped = mapping.apply(dict(zip(columns, split(raw), strict=True)))
            if isinstance(mapped, SkipRow):
                raise _Skip(mapped.rule)
            if not self.extra.keys() >= mapped.extra.keys():
                self._note_extra(mapped.extra)
            values: dict[str, object] = {n: cell for n, cell in mapped.fields.items() if cell}
            try:
                return build_filled(values, plan, self._context, extra=mapped.extra)
            except RowRefused as refused:
                raise RowRefused(tuple(map(mapping.explain, refused.faults))) from None

        return interaction

    def _note(self, names: Iterable[str]) -> None:
        for name in names:
            if len(self._seen) < _MOST_NAMES or name in FIELDS:
                self._seen.add(name)
            if name not in FIELDS:
                self._note_extra((name,))

    def _note_extra(self, names: Iterable[str]) -> None:
        for name in names:
            if is_illegal(name):
                continue  # whatever stands there refuses its row, and nobody could store the name
            if len(self.extra) < MOST_EXTRA and not name.startswith(OURS):
                self.extra.setdefault(name[:_LONGEST_NAME], (self._row, len(self.extra)))


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
    placed = tuple(
        Fault(each.code, storable(each.detail), each.field and storable(each.field), row, raw.line)
        for each in islice(faults, FAULTS_OF_A_ROW)
    )
    return Refused(row, raw.line, raw.offset, raw.raw, placed)


def _is_suspect(raw: bytes) -> bool:
    """Whether texts of the row may hold NUL or half of a surrogate pair: UTF-8 has no halves."""
    return b"\\" in raw or b"\0" in raw


def _json_object(raw: bytes) -> dict[str, object]:
    try:
        value = decode(_text(raw, "utf-8"))
    except BadJson as bad:
        raise RowRefused((Fault(bad.code, bad.detail, field=bad.key),)) from None
    if not isinstance(value, dict):
        raise RowRefused((Fault("malformed", f"The row is {show(value)}, not a JSON object"),))
    return value


def _csv_cells(columns: Columns, dialect: Dialect) -> Callable[[bytes], list[str]]:
    split, width = columns.split, len(columns.names)

    def cells(raw: bytes) -> list[str]:
        values = split(_text(raw, dialect.encoding))
        if len(values) != width:
            told = f"The row has {len(values)} cells, the header has {width}"
            raise RowRefused((Fault("malformed", told),))
        return values

    return cells


def _whole_row(columns: Columns, cells: list[str]) -> bytes:
    return (columns.whole_row(cells) or "").encode()


def _mended_cells(
    columns: Columns, dialect: Dialect, split: Callable[[bytes], list[str]], row_bytes: int
) -> Callable[[bytes], list[str]]:
    """The same for a file of rejects that comes back."""
    theirs = Columns([columns.names[n] for n in columns.theirs], dialect)
    split_whole = _csv_cells(theirs, dialect)

    def cells(raw: bytes) -> list[str]:
        values = split(raw)
        whole = columns.whole_row(values)
        if whole is None:
            return values
        row = only_row(whole.encode(dialect.encoding.removesuffix("-sig")), dialect, row_bytes)
        if row.fault is not None:
            raise RowRefused((row.fault,))
        mended = dict(zip(columns.theirs, split_whole(row.raw), strict=True))
        return [mended.get(n, "") for n in range(len(values))]

    return cells


def _text(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        told = f"Byte {error.start + 1} of the row is not {encoding}"
        raise RowRefused((Fault("invalid_utf8", told),)) from None
