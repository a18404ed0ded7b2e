"""The agents' table: alphabetical, never ranked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from vendorwatch.scorecards.render import cells
from vendorwatch.scorecards.render.drawings import LEVELS
from vendorwatch.scorecards.render.findings import Figures, is_clear
from vendorwatch.scorecards.render.headline import alphabetically, name_of_agent
from vendorwatch.scorecards.render.wording import Wording, msgid

COLUMNS = {
    "first_reply_on_time": msgid("First reply on time"),
    "first_reply_p90": msgid("First reply (p90)"),
    "first_contact_resolution": msgid("Resolved at first contact"),
    "csat": msgid("Satisfied customers"),
    "knowledge_score": msgid("Knowledge score"),
}

_WORTH_SAYING = Decimal("0.02")  # how far case mix must move a rate to be said


@dataclass(frozen=True, slots=True)
class AgentCell:
    text: str
    kind: str  # classes on the page: met, missed or plain, few, none
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AgentRow:
    name: str
    volume: str
    cells: list[AgentCell]


def rows(agents: Sequence[Mapping[str, Any]], words: Wording) -> list[AgentRow]:
    return [
        AgentRow(
            name_of_agent(agent),
            words.count(agent["volume"]),
            [_cell(agent["metrics"].get(metric), words) for metric in COLUMNS],
        )
        for agent in alphabetically(agents)
    ]


def _cell(figures: Figures | None, words: Wording) -> AgentCell:
    if figures is None or not figures["denominator"]:
        return AgentCell(cells.NOTHING, "none")
    if figures["evidence"] == "too_few":
        few = words.gettext("too few (%(n)s)", n=words.count(figures["denominator"]))
        return AgentCell(few, "few")
    kind = next((f"{kind} clear" for kind in ("met", "missed") if is_clear(figures, kind)), "plain")
    return AgentCell(cells.actual(figures, words), kind, tuple(_notes(figures, words)))


def _notes(figures: Figures, words: Wording) -> Iterator[str]:
    """Cards of earlier versions have neither."""
    adjusted = figures.get("adjusted")
    if adjusted and abs(Decimal(adjusted) - Decimal(figures["value"])) >= _WORTH_SAYING:
        yield words.gettext("adjusted %(rate)s", rate=words.rate(Decimal(adjusted)))
    peers = figures.get("peers")
    if peers and peers["outside"]:
        level = words.written_rate(LEVELS[peers["outside"]])
        yield words.gettext("outside %(level)s", level=level)
