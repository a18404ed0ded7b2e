"""A vendor's months beside each other: which of them differ by more than their own noise.

Reads documents and nothing else, so that a kept scorecard and the frozen months before it give the
same answer for ever. What may be concluded from the values is scoring.xmr's to say.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

from vendorwatch.periods import Month
from vendorwatch.scoring.figures import NOT_REACHED
from vendorwatch.scoring.xmr import Chart, chart

Document = Mapping[str, Any]
Better = Literal["more", "less"]
Kind = Literal["score", "rate", "mean", "percentile"]

MONTHS_BEFORE = 11  # a year with the month itself


@dataclass(frozen=True, slots=True)
class Trend:
    """One figure over the months. `values` are the documents' own text, with None for a gap.

    `not_reached` is a gap in the chart, too: there is no number to draw. Where the policy of the
    newest month names no target, `better` is None, and a signal is neither good nor bad: `chart`
    then has no variation but common_cause.
    """

    kind: Kind
    values: tuple[str | None, ...]
    target: str | None
    better: Better | None
    chart: Chart


@dataclass(frozen=True, slots=True)
class Trends:
    """`months` run without a gap, oldest first; `cards` has None for one without a scorecard."""

    months: tuple[str, ...]
    cards: tuple[Document | None, ...]
    score: Trend
    metrics: Mapping[str, Trend]


def trends(document: Document, before: Sequence[Document]) -> Trends:
    """Of every metric that `document` has; `before` are the scorecards of earlier months."""
    months, cards = _months(document, before)
    metrics = document["vendor_scores"]["metrics"]
    scores = tuple(card["vendor_scores"]["score"] if card else None for card in cards)
    return Trends(
        months=months,
        cards=cards,
        score=Trend("score", scores, None, "more", chart(_points(scores), more_is_better=True)),
        metrics={name: _metric(name, figures, cards) for name, figures in metrics.items()},
    )


def _months(
    document: Document, before: Sequence[Document]
) -> tuple[tuple[str, ...], tuple[Document | None, ...]]:
    """From the first month that has a scorecard, at most eleven before this one."""
    known = {earlier["month"]: earlier for earlier in before}
    months = [Month.parse(document["month"])]
    for _ in range(MONTHS_BEFORE):
        months.insert(0, months[0].previous())
    cards = [*(known.get(str(month)) for month in months[:-1]), document]
    first = next(at for at, card in enumerate(cards) if card is not None)
    return tuple(str(month) for month in months[first:]), tuple(cards[first:])


def _metric(name: str, figures: Document, cards: Sequence[Document | None]) -> Trend:
    # A metric newer than an old scorecard is a gap there.
    there = [card["vendor_scores"]["metrics"].get(name) if card else None for card in cards]
    values = tuple(each["value"] if each else None for each in there)
    better, target = _better(figures), figures["target"]
    goal = None if target is None else Fraction(target)
    found = chart(_points(values), more_is_better=better != "less", target=goal)
    if better is None and found.variation != "common_cause":
        found = replace(found, variation=None)
    return Trend(figures["kind"], values, target, better, found)


def _better(figures: Document) -> Better | None:
    target, floor = figures["target"], figures["floor"]
    if target is None or floor is None:
        return None
    return "less" if Decimal(floor) > Decimal(target) else "more"


def _points(values: Sequence[str | None]) -> list[Fraction | None]:
    return [None if value in {None, NOT_REACHED} else Fraction(str(value)) for value in values]
