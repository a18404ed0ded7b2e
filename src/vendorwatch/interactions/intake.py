"""From what the parser yields to rows of tables, in batches. Pure."""

import hashlib
import hmac
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby
from operator import attrgetter

import msgspec

from vendorwatch.interactions import record
from vendorwatch.interactions.events import next_replies
from vendorwatch.interactions.free_text import flags
from vendorwatch.interactions.model import Cell, Tally, canonical_json, is_excluded
from vendorwatch.interactions.parse import Accepted, Outcome, Refused, Skipped
from vendorwatch.interactions.values import storable

# Columns of `interactions` that hold a field of the record as it is.
_DIRECT = (
    "source_account",
    "interaction_id",
    "source_system",
    "source_updated_at",
    "source_url",
    "channel",
    "direction",
    "status",
    "priority",
    "opened_at",
    "first_reply_at",
    "resolved_at",
    "abandoned_at",
    "first_reply_known",
    "resolution_known",
    "agent_id",
    "first_reply_agent_id",
    "resolved_by_agent_id",
    "resolved_by",
    "topic",
    "product",
    "language",
    "agent_replies",
    "customer_messages",
    "reopens",
    "handovers",
    "handle_seconds",
    "csat_invited_at",
    "csat_at",
    "csat",
    "nps",
)
_DERIVED = (
    "row_number",
    "content_sha256",
    "customer_ref",
    "order_ref",
    "vendor_quality",
    "tags",
    "events",
    "next_replies",
    "claims",
    "extra",
)
STAGED_COLUMNS = _DIRECT + _DERIVED
REJECT_COLUMNS = (
    "row_number",
    "outcome",
    "line_number",
    "byte_offset",
    "field",
    "code",
    "message",
    "faults",
    "raw",
)

_UNSIGNED = 2**64 - 1
_PARTS = 64  # that are looked at one after the other: a set of all would take a hundred mebibytes
_BLOCK = hashlib.sha256().block_size
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))
_direct = attrgetter(*_DIRECT)
_json = msgspec.json.Encoder(order="sorted", decimal_format="number")


Window = tuple[int, int]
"""Where in its file a batch was read; the later one is greater."""


@dataclass(slots=True)
class Rows:
    """Of one batch: all of the share's rows in that window of the file."""

    window: Window
    staged: list[tuple[Cell, ...]] = field(default_factory=list)  # cells of STAGED_COLUMNS
    rejects: list[tuple[Cell, ...]] = field(default_factory=list)  # cells of REJECT_COLUMNS
    agents: set[str] = field(default_factory=set)


class Intake:
    """Counts every row in `tally`. `pseudonym_key` is what references are hashed under."""

    def __init__(self, reading: Iterable[Outcome], *, pseudonym_key: bytes) -> None:
        self.tally = Tally()
        self._rows = iter(reading)
        self._customer = _pseudonyms(pseudonym_key, "customer_ref")
        self._order = _pseudonyms(pseudonym_key, "order_ref")
        self._names = [array("Q") for _ in range(_PARTS)]

    def names(self) -> list[bytes]:
        """Of the accepted rows' interactions, eight bytes each, in parts: see are_distinct."""
        return [part.tobytes() for part in self._names]

    def batches(self, rows: int, size: int = 2**21) -> Iterator[Rows]:
        """A batch for each window of the file, in which at most `rows` rows begin, within `size`
        bytes. The windows are the same for all that share a file.
        """

        def window(outcome: Outcome) -> Window:
            return (outcome.row - 1) // rows, outcome.offset // size

        for place, outcomes in groupby(self._rows, window):
            yield self._batch(place, outcomes)

    def _batch(self, window: Window, outcomes: Iterable[Outcome]) -> Rows:
        staged: list[tuple[Cell, ...]] = []
        rejects: list[tuple[Cell, ...]] = []
        named: set[str | None] = set()
        tally, names = self.tally, self._names
        for outcome in outcomes:
            if isinstance(outcome, Accepted):
                sent = outcome.interaction
                name = hash((sent.source_account, sent.interaction_id)) & _UNSIGNED
                names[name % _PARTS].append(name)
                staged.append(self._staged(outcome.row, sent))
                named.update((sent.agent_id, sent.first_reply_agent_id, sent.resolved_by_agent_id))
                tally.accept(
                    sent.opened_at,
                    excluded=is_excluded(sent.direction, sent.status),
                    claims=bool(sent.claims),
                )
            elif isinstance(outcome, Refused):
                tally.reject(outcome.faults)
                rejects.append(_rejected(outcome))
            else:
                tally.skip()
                rejects.append(_skipped(outcome))
        return Rows(window, staged, rejects, {agent for agent in named if agent is not None})

    def _staged(self, row: int, sent: record.Interaction) -> tuple[Cell, ...]:
        customer = self._customer(sent.customer_ref)
        order = self._order(sent.order_ref)
        content = record.content(sent, customer=customer, order=order)
        events = sent.events
        extra = _json.encode(sent.extra) if sent.extra else b""
        for flag, fields in flags(sent, content, extra):
            self.tally.flag(flag, row, fields)
        return (
            *_direct(sent),
            row,
            hashlib.sha256(content).digest(),
            customer,
            order,
            sent.vendor_quality,
            _packed(sent.tags) if sent.tags else None,
            _packed(events) if events else None,
            # Also an empty list says something: with events there, nobody asked again.
            _packed(next_replies(events, sent.opened_at)) if events else None,
            _packed(sent.claims) if sent.claims else None,
            extra.decode() if extra else None,
        )


def are_distinct(names: Iterable[Sequence[bytes]]) -> bool:
    """Whether surely no two rows are of the same interaction, of all that read parts of a file.

    Eight bytes of hash tell them apart: when in doubt, by chance, they count as the same one.
    """
    for parts in zip(*names, strict=True):
        found = array("Q", b"".join(parts))
        if len(set(found)) < len(found):
            return False
    return True


def _pseudonyms(key: bytes, field: str) -> Callable[[str | None], bytes | None]:
    """HMAC-SHA-256 of `field:reference`: a customer and an order of the same number have nothing
    in common.

    The module hmac would begin with the key for each reference anew. Here its two halves (RFC 2104)
    are begun once, with the label, and copied.
    """
    block = (hashlib.sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    inner = hashlib.sha256(block.translate(_INNER) + f"{field}:".encode())
    outer = hashlib.sha256(block.translate(_OUTER))

    def pseudonym(reference: str | None) -> bytes | None:
        if reference is None:
            return None
        inside, outside = inner.copy(), outer.copy()
        inside.update(reference.encode())
        outside.update(inside.digest())
        return outside.digest()

    return pseudonym


def pseudonym_key(secret: bytes, merchant_key: bytes) -> bytes:
    """Two secrets are needed to tell who a customer was: the server's and the merchant's."""
    return hmac.digest(secret, merchant_key, "sha256")


def _packed(value: object) -> str:
    return _json.encode(value).decode()


def _rejected(refused: Refused) -> tuple[Cell, ...]:
    first = refused.faults[0]
    faults = [
        {name: value for name, value in asdict(fault).items() if value is not None}
        for fault in refused.faults
    ]
    return (
        refused.row,
        "rejected",
        refused.line,
        refused.offset,
        first.field,
        first.code,
        first.detail,
        canonical_json(faults),
        refused.raw,
    )


def _skipped(skipped: Skipped) -> tuple[Cell, ...]:
    place = (skipped.row, "skipped", skipped.line, skipped.offset)
    return (*place, None, "skipped", storable(skipped.rule), "[]", skipped.raw)
