"""What an upload is: its limits, what was asked, what came of it, and the receipt."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from vendorwatch.errors import Fault
from vendorwatch.interactions.flags import Flag, Flagged, told
from vendorwatch.interactions.instants import DateOrder
from vendorwatch.periods import Micros, Month, format_instant

Format = Literal["canonical", "mapped"]
Media = Literal["ndjson", "csv", "json"]
Encoding = Literal["identity", "gzip", "zstd"]
Mode = Literal["partial", "atomic"]
Position = tuple[Micros, str, str]
"""Where an interaction stands in a list: opened_at, source_account, interaction_id."""
Cell = str | bytes | int | bool | None
"""What a column of a row of a table can hold."""

FORMATS: tuple[str, ...] = ("auto", "canonical", "mapped")
MEDIA_TYPES: dict[str, Media] = {
    "application/x-ndjson": "ndjson",
    "text/csv": "csv",
    "application/json": "json",
}
MOST_EXTRA_COLUMNS = 1_000  # that a receipt names
SHOWN_FAULTS = 100  # of a refused upload; all of them are in its rejects


@dataclass(frozen=True, slots=True)
class Limits:
    """What an upload may be at most; published at GET /v1/limits."""

    wire_bytes: int = 512 * 2**20
    decoded_bytes: int = 2 * 2**30
    ratio: int = 200
    row_bytes: int = 64 * 2**10
    rows: int = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadRequest:
    """How the sender wants the body to be read. The body itself comes as an object's draft."""

    media: Media
    content_type: str
    encoding: Encoding = "identity"
    format: Format = "canonical"
    mapping_version: int | None = None  # null: the newest, where the format is mapped
    time_zone: str | None = None
    date_order: DateOrder | None = None
    mode: Mode = "partial"
    dry_run: bool = False
    idempotency_key: str | None = None  # null: the fingerprint is the key
    key_id: str | None = None

    @property
    def media_type(self) -> str:
        return next(name for name, media in MEDIA_TYPES.items() if media == self.media)

    def fingerprint(self, body_sha256: bytes, mapping_version: int | None) -> bytes:
        """Equal for two requests that must have the same effect."""
        parts = (
            body_sha256.hex(),
            self.media,
            self.encoding,
            self.format,
            str(mapping_version or ""),
            self.time_zone or "",
            self.date_order or "",
            self.mode,
        )
        return hashlib.sha256("\n".join(parts).encode()).digest()


@dataclass(slots=True)
class Tally:
    """Counts while the rows go by. `accepted` rows are those that are neither of the others."""

    accepted: int = 0
    rejected: int = 0
    skipped: int = 0
    excluded: int = 0
    claims_differ: int = 0
    first_opened_at: Micros | None = None
    last_opened_at: Micros | None = None
    faults: list[Fault] = field(default_factory=list)
    codes: dict[str, int] = field(default_factory=dict)  # of each refused row its first fault's
    flags: dict[Flag, Flagged] = field(default_factory=dict)  # of the accepted rows

    @property
    def received(self) -> int:
        return self.accepted + self.rejected + self.skipped

    def accept(self, opened_at: Micros, *, excluded: bool, claims: bool) -> None:
        self.accepted += 1
        self.excluded += excluded
        self.claims_differ += claims
        if self.first_opened_at is None or opened_at < self.first_opened_at:
            self.first_opened_at = opened_at
        if self.last_opened_at is None or opened_at > self.last_opened_at:
            self.last_opened_at = opened_at

    def flag(self, flag: Flag, row: int, fields: Iterable[str]) -> None:
        self.flags.setdefault(flag, Flagged()).note(row, fields)

    def reject(self, faults: tuple[Fault, ...]) -> None:
        self.rejected += 1
        code = faults[0].code
        self.codes[code] = self.codes.get(code, 0) + 1
        self.faults.extend(faults[: SHOWN_FAULTS - len(self.faults)])

    def skip(self) -> None:
        self.skipped += 1

    @property
    def warnings(self) -> tuple[str, ...]:
        return told(self.flags)

    @classmethod
    def of_all(cls, tallies: Sequence["Tally"]) -> "Tally":
        """Of several that counted different rows of one file."""
        total = cls()
        for each in tallies:
            total.accepted += each.accepted
            total.rejected += each.rejected
            total.skipped += each.skipped
            total.excluded += each.excluded
            total.claims_differ += each.claims_differ
            for code, count in each.codes.items():
                total.codes[code] = total.codes.get(code, 0) + count
            for flag, flagged in each.flags.items():
                total.flags.setdefault(flag, Flagged()).add(flagged)
        faults = [fault for each in tallies for fault in each.faults]
        total.faults = sorted(faults, key=lambda fault: fault.row or 0)[:SHOWN_FAULTS]
        firsts = [each.first_opened_at for each in tallies if each.first_opened_at is not None]
        lasts = [each.last_opened_at for each in tallies if each.last_opened_at is not None]
        total.first_opened_at = min(firsts, default=None)
        total.last_opened_at = max(lasts, default=None)
        return total


@dataclass(frozen=True, slots=True)
class Effect:
    """What the accepted rows did to the table."""

    created: int
    revised: int
    duplicate: int


_UNSCORED_STATUS = frozenset({"spam", "merged", "withdrawn"})


def is_excluded(direction: str, status: str) -> bool:
    """Whether no metric will ever count the row, as far as it alone can tell."""
    return direction == "outbound" or status in _UNSCORED_STATUS


