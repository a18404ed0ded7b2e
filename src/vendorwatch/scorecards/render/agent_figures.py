"""An agent's metrics against target and peers, and what of them could not be measured."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from vendorwatch.scorecards.render import cells, metric_table
from vendorwatch.scorecards.render.findings import Figures
from vendorwatch.scorecards.render.measures import dimension_name, dimension_of, name_of
from vendorwatch.scorecards.render.metric_table import MetricRow, TrendCell
from vendorwatch.scorecards.render.wording import Wording
from vendorwatch.scorecards.trends import Trends

_WORTH_SAYING = Decimal("0.02")  # how far case mix must move a rate to be said


def rows(document: Mapping[str, Any], months: Trends, words: Wording) -> list[MetricRow]:
    made, previous = [], None
    for metric in document["shown"]:
        dimension = dimension_of(metric)
        begins = dimension is not None and dimension != previous
        group = dimension_name(dimension, words) if dimension and begins else None
        figures, peers = document["agent"]["metrics"][metric], document["peers"][metric]
        row = metric_table.row(metric, group, figures, months, words, peers=_range(peers))
        made.append(_with_peers(row, figures, peers, words))
        previous = dimension
    return made


def _with_peers(
    row: MetricRow, figures: Figures, peers: Mapping[str, Any] | None, words: Wording
) -> MetricRow:
    """Beside the target the range of peers, and the agent's own figure as they are compared."""
    told = _told(peers, figures, words) or cells.NOTHING
    return replace(
        row,
        beside=" · ".join(filter(None, [row.beside, *row.left_out])),
        left_out=[],
        target=" ".join([*row.beside_target, row.target]) if row.target else None,
        beside_target=[told, *filter(None, [_own(peers, figures, words)])],
        trend=row.trend and _briefly(row.trend),
    )


def _briefly(trend: TrendCell) -> TrendCell:
    """Only what is more than chance."""
    is_steady = trend.state == "common_cause"
    return replace(trend, variation=None if is_steady else trend.variation, assurance=None)


def _range(peers: Mapping[str, Any] | None) -> tuple[Decimal, Decimal | None] | None:
    low = cells.decimal_of(peers["p10"]) if peers else None
    return None if peers is None or low is None else (low, cells.decimal_of(peers["p90"]))


def _told(peers: Mapping[str, Any] | None, figures: Figures, words: Wording) -> str | None:
    if peers is None:
        return None
    return cells.interval({**figures, "interval": [peers["p10"], peers["p90"]]}, words)


def _own(peers: Mapping[str, Any] | None, figures: Figures, words: Wording) -> str | None:
    if peers is None or not peers["mix"] or peers["own"] is None:
        return None
    own = Decimal(peers["own"])
    if abs(own - Decimal(figures["value"])) < _WORTH_SAYING:
        return None
    return words.gettext("adjusted %(rate)s", rate=words.rate(own))


def not_measured(document: Mapping[str, Any], words: Wording) -> list[str]:
    """Sentences: what there was nothing of, and what there was too little of."""
    metrics = document["agent"]["metrics"]
    nothing = [name for name, each in metrics.items() if not each["denominator"]]
    few = [
        name
        for name, each in metrics.items()
        if each["denominator"] and each["evidence"] == "too_few"
    ]
    told = []
    if nothing:
        listed = words.listed(name_of(each, words) for each in nothing)
        told.append(
            words.gettext("Nothing to measure this month for: %(metrics)s.", metrics=listed)
        )
    if few:
        listed = words.listed(name_of(each, words) for each in few)
        told.append(words.gettext("Too few to go by: %(metrics)s.", metrics=listed))
    return told
