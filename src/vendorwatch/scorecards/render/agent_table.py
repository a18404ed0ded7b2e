"""The agents' table: alphabetical, never ranked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vendorwatch.scorecards.render import cells
from vendorwatch.scorecards.render.findings import Figures, is_clear
from vendorwatch.scorecards.render.names import alphabetical
from vendorwatch.scorecards.render.wording import Wording, msgid

COLUMNS = {
    "first_reply_on_time": msgid("First reply on time"),
    "first_reply_p90": msgid("First reply (p90)"),
    "first_contact_resolution": msgid("Resolved at first contact"),
    "csat": msgid("Satisfied customers"),
    "knowledge_score": msgid("Knowledge score"),
}


@dataclass(frozen=True, slots=True)
class AgentCell:
    text: str
    kind: str  # classes on the page: met, missed or plain, few, none


@dataclass(frozen=True, slots=True)
class AgentRow:
    name: str
    volume: str
    cells: list[AgentCell]


def rows(agents: Sequence[Mapping[str, Any]], words: Wording) -> list[AgentRow]:
    named = sorted(agents, key=lambda agent: (*alphabetical(_name(agent)), agent["agent_id"]))
    return [
        AgentRow(
            _name(agent),
            words.count(agent["volume"]),
            [_cell(agent["metrics"].get(metric), words) for metric in COLUMNS],
        )
        for agent in named
    ]


def _name(agent: Mapping[str, Any]) -> str:
    return str(agent["name"] or agent["agent_id"])


def _cell(figures: Figures | None, words: Wording) -> AgentCell:
    if figures is None or not figures["denominator"]:
        return AgentCell(cells.NOTHING, "none")
    if figures["evidence"] == "too_few":
        few = words.gettext("too few (%(n)s)", n=words.count(figures["denominator"]))
        return AgentCell(few, "few")
    kind = next((f"{kind} clear" for kind in ("met", "missed") if is_clear(figures, kind)), "plain")
    return AgentCell(cells.actual(figures, words), kind)
