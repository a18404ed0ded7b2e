"""The score, the dimensions that it is made of, and the months before it."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from markupsafe import Markup

from vendorwatch.charts.sparkline import sparkline
from vendorwatch.scorecards.render import cells, measures
from vendorwatch.scorecards.render.wording import Wording

Document = Mapping[str, Any]
History = Sequence[tuple[str, Document | None]]
"""Months before this one, oldest first, with None for a month that has no document."""

_MONTHS_BESIDE = 3


def score_block(document: Document, history: History, words: Wording) -> dict[str, Any]:
    """What the template needs to show the score, its dimensions and the months before."""
    scores = document["vendor_scores"]
    return {
        "value": words.score(scores["score"]) if scores["score"] is not None else None,
        "not_rated": words.listed(
            measures.dimension_name(name, words) for name in scores["not_rated"]
        ),
        "dimensions": [
            _dimension(name, dimension, words) | {"counts_as": _counts_as(name, document, words)}
            for name, dimension in scores["dimensions"].items()
            if dimension["weight"] != "0" or dimension["score"] is not None
        ],
        "earlier": [
            (words.short_month(month), _score_or_nothing(earlier, words))
            for month, earlier in history[-_MONTHS_BESIDE:]
            if earlier
        ],
        "trend": _trend(document, history, words) if history else None,
    }


def _dimension(name: str, dimension: Document, words: Wording) -> dict[str, str | None]:
    value = dimension["score"]
    return {
        "name": measures.dimension_name(name, words),
        "value": words.score(value) if value is not None else words.gettext("Not rated"),
        "state": "rated" if value is not None else "unrated",
        "weight": words.gettext("Weight %(n)s", n=words.plain_number(dimension["weight"])),
    }


def _counts_as(name: str, document: Document, words: Wording) -> str | None:
    """With balance, response enters the score as resolution where that is lower."""
    scores = document["vendor_scores"]
    if name != "response" or scores["score"] is None or not document["policy"]["balance"]:
        return None
    response, resolution = (scores["dimensions"][n]["score"] for n in ("response", "resolution"))
    if response is None or resolution is None or Decimal(response) <= Decimal(resolution):
        return None
    return words.gettext("counts as %(n)s", n=words.score(resolution))


def _score_or_nothing(document: Document, words: Wording) -> str:
    value = document["vendor_scores"]["score"]
    return words.score(value) if value is not None else cells.NOTHING


def _trend(document: Document, history: History, words: Wording) -> Markup:
    values = [
        cells.decimal_of(month["vendor_scores"]["score"]) if month else None
        for month in [*(earlier for _, earlier in history), document]
    ]
    if all(value is None for value in values):
        return Markup()
    title = words.gettext("Score in the last %(n)s months", n=len(values))
    return Markup(sparkline(title, values))  # noqa: S704 - our own SVG, title escaped there
