"""A log in batches that are ready to be stored: what is ordered, and what comes of it.

All of it can be sent from one process to another, as MessagePack.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import msgspec

from vendorwatch.interactions.instants import DateOrder
from vendorwatch.interactions.intake import (
    REJECT_COLUMNS,
    STAGED_COLUMNS,
    Intake,
    Rows,
    Window,
    are_distinct,
)
from vendorwatch.interactions.mapping import parse_mapping
from vendorwatch.interactions.model import Encoding, Format, Limits, Media, NotConserved, Tally
from vendorwatch.interactions.packing import Engine, Packed, pack
from vendorwatch.interactions.parse import MOST_EXTRA, WHOLE, ReadOptions, Share, read
from vendorwatch.periods import Micros, load_zone

READING = 4
"""Which code reads. To be raised by one whenever a log may come out otherwise than before: what
was read by other code is read again when it is sent again.
"""

_BATCH_ROWS = 2_000  # of each that shares the file
_REMEMBERED_AGENTS = 20_000  # bounds the memory of a file that names another agent in each row


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """Which file is read, how, and for which database. `mapping` is the text of a mapping file."""

    path: str
    now: Micros
    media: Media
    format: Format
    encoding: Encoding
    time_zone: str | None
    date_order: DateOrder | None
    mapping: str | None
    limits: Limits
    is_atomic: bool
    pseudonym_key: bytes
    engine: Engine
    share: Share = WHOLE

    def options(self) -> ReadOptions:
        return ReadOptions(
            now=self.now,
            media=self.media,
            format=self.format,
            encoding=self.encoding,
            time_zone=load_zone(self.time_zone) if self.time_zone else None,
            date_order=self.date_order,
            mapping=parse_mapping(self.mapping) if self.mapping is not None else None,
            limits=self.limits,
            share=self.share,
        )


class Batch(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """What one reader has of a window. `agents` leaves out most that an earlier batch has named."""

    window: Window
    accepted: int  # rows in `staged`
    staged: Packed | None
    rejects: Packed | None
    agents: Packed | None


class Part(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """What one reader tells of its share, after the last batch. See parse.Reading."""

    tally: Tally
    columns: tuple[str, ...]
    extra: dict[str, tuple[int, int]]
    supplied: frozenset[str]
    decoded_bytes: int
    rows: int  # of the file, whoever has read them
    names: list[bytes]  # see intake.are_distinct


@dataclass(frozen=True, slots=True)
class Summary:
    """Of the whole file. `is_distinct`: surely no two accepted rows are of the same interaction."""

    tally: Tally
    columns: tuple[str, ...]
    extra_columns: tuple[str, ...]
    supplied: frozenset[str]
    decoded_bytes: int
    is_distinct: bool

    @classmethod
    def of(cls, parts: Sequence[Part]) -> "Summary":
        """Of all that share the file. Raises NotConserved if a row was nobody's or two's."""
        tally = Tally.of_all([part.tally for part in parts])
        if {part.rows for part in parts} != {tally.received}:
            raise NotConserved(f"{tally.received} rows were read of {parts[0].rows}")
        came: dict[str, tuple[int, int]] = {}
        for name, place in (item for part in parts for item in part.extra.items()):
            came[name] = min(place, came.get(name, place))
        extra = sorted(sorted(came, key=came.__getitem__)[:MOST_EXTRA])
        return cls(
            tally,
            parts[0].columns,
            tuple(extra),
            frozenset[str]().union(*(part.supplied for part in parts)),
            parts[0].decoded_bytes,
            are_distinct([part.names for part in parts]),
        )


class Batches:
    """Iterate once. `part` is there when the iteration is complete.

    Where the mode is atomic and a row was refused, batches are empty: only the other faults are of
    interest from then on.
    """

    def __init__(self, file: BinaryIO, order: Order) -> None:
        self._order = order
        self._reading = read(file, order.options())
        self._intake = Intake(self._reading, pseudonym_key=order.pseudonym_key)
        self._named: set[str] = set()
        self.part: Part | None = None

    def __iter__(self) -> Iterator[Batch]:
        tally, reading = self._intake.tally, self._reading
        for rows in self._intake.batches(_BATCH_ROWS * self._order.share.readers):
            is_refused = self._order.is_atomic and tally.rejected
            yield Batch(rows.window, 0, None, None, None) if is_refused else self._packed(rows)
        self.part = Part(
            tally,
            reading.columns,
            reading.extra,
            reading.supplied,
            reading.decoded_bytes,
            reading.rows,
            self._intake.names(),
        )

    def _packed(self, rows: Rows) -> Batch:
        engine = self._order.engine
        agents = [(agent,) for agent in sorted(self._not_named_yet(rows.agents))]
        return Batch(
            rows.window,
            len(rows.staged),
            pack(STAGED_COLUMNS, rows.staged, engine),
            pack(REJECT_COLUMNS, rows.rejects, engine),
            pack(("agent_id",), agents, engine),
        )

    def _not_named_yet(self, agents: set[str]) -> set[str]:
        unseen = agents - self._named
        if len(self._named) > _REMEMBERED_AGENTS:
            self._named.clear()
        self._named |= unseen
        return unseen
