"""An entry, the chain that it stands in, and how many repeated refusals are worth one; pure."""

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec

from vendorwatch.periods import SECOND, Micros, format_instant

Action = Literal[
    "closing_rules.set",
    "contact_counts.set",
    "delivery.bounced",
    "delivery.cancelled",
    "delivery.retried",
    "engagement.created",
    "key.created",
    "key.rotated",
    "key.revoked",
    "knowledge.loaded",
    "mapping.set",
    "policy.set",
    "question.withdrawn",
    "recipient.added",
    "recipient.bounced",
    "recipient.removed",
    "recipient.restored",
    "review.withdrawn",
    "reviews.received",
    "roster.changed",
    "rubric.set",
    "scorecard.approved",
    "scorecard.computed",
    "scorecard.frozen",
    "upload.refused",
]
OF_VENDOR: tuple[Action, ...] = ("mapping.set", "roster.changed", "upload.refused")
"""What a key that only uploads is shown: what such a key can do."""

_sorted = msgspec.json.Encoder(order="sorted")
_HOUR = 3_600 * SECOND
_MOST_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Actor:
    """Null and null: whoever runs the server, by a command, or what the closing rules did.

    A request without a key comes from a signed link in a mail.
    """

    key_id: str | None = None
    request_id: str | None = None


COMMAND = Actor()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """`detail` holds ids, versions, counts and hashes, never what a customer or a person wrote.

    `sequence` is 1, 2, 3 ... within the engagement; `previous_sha256` is the hash of the one before.
    """

    engagement_id: str
    sequence: int
    at: Micros
    action: Action
    by: Actor
    detail: Mapping[str, object]
    previous_sha256: bytes | None

    def detail_text(self) -> str:
        return _sorted.encode(dict(self.detail)).decode()

    def sha256(self) -> bytes:
        """Of the entry as JSON: keys sorted, no blanks, UTF-8. Whoever reads it can compute it."""
        document = {
            "engagement_id": self.engagement_id,
            "sequence": self.sequence,
            "at": format_instant(self.at),
            "action": self.action,
            "key_id": self.by.key_id,
            "request_id": self.by.request_id,
            "detail": dict(self.detail),
            "previous_sha256": self.previous_sha256.hex() if self.previous_sha256 else None,
        }
        return hashlib.sha256(_sorted.encode(document)).digest()


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """`sha256` as it was written beside it."""

    entry: Entry
    sha256: bytes


Code = Literal["entry_removed", "entry_altered", "chain_broken"]


@dataclass(frozen=True, slots=True)
class Finding:
    sequence: int
    code: Code
    detail: str


@dataclass(slots=True)
class Walk:
    """Along the chain, page by page."""

    sequence: int = 0
    _sha256: bytes | None = None

    def along(self, entries: Iterable[StoredEntry]) -> Iterator[Finding]:
        """What is wrong with the next ones, in the order of their sequence."""
        for stored in entries:
            entry = stored.entry
            yield from self.until(entry.sequence - 1)
            if entry.sha256() != stored.sha256:
                told = "What it says is not what its hash was made of."
                yield Finding(entry.sequence, "entry_altered", told)
            if entry.previous_sha256 != self._sha256:
                told = "The entry before it is not the one that it names."
                yield Finding(entry.sequence, "chain_broken", told)
            self.sequence, self._sha256 = entry.sequence, stored.sha256

    def until(self, newest: int) -> Iterator[Finding]:
        """Those that should still have come."""
        for gone in range(self.sequence + 1, newest + 1):
            yield Finding(gone, "entry_removed", "It is gone.")


class Repeats:
    """The same refusal over and over: the 1st, 2nd, 4th, 8th ... within an hour has an entry, so that
    whoever sends nothing else fills no disk, and how often it was can still be read.

    Of one process; what was not heard of for longest is forgotten first.
    """

    def __init__(self, *, remembered: int = _MOST_REMEMBERED) -> None:
        self._remembered = remembered
        self._seen: OrderedDict[tuple[str, ...], tuple[int, int]] = OrderedDict()

    def note(self, *what: str, now: Micros) -> int | None:
        """How often it was in this hour, where that is worth an entry."""
        hour, times = self._seen.get(what, (0, 0))
        times = times + 1 if hour == now // _HOUR else 1
        self._seen[what] = (now // _HOUR, times)
        self._seen.move_to_end(what)
        if len(self._seen) > self._remembered:
            self._seen.popitem(last=False)
        return None if times & (times - 1) else times
