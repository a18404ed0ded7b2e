"""From what the parser yields to rows of tables, in batches; pure, and meant for a worker thread."""

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from operator import attrgetter

import msgspec

from vendorwatch.interactions import record
from vendorwatch.interactions.events import next_replies
from vendorwatch.interactions.model import Cell, Tally, canonical_json, is_excluded
from vendorwatch.interactions.parse import Accepted, Refused, Skipped

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

_direct = attrgetter(*_DIRECT)
_json = msgspec.json.Encoder(order="sorted")


@dataclass(slots=True)
class Batch:
    staged: list[tuple[Cell, ...]] = field(default_factory=list)  # cells of STAGED_COLUMNS
    rejects: list[tuple[Cell, ...]] = field(default_factory=list)  # cells of REJECT_COLUMNS
    agents: set[str] = field(default_factory=set)


class Intake:
    """Counts every row in `tally`. `pseudonym_key` is what references are hashed under."""

    def __init__(
        self, reading: Iterable[Accepted | Refused | Skipped], *, pseudonym_key: bytes
    ) -> None:
        self.tally = Tally()
        self._rows = iter(reading)
        self._key = pseudonym_key

    def batches(self, size: int) -> Iterator[Batch]:
        """One `next` reads at most `size` rows of the file."""
        while outcomes := list(islice(self._rows, size)):
            yield self._batch(outcomes)

    def _batch(self, outcomes: list[Accepted | Refused | Skipped]) -> Batch:
        batch = Batch()
        for outcome in outcomes:
            if isinstance(outcome, Accepted):
                self._accept(batch, outcome.row, outcome.interaction)
            elif isinstance(outcome, Refused):
                self.tally.reject(outcome.faults)
                batch.rejects.append(_rejected(outcome))
            else:
                self.tally.skip()
                batch.rejects.append(_skipped(outcome))
        return batch

    def _accept(self, batch: Batch, row: int, sent: record.Interaction) -> None:
        customer = self._hashed("customer_ref", sent.customer_ref)
        order = self._hashed("order_ref", sent.order_ref)
        content = record.content(sent, customer=customer, order=order)
        batch.staged.append(
            (
                *_direct(sent),
                row,
                hashlib.sha256(content).digest(),
                customer,
                order,
                None if sent.vendor_quality is None else str(sent.vendor_quality),
                _packed(sent.tags),
                _packed(sent.events),
                _next_replies(sent),
                _packed(sent.claims),
                _packed(sent.extra),
            )
        )
        batch.agents.update(
            agent
            for agent in (sent.agent_id, sent.first_reply_agent_id, sent.resolved_by_agent_id)
            if agent is not None
        )
        self.tally.accept(
            sent.opened_at,
            excluded=is_excluded(sent.direction, sent.status),
            claims=bool(sent.claims),
        )

    def _hashed(self, field: str, reference: str | None) -> bytes | None:
        """Labelled: a customer and an order of the same number have nothing in common."""
        if reference is None:
            return None
        return hmac.digest(self._key, f"{field}:{reference}".encode(), "sha256")


def _next_replies(sent: record.Interaction) -> str | None:
    """Also an empty list says something: with events there, the customer never asked again."""
    if not sent.events:
        return None
    return _json.encode(next_replies(sent.events, sent.opened_at)).decode()


def pseudonym_key(secret: bytes, merchant_key: bytes) -> bytes:
    """Two secrets are needed to tell who a customer was: the server's and the merchant's."""
    return hmac.digest(secret, merchant_key, "sha256")


def _packed(value: object) -> str | None:
    return _json.encode(value).decode() if value else None


def _rejected(refused: Refused) -> tuple[Cell, ...]:
    first = refused.faults[0]
    faults = [
        {name: _clean(value) for name, value in asdict(fault).items() if value is not None}
        for fault in refused.faults
    ]
    return (
        refused.row,
        "rejected",
        refused.line,
        refused.offset,
        _clean(first.field),
        first.code,
        _clean(first.detail),
        canonical_json(faults),
        refused.raw,
    )


def _skipped(skipped: Skipped) -> tuple[Cell, ...]:
    rule = _clean(skipped.rule)
    place = (skipped.row, "skipped", skipped.line, skipped.offset)
    return (*place, None, "skipped", rule, "[]", skipped.raw)


def _clean(value: object) -> Cell:
    """Text that quotes what was sent may hold what no database takes: NUL, half of a character."""
    if isinstance(value, str):
        return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    assert value is None or isinstance(value, int)  # noqa: S101  what a Fault is made of
    return value
