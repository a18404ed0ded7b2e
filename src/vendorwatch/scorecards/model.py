"""Scorecards as they are kept."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from vendorwatch.db.scope import Scope
from vendorwatch.errors import Kind, VendorwatchError
from vendorwatch.periods import Micros, Month
from vendorwatch.scoring.document import Document, canonical_json
from vendorwatch.scoring.frames import KNOWLEDGE


class BadScorecardRequest(VendorwatchError):
    """The month is not one, or the as-of instant cannot be read.

    Write the month as 2026-10 and the instant as 2026-11-08T00:00:00Z.
    """

    kind = Kind.REFUSED
    slug = "bad-scorecard-request"
    title = "The scorecard cannot be computed so"


class ScorecardNotVerifiable(VendorwatchError):
    """The scorecard was kept by a version of vendorwatch that did not keep what this asks for.

    Compute the month again, as of the same instant, and ask for that scorecard.
    """

    kind = Kind.CONFLICT
    slug = "scorecard-not-verifiable"
    title = "The scorecard was kept without what it was computed from"


Cell = str | int | bool | None
Cells = tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Topic:
    """How many questions of it an agent was asked, and how many answers were right."""

    agent_id: str
    topic: str
    asked: int
    right: int


@dataclass(frozen=True, slots=True)
class Basis:
    """What a scorecard depends on besides uploads, and what may have changed when it is verified.

    `knowledge` has rows as in frames.KNOWLEDGE; `answers` as in frames.ANSWERS, each with how many
    are alike: a month's scorecard looks back on 180 days of them.
    """

    names: Mapping[str, str | None]
    aliases: Mapping[str, str]
    knowledge: Sequence[Cells]
    answers: Sequence[tuple[str, str, bool, int]]
    reviews: int  # the newest revision of a review
    policies: int  # the newest version of the policy, whichever counts
    now: Micros  # when it was computed
    default_policy: str | None  # the package's own file, where that counted

    def about(self, agents: Iterable[str]) -> "Basis":
        """Enough for a document with these agents.

        Aliases are kept all: records that the document leaves out name agents, too.
        """
        there = set(agents)
        names = {agent: name for agent, name in self.names.items() if agent in there}
        return replace(self, names=names)

    def results(self) -> list[dict[str, Cell]]:
        """The rows of `knowledge` by name, with the agents' own ids, by agent and check."""
        rows = [dict(zip(KNOWLEDGE, row, strict=True)) for row in self.knowledge]
        named = [row | {"agent_id": self._own(str(row["agent_id"]))} for row in rows]
        return sorted(named, key=lambda row: (str(row["agent_id"]), str(row["check_id"])))

    def topics(self) -> list[Topic]:
        """The answers, with the agents' own ids, by agent and topic."""
        asked: dict[tuple[str, str], int] = defaultdict(int)
        known: dict[tuple[str, str], int] = defaultdict(int)
        for agent, topic, right, count in self.answers:
            asked[self._own(agent), topic] += count
            known[self._own(agent), topic] += count if right else 0
        return [Topic(*key, asked[key], known[key]) for key in sorted(asked)]

    def _own(self, agent: str) -> str:
        return self.aliases.get(agent, agent)

    def to_json(self) -> str:
        return canonical_json(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Basis":
        found = json.loads(text)
        rows = {name: [tuple(row) for row in found[name]] for name in ("knowledge", "answers")}
        return cls(**(found | rows))


@dataclass(frozen=True, slots=True)
class Computed:
    """A document, and what it takes to compute it again."""

    scope: Scope
    document: Document
    as_of: Micros
    policy_version: int
    known: Mapping[str, int]  # the newest upload of each of the merchant's engagements
    basis: Basis

    @property
    def sha256(self) -> str:
        return hashlib.sha256(canonical_json(self.document).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class StoredScorecard:
    scorecard_id: str
    document: Document
    document_sha256: str
    created_at: Micros
    history: tuple[str, ...] = ()  # ids of the scorecards of the months before, oldest first
    is_new: bool = False  # it was stored just now

    @property
    def month(self) -> Month:
        return Month.parse(str(self.document["month"]))


MOST_TOLD = 50
"""Ids of withdrawn interactions that are told; all are counted."""


@dataclass(frozen=True, slots=True)
class Rows:
    """How the interactions of a month differ between two of its scorecards, by what a vendor did.

    `moved` are those that a revision opens in another month; `withdrawn` had counted before.
    """

    created: int = 0
    revised: int = 0
    withdrawn: int = 0
    moved: int = 0
    withdrawn_ids: tuple[str, ...] = ()

    def counts(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in ("created", "revised", "withdrawn", "moved")}


Standing = Mapping[tuple[str, str], str]
"""The status of interactions, by account and id."""


def rows_between(before: Standing, after: Standing) -> Rows:
    """`before` has those that are not in force any more, `after` those that were not so then."""
    revised = [key for key in after if key in before]
    gone = [key for key in revised if after[key] == _WITHDRAWN and before[key] != _WITHDRAWN]
    return Rows(
        created=len(after) - len(revised),
        revised=len(revised) - len(gone),
        withdrawn=len(gone),
        moved=sum(key not in after for key in before),
        withdrawn_ids=tuple(sorted(interaction_id for _, interaction_id in gone)[:MOST_TOLD]),
    )


_WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Kept:
    """A scorecard as it lies in its table; nothing of it has been read yet."""

    scope: Scope
    scorecard_id: str
    month: str
    as_of: Micros
    known: str
    basis: str | None  # None: kept before there was one
    document: str
    document_sha256: str
    beside: Mapping[str, object]  # columns that repeat what the document says


def agents_of(document: Mapping[str, Any]) -> list[str]:
    return [agent["agent_id"] for agent in document.get("agents", ())]
