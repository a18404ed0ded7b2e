"""What must be true whenever the server is dead, told from the client's ledger alone.

Uploads of an engagement are applied here one by one, in the order of their receipts, to a plain
dict; the tables must then hold exactly that. Kinds of violations: lost, doubled, half-there,
invented, altered, miscounted, chain, audit, source, integrity; and
answer, stuck and died, where the server's conduct is wrong.
"""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from crash.ledger import Entry, Ledger
from crash.plans import FIGURES, Bad, Row
from crash.sites import Record, Site, State

_BEFORE_ALL = -(2**62)  # a revision without source_updated_at gives way to any with one


class Violation(NamedTuple):
    kind: str
    told: str


class Place(NamedTuple):
    """Which row of which upload."""

    sequence: int
    row: int


@dataclass(slots=True)
class Expected:
    """What an engagement's rows must be: revisions by interaction, each with its place."""

    revisions: dict[str, dict[tuple[object, ...], Place]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    in_force: dict[str, tuple[object, ...]] = field(default_factory=dict)
    customers: dict[Place, str | None] = field(default_factory=dict)

    def apply(self, sequence: int, rows: tuple[Row | Bad, ...]) -> dict[str, int]:
        """What the receipt must say."""
        counts = Counter(created=0, revised=0, duplicate=0, rejected=0, received=len(rows))
        for number, row in enumerate(rows, start=1):
            if isinstance(row, Bad):
                counts["rejected"] += 1
                continue
            revisions, content = self.revisions[row.interaction_id], (*row.figures, row.customer)
            if content in revisions:
                counts["duplicate"] += 1
                continue
            counts["revised" if revisions else "created"] += 1
            revisions[content] = place = Place(sequence, number)
            self.customers[place] = row.customer
            rival = self.in_force.get(row.interaction_id)
            if rival is None or _moment(content) >= _moment(rival):
                self.in_force[row.interaction_id] = content
        return dict(counts)

    def rows(self) -> Iterator[tuple[Place, tuple[object, ...], bool]]:
        """Place, figures and whether it is in force."""
        for name, revisions in self.revisions.items():
            for content, place in revisions.items():
                yield place, content[:-1], self.in_force[name] == content


def _moment(content: tuple[object, ...]) -> int:
    moment = content[FIGURES.index("source_updated_at")]
    return moment if isinstance(moment, int) else _BEFORE_ALL


class Checker:
    """`engagements` are hexadecimal ids; client n belongs to engagement n modulo their number."""

    def __init__(self, site: Site, ledger: Ledger, engagements: list[str]) -> None:
        self._site, self._ledger, self._engagements = site, ledger, engagements
        self._seen_sources: set[tuple[str, str]] = set()
        self._seen_audit: dict[str, list[Record]] = {}

    def check(self, state: State, *, at_the_end: bool) -> list[Violation]:
        found = list(self._acknowledged(state))
        pseudonyms: dict[str, bytes] = {}
        for number, engagement in enumerate(self._engagements):
            uploads = [u for u in state.tables["uploads"] if u["engagement_id"] == engagement]
            entries = [
                entry
                for entry in self._ledger.entries.values()
                if entry.plan.client % len(self._engagements) == number
            ]
            found += self._chain(state, engagement, uploads)
            found += self._contents(state, engagement, uploads, entries, pseudonyms)
            found += self._sources(state, engagement, uploads)
            found += self._audit(state, engagement)
            if at_the_end:
                found += _unsent(uploads, entries)
        found += [
            Violation("invented", f"rows of an unknown engagement {row['engagement_id']}")
            for table in ("uploads", "interactions", "rejects")
            for row in state.tables[table]
            if row["engagement_id"] not in self._engagements
        ]
        return found

    def _acknowledged(self, state: State) -> Iterator[Violation]:
        """I1 and the chain, as whoever holds a receipt can check it."""
        stored = {row["upload_id"]: row for row in state.tables["uploads"]}
        for name, entry in self._ledger.entries.items():
            receipt = entry.receipt
            if receipt is None or receipt["id"] is None:
                continue
            row = stored.get(receipt["id"].replace("-", ""))
            if row is None:
                yield Violation("lost", f"{name} was acknowledged and is not there")
                continue
            told = {k: v for k, v in receipt.items() if k not in {"receipt_sha256", "links"}}
            written = json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
            digest = hashlib.sha256(written.encode()).hexdigest()
            if not digest == receipt["receipt_sha256"] == row["receipt_sha256"].hex():
                yield Violation("altered", f"{name}: the receipt is not the stored one")
            if entry.plan.sha256 != receipt["sha256"]:
                yield Violation("altered", f"{name}: the receipt names other bytes")

    def _chain(self, state: State, engagement: str, uploads: list[Record]) -> Iterator[Violation]:
        sequences = [row["sequence"] for row in uploads]
        if sequences != list(range(1, len(uploads) + 1)):
            yield Violation("chain", f"receipts are not numbered without a gap: {sequences}")
        for earlier, later in zip([None, *uploads], uploads, strict=False):
            if later["previous_sha256"] != (earlier and earlier["receipt_sha256"]):
                yield Violation(
                    "chain", f"receipt {later['sequence']} does not follow its previous"
                )
        (last,) = (
            row["upload_sequence"]
            for row in state.tables["engagements"]
            if row["engagement_id"] == engagement
        )
        if last != len(uploads):
            yield Violation("chain", f"the engagement counts {last} uploads of {len(uploads)}")

    def _audit(self, state: State, engagement: str) -> Iterator[Violation]:
        """I17: it only grows, and its chain verifies."""
        entries = [row for row in state.tables["audit"] if row["engagement_id"] == engagement]
        seen = self._seen_audit.get(engagement, [])
        if entries[: len(seen)] != seen:
            yield Violation("audit", f"of {len(seen)} entries {len(entries)} are there, or altered")
        self._seen_audit[engagement] = entries
        numbers = [row["sequence"] for row in entries]
        if numbers != list(range(1, len(entries) + 1)):
            yield Violation("audit", f"entries are not numbered without a gap: {numbers}")
        for earlier, later in zip([None, *entries], entries, strict=False):
            if later["previous_sha256"] != (earlier and earlier["sha256"]):
                yield Violation("audit", f"entry {later['sequence']} does not follow its previous")
        (last,) = (
            row["sequence"]
            for row in state.tables["audit_heads"]
            if row["engagement_id"] == engagement
        )
        if last != len(entries):
            yield Violation("audit", f"{last} entries are counted, and {len(entries)} are there")

    def _contents(
        self,
        state: State,
        engagement: str,
        uploads: list[Record],
        entries: list[Entry],
        pseudonyms: dict[str, bytes],
    ) -> Iterator[Violation]:
        """I1, I3, I4, I5, and which revision is in force."""
        expected, bad = Expected(), dict[Place, Bad]()
        taken = Counter[str]()
        for row in uploads:
            entry = _entry(row, entries)
            if entry is None:
                yield Violation("invented", f"upload {row['sequence']} is of no ledger line")
                continue
            plan = entry.plan
            taken[plan.name] += 1
            if taken[plan.name] > 1:
                yield Violation("doubled", f"{plan.name} has {taken[plan.name]} receipts")
            counts = expected.apply(row["sequence"], plan.rows)
            told = {name: row[name] for name in counts}
            if told != counts:
                yield Violation("miscounted", f"{plan.name}: {told}, must be {counts}")
            for number, each in enumerate(plan.rows, start=1):
                if isinstance(each, Bad):
                    bad[Place(row["sequence"], number)] = each
        yield from _compare_rows(state, engagement, expected, pseudonyms)
        yield from _compare_rejects(state, engagement, bad)

    def _sources(self, state: State, engagement: str, uploads: list[Record]) -> Iterator[Violation]:
        """I4: the bytes as received are there before anything refers to them."""
        for row in uploads:
            name = engagement, row["sha256"].hex()
            if name not in state.sources:
                yield Violation("source", f"the source of upload {row['sequence']} is not there")
            elif name not in self._seen_sources:
                if self._site.source(*name) != self._ledger.body(name[1]):
                    yield Violation("source", f"the source of upload {row['sequence']} is altered")
                self._seen_sources.add(name)


def _entry(row: Record, entries: Iterable[Entry]) -> Entry | None:
    """Whose upload it is: by the key that was sent, or else by the bytes."""
    sha256 = row["sha256"].hex()
    same = [entry for entry in entries if entry.plan.sha256 == sha256]
    same = [entry for entry in same if entry.plan.effect in {"stored", "refused"}]
    keyed = [entry for entry in same if entry.plan.key == row["idempotency_key"]]
    keyless = [entry for entry in same if entry.plan.key is None or entry.plan.effect == "refused"]
    return next(iter(keyed or keyless), None)


def _compare_rows(
    state: State, engagement: str, expected: Expected, pseudonyms: dict[str, bytes]
) -> Iterator[Violation]:
    actual: dict[Place, list[Record]] = defaultdict(list)
    for row in state.tables["interactions"]:
        if row["engagement_id"] == engagement:
            actual[Place(row["upload_sequence"], row["row_number"])].append(row)
    lost, whole = Counter[int](), Counter[int]()
    for place, figures, in_force in expected.rows():
        whole[place.sequence] += 1
        rows = actual.pop(place, [])
        lost[place.sequence] += not rows
        if rows:
            wanted, customer = (*figures, in_force), f"{engagement} {expected.customers[place]}"
            digest = pseudonyms.setdefault(customer, rows[0]["customer_ref"])
            yield from _compare_row(place, rows, wanted, digest)
    for sequence, number in lost.items():
        if number:
            kind = "lost" if number == whole[sequence] else "half-there"
            yield Violation(kind, f"{number} of {whole[sequence]} rows of upload {sequence}")
    if actual:
        yield Violation("invented", f"rows that nobody sent, or sent once: {sorted(actual)[:5]}")


def _compare_row(
    place: Place, rows: list[Record], wanted: tuple[object, ...], customer: bytes
) -> Iterator[Violation]:
    if len(rows) > 1:
        yield Violation("doubled", f"{place} is there {len(rows)} times")
    told = tuple(rows[0][name] for name in (*FIGURES, "in_force"))
    if told != wanted:
        yield Violation("altered", f"{place}: {told}, was sent as {wanted}")
    if rows[0]["customer_ref"] != customer:
        yield Violation("altered", f"{place}: another customer")


def _compare_rejects(state: State, engagement: str, bad: dict[Place, Bad]) -> Iterator[Violation]:
    actual = {
        Place(row["upload_sequence"], row["row_number"]): (row["raw"], row["code"])
        for row in state.tables["rejects"]
        if row["engagement_id"] == engagement
    }
    wanted = {place: (each.raw, each.code) for place, each in bad.items()}
    if actual != wanted:
        differing = sorted(set(actual.items()) ^ set(wanted.items()))[:3]
        yield Violation("half-there", f"refused rows are not those that were sent: {differing}")


def _unsent(uploads: list[Record], entries: list[Entry]) -> Iterator[Violation]:
    """When every client has its answer: as many receipts as uploads that leave one."""
    there = Counter(entry.plan.name for row in uploads if (entry := _entry(row, entries)))
    for entry in entries:
        plan = entry.plan
        if plan.effect in {"stored", "refused"} and not there[plan.name]:
            yield Violation("lost", f"{plan.name} was sent until it was answered and is not there")


def summary(violations: Iterable[Violation]) -> dict[str, Any]:
    counts = Counter(violation.kind for violation in violations)
    return {name: counts[name] for name in ("lost", "doubled", "half-there")} | dict(counts)
