"""Agents' pages for coaching: one each, one after the other. They show what the documents say."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from vendorwatch.periods import Micros, format_instant
from vendorwatch.scorecards.agent_document import FEWEST_PEERS
from vendorwatch.scorecards.render import agent_figures, agent_topics, reading_list, reply_times
from vendorwatch.scorecards.render.headline import alphabetically, name_of_agent
from vendorwatch.scorecards.render.names import displayable
from vendorwatch.scorecards.render.page import (
    all_displayable,
    dated,
    environment,
    instant_of,
    stylesheet,
)
from vendorwatch.scorecards.render.score_block import score_block
from vendorwatch.scorecards.render.wording import Wording, capital, wording
from vendorwatch.scorecards.trends import trends

Document = Mapping[str, Any]

_IN_FOOT = 50  # graphemes of a name
_ON_ONE_LINE = 38
_OF_LOGS = ("topic", "source_account", "interaction_id")


@dataclass(frozen=True)
class AgentReport:
    """`document` is the scorecard that the agents' documents were made from.

    `of_one`: it is about one agent, and not about all that there are.
    """

    document: dict[str, Any]
    agents: Sequence[dict[str, Any]]
    language: str
    issued: Micros | None = None
    of_one: bool = False


def html_of_agents(report: AgentReport) -> str:
    """Raises LookupError if there is no catalogue for the language."""
    words = wording(report.language)
    card = all_displayable(report.document)
    by_id = {each["agent"]["agent_id"]: each for each in report.agents}
    ordered = alphabetically([each["agent"] for each in report.agents])
    pages = [_page(all_displayable(by_id[each["agent_id"]]), words) for each in ordered]
    return (
        environment(report.language)
        .get_template("agent.html")
        .render(
            language=report.language,
            stylesheet=stylesheet("print.css", "agent.css", "screen.css"),
            document=card,
            month=capital(words.month(card["month"])),
            month_inside=words.month(card["month"]),
            title=pages[0]["name"] if report.of_one else card["vendor"],
            created=format_instant(dated(report)),
            as_of=words.instant(instant_of(report.document), card["time_zone"]),
            issued=words.instant(report.issued, card["time_zone"]) if report.issued else None,
            pages=pages,
        )
    )


def spelt_out(report: AgentReport, characters: Collection[str]) -> AgentReport:
    """With these characters of ids and topics written as [U+1F642]; names stay as they are."""
    table = str.maketrans({each: f"[U+{ord(each):04X}]" for each in characters})

    def spelt(rows: Sequence[Document]) -> list[Document]:
        return [
            {
                name: value.translate(table) if name in _OF_LOGS and value else value
                for name, value in row.items()
            }
            for row in rows
        ]

    agents = [
        each | {"topics": spelt(each["topics"]), "to_read": spelt(each["to_read"])}
        for each in report.agents
    ]
    return replace(report, agents=agents)


def _page(document: Document, words: Wording) -> dict[str, Any]:
    agent, name = document["agent"], name_of_agent(document["agent"])
    own = {**document, "vendor_scores": agent}
    before = [{"month": each["month"], "vendor_scores": each} for each in document["months"]]
    months = trends(own, before)
    earlier = list(zip(months.months, months.cards, strict=True))[:-1]
    return {
        "name": name,
        "is_long": len(name) > _ON_ONE_LINE,
        "agent_id": agent["agent_id"] if name != agent["agent_id"] else None,
        "foot": displayable(name, _IN_FOOT),
        "contacts": words.ngettext("%(n)s contact", "%(n)s contacts", agent["volume"]),
        "score": score_block(own, earlier, words),
        "metrics": agent_figures.rows(document, months, words),
        "fewest_peers": words.count(FEWEST_PEERS),
        "replies": reply_times.lanes(document, words),
        "topics": agent_topics.table(document["topics"], words),
        "to_read": [
            reading_list.item(each, document["time_zone"], words) for each in document["to_read"]
        ],
        "not_measured": agent_figures.not_measured(document, words),
    }