# One needed field of each inner group must be there; an event list can stand for several.
_REPLY = ({"first_reply_at", "events"},)
_RESOLUTION = ({"resolved_at", "events"},)
_NEEDS: Mapping[str, tuple[set[str], ...]] = {
    "first_reply_on_time": _REPLY,
    "first_reply_p50": _REPLY,
    "first_reply_p90": _REPLY,
    "next_reply_on_time": ({"events"},),
    "abandon_rate": _REPLY,
    "resolution_rate": _RESOLUTION,
    "resolution_on_time": _RESOLUTION,
    "resolution_p50": _RESOLUTION,
    "resolution_p90": _RESOLUTION,
    "first_contact_resolution": (
        *_RESOLUTION,
        {"reopens", "events"},
        {"handovers", "events"},
        {"customer_ref"},
    ),
    "repeat_contact_rate": (*_RESOLUTION, {"customer_ref"}),
    "reopen_rate": (*_RESOLUTION, {"reopens", "events"}),
    "handover_rate": ({"handovers", "events"},),
    "csat": ({"csat"},),
}


def measurable(supplied: frozenset[str]) -> tuple[str, ...]:
    """Ids of the metrics that a log with these fields can support, in the order of the ids."""
    return tuple(
        sorted(
            metric for metric, needs in _NEEDS.items() if all(group & supplied for group in needs)
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What came of an upload. `upload_id` is null for a dry run, which leaves nothing behind.

    `flags` are warnings about its rows, in the words in which they were told: its hash is over
    them.
    """

    upload_id: str | None
    sequence: int
    received_at: Micros
    status: Literal["stored", "partial", "rejected"]
    format: str
    media_type: str
    content_encoding: str
    mapping_version: int | None
    time_zone: str | None
    mode: str
    size_bytes: int
    received: int
    created: int
    revised: int
    duplicate: int
    rejected: int
    skipped: int
    excluded: int
    claims_differ: int
    first_opened_at: Micros | None
    last_opened_at: Micros | None
    measurable: tuple[str, ...]
    extra_columns: tuple[str, ...]
    flags: tuple[str, ...]
    sha256: bytes
    previous_sha256: bytes | None

    def document(self) -> dict[str, object]:
        """As integrators see it, without links and without its own hash."""
        return {
            "id": self.upload_id,
            "sequence": self.sequence,
            "received_at": format_instant(self.received_at),
            "status": self.status,
            "format": self.format,
            "content_type": self.media_type,
            "content_encoding": self.content_encoding,
            "mapping_version": self.mapping_version,
            "time_zone": self.time_zone,
            "mode": self.mode,
            "size_bytes": self.size_bytes,
            "received": self.received,
            "created": self.created,
            "revised": self.revised,
            "duplicate": self.duplicate,
            "rejected": self.rejected,
            "skipped": self.skipped,
            "excluded": self.excluded,
            "claims_differ": self.claims_differ,
            "first_opened_at": _instant(self.first_opened_at),
            "last_opened_at": _instant(self.last_opened_at),
            "measurable": list(self.measurable),
            "extra_columns": list(self.extra_columns[:MOST_EXTRA_COLUMNS]),
            "warnings": self._warnings(),
            "sha256": self.sha256.hex(),
            "previous_sha256": self.previous_sha256.hex() if self.previous_sha256 else None,
        }

    def _warnings(self) -> list[str]:
        warnings = [] if self.received else ["no-rows"]
        if len(self.extra_columns) > MOST_EXTRA_COLUMNS:
            warnings.append("more-extra-columns")
        return [*warnings, *self.flags]

    def receipt_sha256(self) -> bytes:
        """SHA-256 of the document as JSON: keys sorted, no blanks, UTF-8.

        Whoever holds a receipt can compute it, and so check the chain without trusting us.
        """
        return hashlib.sha256(canonical_json(self.document()).encode()).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredUpload:
    """A receipt, and what else is kept of the request."""

    receipt: Receipt
    receipt_sha256: bytes
    request_sha256: bytes
    content_type: str  # as it was sent, with its parameters
    columns: tuple[str, ...]  # header of a CSV file


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReject:
    row: int
    line: int
    offset: int
    outcome: str  # rejected, skipped
    field: str | None
    code: str
    message: str
    errors: tuple[dict[str, object], ...]
    raw: bytes


@dataclass(frozen=True, slots=True)
class Filter:
    """Of interactions. Null does not restrict; the interval is half open."""

    month: Month | None = None  # in the engagement's time zone
    opened_from: Micros | None = None
    opened_to: Micros | None = None
    agent_id: str | None = None
    channel: str | None = None
    status: str | None = None

    def within(self, start: Micros, end: Micros) -> "Filter":
        return replace(
            self,
            opened_from=max(start, self.opened_from) if self.opened_from is not None else start,
            opened_to=min(end, self.opened_to) if self.opened_to is not None else end,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMapping:
    version: int
    sha256: bytes
    source: str
    created_at: Micros


class NotConserved(AssertionError):
    """A mistake of ours, caught before it is stored."""


def settle(tally: Tally, effect: Effect) -> Literal["stored", "partial", "rejected"]:
    """The status of the whole upload. Raises NotConserved if a row was lost or invented."""
    if effect.created + effect.revised + effect.duplicate != tally.accepted:
        raise NotConserved(f"{tally.accepted} rows were accepted, {effect} were stored")
    if not tally.rejected:
        return "stored"
    return "partial" if tally.accepted else "rejected"


def canonical_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _instant(instant: Micros | None) -> str | None:
    return None if instant is None else format_instant(instant)
