"""Which figures of a revision read otherwise than in the scorecard that it replaces."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vendorwatch.scorecards.render import cells, measures
from vendorwatch.scorecards.render.wording import Wording

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """One line of a table."""

    label: str
    before: str
    now: str


def differences(old: Document, new: Document, words: Wording) -> list[Difference]:
    """What reads alike is left out, though the figures behind it may differ."""
    before, now = (dict(_read(each, words)) for each in (old, new))
    return [
        Difference(label, before.get(label, cells.NOTHING), now.get(label, cells.NOTHING))
        for label in now | before
        if before.get(label) != now.get(label)
    ]


def _read(document: Document, words: Wording) -> Iterator[tuple[str, str]]:
    """By what it is called."""
    scores = document["vendor_scores"]
    yield words.gettext("Score"), _score(scores["score"], words)
    for name, dimension in scores["dimensions"].items():
        yield measures.dimension_name(name, words), _score(dimension["score"], words)
    yield words.gettext("Contacts scored"), words.count(document["volume"]["scored"])
    for name, figures in scores["metrics"].items():
        yield measures.name_of(name, words), cells.actual(figures, words)


def _score(score: str | None, words: Wording) -> str:
    return words.gettext("Not rated") if score is None else words.score(score)
