"""What an agent was asked, topic by topic, and what was missed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vendorwatch.scorecards.render.names import displayable
from vendorwatch.scorecards.render.wording import Wording

MOST_ROWS = 5
LONGEST = 30  # graphemes of a topic: two lines, so that the page stays one


@dataclass(frozen=True, slots=True)
class TopicRow:
    topic: str
    contacts: str
    answers: str
    state: str  # a class on the page: missed, met, none
    told: str


@dataclass(frozen=True, slots=True)
class TopicTable:
    rows: list[TopicRow]
    was_asked: bool
    left_out: str | None


def table(topics: Sequence[Mapping[str, Any]], words: Wording) -> TopicTable:
    """What was missed first, then what the agent works on and was not asked, then the rest."""
    ordered = sorted(topics, key=_importance)
    others = len(ordered) - MOST_ROWS
    return TopicTable(
        [_row(each, words) for each in ordered[:MOST_ROWS]],
        any(each["asked"] for each in topics),
        words.ngettext("%(n)s more topic.", "%(n)s more topics.", others) if others > 0 else None,
    )


def _importance(topic: Mapping[str, Any]) -> tuple[int, int, int, str]:
    missed = topic["asked"] - topic["right"]
    is_asked = bool(topic["asked"])
    return (-missed, is_asked, -topic["contacts"], topic["topic"])


def _row(topic: Mapping[str, Any], words: Wording) -> TopicRow:
    asked, right = topic["asked"], topic["right"]
    if not asked:
        state, told = "none", words.gettext("not asked")
    elif asked == right:
        state, told = "met", words.gettext("all right")
    else:
        state, told = "missed", words.gettext("missed: %(n)s", n=words.count(asked - right))
    return TopicRow(
        displayable(topic["topic"], LONGEST),
        words.count(topic["contacts"]),
        words.gettext("%(n)s of %(all)s", n=words.count(right), all=words.count(asked))
        if asked
        else "",
        state,
        told,
    )
