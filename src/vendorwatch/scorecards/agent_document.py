"""One agent's page as a JSON document, from a kept scorecard and what is behind it.

Names no other agent, and no place among them: peers appear as a range, and only where they are many.
"""

import hashlib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from vendorwatch.scoring.coaching import BUCKETS_PER_DECADE
from vendorwatch.scoring.document import canonical_json
from vendorwatch.scoring.figures import NOT_REACHED

Document = dict[str, Any]

SCHEMA = "vendorwatch/agent-scorecard/1"
MOST_METRICS = 8
FEWEST_PEERS = 5
"""With fewer, a range would tell of one of them."""

_ALIKE = (
    "engagement_id",
    "merchant",
    "vendor",
    "month",
    "time_zone",
    "as_of",
    "status",
    "revision",
    "policy",
    "records_sha256",
    "code_version",
)
_FOR_COACHING = (
    "first_reply_on_time",
    "first_contact_resolution",
    "knowledge_score",
    "csat",
    "quality",
    "first_reply_p90",
    "resolution_on_time",
    "next_reply_on_time",
    "knowledge_coverage",
    "resolution_p90",
    "reopen_rate",
    "repeat_contact_rate",
    "handover_rate",
    "resolution_rate",
    "abandon_rate",
    "knowledge_pass_rate",
    "first_reply_p50",
    "resolution_p50",
)
"""What is shown first, where there are more than MOST_METRICS."""


def agent_document(
    document: Document, history: Sequence[Document], agent_id: str, work: Mapping[str, Any]
) -> Document:
    """`history` are the documents of earlier months, oldest first; `work` is what scoring.coaching
    tells of the agent. Raises LookupError for an agent whom the document does not name.
    """
    agent = _of(document, agent_id)
    if agent is None:
        raise LookupError(agent_id)
    shown = _shown(agent["metrics"])
    return {
        "schema": SCHEMA,
        **{name: document[name] for name in _ALIKE},
        "scorecard_sha256": hashlib.sha256(canonical_json(document).encode()).hexdigest(),
        "agent": agent,
        "shown": shown,
        "peers": {metric: _peers(document, agent_id, metric) for metric in shown},
        "months": [
            {"month": card["month"], "score": there["score"], "metrics": _values(there)}
            for card in history
            if (there := _of(card, agent_id))
        ],
        "buckets_per_decade": BUCKETS_PER_DECADE,
        **work,
    }


def _of(document: Document, agent_id: str) -> Document | None:
    return next((each for each in document["agents"] if each["agent_id"] == agent_id), None)


def _shown(metrics: Mapping[str, Document]) -> list[str]:
    """At most MOST_METRICS, those with a target first; in the document's order."""
    there = [
        name
        for name in _FOR_COACHING
        if name in metrics and (metrics[name]["target"] is not None or metrics[name]["denominator"])
    ]
    there.sort(key=lambda name: metrics[name]["target"] is None)
    kept = there[:MOST_METRICS]
    return [name for name in metrics if name in kept]


def _values(agent: Document) -> dict[str, Document]:
    return {
        name: {"value": figures["value"], "denominator": figures["denominator"]}
        for name, figures in agent["metrics"].items()
    }


def _peers(document: Document, agent_id: str, metric: str) -> Document | None:
    """The range of the other agents with enough cases, nearest-rank; None where they are few.

    `mix` says whether rates are those with the vendor's mix of contacts; `own` is the agent's.
    """
    enough = [
        (agent["agent_id"], agent["metrics"][metric])
        for agent in document["agents"]
        if metric in agent["metrics"] and agent["metrics"][metric]["rated"]
    ]
    mix = bool(enough) and all(figures.get("adjusted") for _, figures in enough)
    name = "adjusted" if mix else "value"
    values = sorted(
        (figures[name] for other, figures in enough if other != agent_id), key=_as_number
    )
    if len(values) < FEWEST_PEERS:
        return None
    own = _of(document, agent_id)
    assert own is not None  # noqa: S101  the caller has looked
    return {
        "agents": len(values),
        "p10": values[-(-len(values) // 10) - 1],
        "p90": values[-(-len(values) * 9 // 10) - 1],
        "mix": mix,
        "own": own["metrics"][metric].get(name),
    }


def _as_number(value: str) -> Decimal:
    """What was not reached stands above every number."""
    return Decimal("Infinity") if value == NOT_REACHED else Decimal(value)
