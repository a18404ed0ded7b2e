"""Metrics against their targets, as `reports/scorecard/metrics.html` shows them."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from markupsafe import Markup

from vendorwatch.charts.bullet import Bullet, bullet
from vendorwatch.charts.sparkline import sparkline
from vendorwatch.scorecards.render import cells, signals
from vendorwatch.scorecards.render.findings import Figures, is_clear
from vendorwatch.scorecards.render.measures import dimension_name, dimension_of, name_of
from vendorwatch.scorecards.render.wording import Wording
from vendorwatch.scorecards.trends import Trend, Trends

MOST_ROWS = 12
_HEADROOM = Decimal("1.05")  # so that the longest bar does not touch the edge


@dataclass(frozen=True, slots=True)
class TrendCell:
    chart: Markup
    state: str | None  # a class on the page
    variation: str | None
    assurance: str | None


@dataclass(frozen=True, slots=True)
class MetricRow:
    """`beside` stands under the name: the dimension, where a new one begins."""

    name: str
    begins: bool
    beside: str | None
    actual: str
    interval: str | None
    chart: Markup
    trend: TrendCell | None
    target: str | None
    beside_target: list[str]
    contract: str  # classes on the page
    verdict: str
    evidence: str | None
    n: str
    left_out: list[str]


def chosen(metrics: Mapping[str, Figures]) -> list[str]:
    """At most `MOST_ROWS` of what there is to show, in the document's order."""
    shown = [name for name in metrics if _importance(name, metrics[name]) is not _Importance.NONE]
    kept = sorted(shown, key=lambda name: _importance(name, metrics[name]).value)[:MOST_ROWS]
    return [name for name in metrics if name in kept]


class _Importance(Enum):
    CLEARLY_MISSED = 0
    NAMED = 1
    MEDIAN = 2  # its p90 says more
    UNNAMED = 3  # the policy has no target for it
    NONE = 4


def _importance(name: str, figures: Figures) -> _Importance:
    if is_clear(figures, "missed"):
        return _Importance.CLEARLY_MISSED
    if figures["contract"] is None:
        return _Importance.UNNAMED if figures["denominator"] else _Importance.NONE
    return _Importance.MEDIAN if name.endswith("_p50") else _Importance.NAMED


def rows(metrics: Mapping[str, Figures], found: Trends, words: Wording) -> list[MetricRow]:
    made: list[MetricRow] = []
    previous: str | None = None
    for metric in chosen(metrics):
        dimension = dimension_of(metric)
        begins = dimension is not None and dimension != previous
        group = dimension_name(dimension, words) if dimension and begins else None
        made.append(row(metric, group, metrics[metric], found, words))
        previous = dimension
    return made


def row(
    metric: str,
    group: str | None,
    figures: Figures,
    found: Trends,
    words: Wording,
    *,
    peers: tuple[Decimal, Decimal | None] | None = None,
) -> MetricRow:
    """`group` is the dimension's name where a new one begins. `peers` is a range, open above where
    the second is None.
    """
    name, contract, evidence = name_of(metric, words), figures["contract"], figures["evidence"]
    verdict = cells.CONTRACT.get(contract)
    return MetricRow(
        name=name,
        begins=group is not None,
        beside=group,
        actual=cells.actual(figures, words),
        interval=cells.interval(figures, words),
        chart=_chart(name, figures, words, peers),
        trend=_trend(name, found.metrics[metric], words) if len(found.months) > 1 else None,
        target=cells.target(figures, words),
        beside_target=[cells.side_of_target(figures, words)] if figures["target"] else [],
        contract=f"{contract or 'none'} {evidence or ''}".strip(),
        verdict=words.gettext(verdict) if verdict else words.gettext("No target"),
        evidence=_evidence(figures, words),
        n=words.count(figures["denominator"]),
        left_out=_left_out(figures, words),
    )


def _evidence(figures: Figures, words: Wording) -> str | None:
    """What cannot be measured has no evidence to speak of."""
    evidence = figures["evidence"]
    if evidence is None or figures["contract"] == "not_measurable":
        return None
    return words.gettext(cells.EVIDENCE[evidence])


def _left_out(figures: Figures, words: Wording) -> list[str]:
    parts = []
    if figures["pending"]:
        parts.append(words.gettext("%(n)s pending", n=words.count(figures["pending"])))
    if figures["missing"]:
        parts.append(words.gettext("%(n)s no data", n=words.count(figures["missing"])))
    return parts


def _chart(
    name: str, figures: Figures, words: Wording, peers: tuple[Decimal, Decimal | None] | None
) -> Markup:
    low, high = figures["interval"] or (None, None)
    bottom = cells.decimal_of(low)
    drawn = bullet(
        Bullet(
            title=_sentence(name, figures, words),
            top=_top(figures, *(peers or ())),
            value=cells.decimal_of(figures["value"]),
            endless=figures["value"] == cells.NOT_REACHED,
            interval=None if bottom is None else (bottom, cells.decimal_of(high)),
            target=cells.decimal_of(figures["target"]),
            floor=cells.decimal_of(figures["floor"]),
            signal=_signal(figures),
            peers=peers,
        )
    )
    return Markup(drawn)  # noqa: S704 - our own SVG; its only text is the title, escaped there


def _sentence(name: str, figures: Figures, words: Wording) -> str:
    value, target = cells.actual(figures, words), cells.target(figures, words)
    if target is None:
        return words.gettext("%(metric)s: %(actual)s, no target", metric=name, actual=value)
    return words.gettext(
        "%(metric)s: %(actual)s, target %(side)s %(target)s",
        metric=name,
        actual=value,
        side=cells.side_of_target(figures, words),
        target=target,
    )


def _top(figures: Figures, *peers: Decimal | None) -> Decimal:
    if not cells.is_duration(figures):
        return Decimal(1)
    texts = [figures["value"], figures["target"], figures["floor"], *(figures["interval"] or ())]
    known = [value for value in (*map(cells.decimal_of, texts), *peers) if value is not None]
    return max(known, default=Decimal(1)) * _HEADROOM


def _signal(figures: Figures) -> bool | None:
    if is_clear(figures, "met"):
        return True
    return False if is_clear(figures, "missed") else None


def _trend(name: str, trend: Trend, words: Wording) -> TrendCell:
    values = [cells.decimal_of(value) for value in trend.values]
    title = words.gettext("%(metric)s in the last %(n)s months", metric=name, n=len(values))
    assurance = trend.chart.assurance
    return TrendCell(
        chart=Markup(sparkline(title, values)),  # noqa: S704 - our own SVG, title escaped there
        state=signals.state(trend),
        variation=signals.variation(trend, words),
        assurance=words.gettext(signals.ASSURANCE[assurance]) if assurance else None,
    )
