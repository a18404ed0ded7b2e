"""The one metric that a page shows large, and the agents who stand out in it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from vendorwatch.scorecards.render.measures import dimension_of
from vendorwatch.scorecards.render.names import alphabetical

Document = Mapping[str, Any]

_FEWEST_AGENTS = 3  # two are no crowd to stand out from


@dataclass(frozen=True, slots=True)
class Outliers:
    """Agents outside the 99.8 % limits, and those outside the 95 % limits alone; alphabetical."""

    metric: str
    far: tuple[Document, ...]
    near: tuple[Document, ...]
    overdispersed: bool


def headline(document: Document) -> str | None:
    """The first metric with a target, of the dimension with the greatest weight."""
    return next(_named(document), None)


def funnel_metric(document: Document) -> str | None:
    """Of the headline's dimension the metric in which agents differ most; else of the next one."""
    metrics = document["vendor_scores"]["metrics"]
    comparable = [name for name in _named(document) if _has_funnel(metrics[name])]
    if not comparable:
        return None
    dimension = dimension_of(comparable[0])
    return max(
        (name for name in comparable if dimension_of(name) == dimension),
        key=lambda name: Decimal(metrics[name]["peers"]["dispersion"]),
    )


def outliers(document: Document, metric: str) -> Outliers:
    found: dict[str, list[Document]] = {"99.8": [], "95": []}
    for agent in alphabetically(document["agents"]):
        peers = agent["metrics"].get(metric, {}).get("peers")
        if peers and peers["outside"]:
            found[peers["outside"]].append(agent)
    figures = document["vendor_scores"]["metrics"][metric]
    return Outliers(
        metric,
        far=tuple(found["99.8"]),
        near=tuple(found["95"]),
        overdispersed=figures["peers"]["overdispersed"],
    )


def alphabetically(agents: Iterable[Document]) -> list[Document]:
    """Never by a figure."""
    return sorted(
        agents, key=lambda agent: (*alphabetical(name_of_agent(agent)), agent["agent_id"])
    )


def name_of_agent(agent: Document) -> str:
    return str(agent["name"] or agent["agent_id"])


def _named(document: Document) -> Iterator[str]:
    scores = document["vendor_scores"]
    weights = {name: Decimal(each["weight"]) for name, each in scores["dimensions"].items()}
    for dimension in sorted(weights, key=lambda name: -weights[name]):
        for metric, figures in scores["metrics"].items():
            if dimension_of(metric) == dimension and figures["target"] is not None:
                yield metric


def _has_funnel(figures: Document) -> bool:
    # Cards of earlier versions know no peers. Without a dispersion all agents are alike: nobody can
    # stand out, as where what counts is credited to none of them.
    peers = figures.get("peers")
    return bool(
        peers
        and figures["value"] is not None
        and peers["dispersion"] is not None
        and peers["agents"] >= _FEWEST_AGENTS
    )
