"""The chain of the audit, and how often a repeated refusal is worth an entry."""

import json
from dataclasses import replace
from hashlib import sha256

from vendorwatch.audit.model import Actor, Entry, Repeats, StoredEntry, Walk
from vendorwatch.periods import SECOND

HOUR = 3_600 * SECOND
FIRST = Entry(
    engagement_id="e",
    sequence=1,
    at=1_793_606_400 * SECOND,
    action="policy.set",
    by=Actor("key", "request"),
    detail={"version": 1, "sha256": "é"},
    previous_sha256=None,
)


def chain(length: int) -> list[StoredEntry]:
    found: list[StoredEntry] = []
    for number in range(1, length + 1):
        previous = found[-1].sha256 if found else None
        entry = replace(FIRST, sequence=number, previous_sha256=previous)
        found.append(StoredEntry(entry, entry.sha256()))
    return found


def codes(entries: list[StoredEntry], newest: int) -> list[tuple[int, str]]:
    """Walked in two pages."""
    chain, half = Walk(), len(entries) // 2
    found = [*chain.along(entries[:half]), *chain.along(entries[half:]), *chain.until(newest)]
    return [(each.sequence, each.code) for each in found]


def test_the_hash_is_that_of_the_entry_as_json() -> None:
    """As the documents tell whoever wants to compute it."""
    document = {
        "action": "policy.set",
        "at": "2026-11-02T08:00:00Z",
        "detail": {"sha256": "é", "version": 1},
        "engagement_id": "e",
        "key_id": "key",
        "previous_sha256": None,
        "request_id": "request",
        "sequence": 1,
    }
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert FIRST.sha256() == sha256(text.encode()).digest()


def test_a_whole_chain_has_no_findings() -> None:
    assert codes(chain(0), 0) == codes(chain(5), 5) == []


def test_what_is_gone_is_named_wherever_it_stood() -> None:
    entries = chain(5)
    assert codes(entries[1:], 5) == [(1, "entry_removed"), (2, "chain_broken")]
    assert codes(entries[:2] + entries[3:], 5) == [(3, "entry_removed"), (4, "chain_broken")]
    assert codes(entries[:3], 5) == [(4, "entry_removed"), (5, "entry_removed")]


def test_what_is_altered_is_named() -> None:
    entries = chain(3)
    altered = replace(entries[1].entry, detail={"version": 2})
    assert codes([entries[0], StoredEntry(altered, entries[1].sha256), entries[2]], 3) == [
        (2, "entry_altered")
    ]
    # With its hash made anew, the one behind it does not follow it any more.
    assert codes([entries[0], StoredEntry(altered, altered.sha256()), entries[2]], 3) == [
        (3, "chain_broken")
    ]


def test_repeats_are_told_at_powers_of_two() -> None:
    repeats = Repeats()
    told = [repeats.note("key", "slug", now=HOUR + number) for number in range(20_000)]
    assert [each for each in told if each] == [2**power for power in range(15)]
    assert repeats.note("key", "slug", now=2 * HOUR) == 1
    assert repeats.note("key", "other", now=2 * HOUR) == 1


def test_what_is_remembered_is_bounded() -> None:
    repeats = Repeats(remembered=2)
    for name in ("a", "a", "b", "c"):
        repeats.note(name, now=0)
    assert repeats.note("c", now=0) == 2
    assert repeats.note("a", now=0) == 1  # forgotten meanwhile
