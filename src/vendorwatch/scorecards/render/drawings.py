"""The two large pictures of the page: the headline's months, and the agents' funnel."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from markupsafe import Markup

from vendorwatch.charts.funnel import Funnel, FunnelPoint, Limits, funnel
from vendorwatch.charts.xmr import Mark, Xmr, XmrLine, XmrPoint, xmr
from vendorwatch.scorecards.render import cells, signals
from vendorwatch.scorecards.render.findings import Figures
from vendorwatch.scorecards.render.headline import Document, Outliers, name_of_agent
from vendorwatch.scorecards.render.measures import dimension_name, dimension_of, name_of
from vendorwatch.scorecards.render.wording import Wording
from vendorwatch.scorecards.trends import Trend, Trends
from vendorwatch.scoring.document import SECOND_DIGITS, decimal_text
from vendorwatch.scoring.xmr import Limits as XmrLimits

_LETTERS = "ABCDEFGHJKLM"  # so many names can be taken in; who else is outside stands in the table
LEVELS = {"95": Decimal("0.95"), "99.8": Decimal("0.998")}


@dataclass(frozen=True, slots=True)
class Drawing:
    """`keys` are what lines and shapes mean: a class on the page, and words."""

    heading: str
    picture: Markup
    foot: list[str]
    keys: list[tuple[str, str]]


def months(metric: str, figures: Figures, found: Trends, words: Wording) -> Drawing | None:
    """None until two months in a row have values: there is nothing to set beside each other."""
    trend = found.metrics[metric]
    if trend.chart.limits is None:
        return None
    heading = words.gettext("%(metric)s, month by month", metric=name_of(metric, words))
    foot = signals.explained(trend, found.months, words)
    mean = Decimal(decimal_text(trend.chart.limits.mean, SECOND_DIGITS))
    limits = _limits(trend.chart.limits, figures)
    target = cells.decimal_of(figures["target"])
    data = Xmr(
        title=f"{heading}. {' '.join(foot)}",
        points=[
            XmrPoint(month, cells.decimal_of(value), _mark(trend, at))
            for at, (month, value) in enumerate(zip(found.months, trend.values, strict=True))
        ],
        mean=_line(mean, figures, words),
        limits=[_line(limit, figures, words) for limit in limits],
        target=None if target is None else _line(target, figures, words),
    )
    keys = list(_levels(mean, limits, figures, words))
    return Drawing(heading, _svg(xmr(data)), foot, keys)


def _levels(
    mean: Decimal, limits: list[Decimal], figures: Figures, words: Wording
) -> Iterator[tuple[str, str]]:
    show = cells.shown(figures, words)
    if figures["target"] is not None:
        target = cells.target(figures, words)
        yield "line target", words.gettext("target %(value)s", value=target)
    yield "line mean", words.gettext("mean %(value)s", value=show(mean))
    low, high = map(show, limits)
    yield "line limits", words.gettext("limits %(low)s to %(high)s", low=low, high=high)


def agents(document: Document, found: Outliers, words: Wording) -> Drawing:
    metric, figures = found.metric, document["vendor_scores"]["metrics"][found.metric]
    heading = words.gettext("%(metric)s, agent by agent", metric=name_of(metric, words))
    foot = [
        words.gettext(
            "Of %(dimension)s, the metric in which the agents differ most. Limits: how far chance "
            "alone takes an agent from the vendor's figure.",
            dimension=dimension_name(dimension_of(metric) or "", words),
        )
    ]
    if found.overdispersed:
        foot.append(
            words.gettext("The agents lie further apart than that, so the limits are less certain.")
        )
    outside = [each["agent_id"] for each in (*found.far, *found.near)]
    tags = dict(zip(outside, _LETTERS, strict=False))
    mean = Decimal(figures["value"])
    data = Funnel(
        title=f"{heading}. {' '.join(foot)}",
        points=[
            _point(agent, metric, figures, tags.get(agent["agent_id"], ""))
            for agent in document["agents"]
            if agent["metrics"][metric]["peers"]
        ],
        mean=mean,
        mean_digits=words.rate(mean),
        digits_95=words.written_rate(LEVELS["95"]),
        digits_99_8=words.written_rate(LEVELS["99.8"]),
        percent=words.written_rate,
        count=words.count,
    )
    return Drawing(heading, _svg(funnel(data)), foot, list(_names(found, tags, words)))


def _names(found: Outliers, tags: Mapping[str, str], words: Wording) -> Iterator[tuple[str, str]]:
    for kind, level, there in (("far", "99.8", found.far), ("near", "95", found.near)):
        names = [
            f"{tags[each['agent_id']]}\u00a0{name_of_agent(each)}"
            for each in there
            if each["agent_id"] in tags
        ]
        if names:
            told = words.written_rate(LEVELS[level])
            yield (
                kind,
                words.gettext("outside %(level)s: %(agents)s", level=told, agents=", ".join(names)),
            )


def _svg(drawn: str) -> Markup:
    return Markup(drawn)  # noqa: S704 - our own SVG, texts are escaped there


def _mark(trend: Trend, at: int) -> Mark | None:
    """Of any month, by the rule that is heeded there."""
    if not trend.chart.signals[at]:
        return None
    if trend.better is None:
        return "changed"
    up = trend.chart.signals[at][0].direction == "up"
    return "improving" if up == (trend.better == "more") else "worsening"


def _limits(limits: XmrLimits, figures: Figures) -> list[Decimal]:
    most = limits.upper if cells.is_duration(figures) else Fraction(1)
    ends = limits.shown(Fraction(0), most)
    return [Decimal(decimal_text(end, SECOND_DIGITS)) for end in ends]


def _line(value: Decimal, figures: Figures, words: Wording) -> XmrLine:
    """A duration is written in words, which have no place in a picture."""
    return XmrLine(value, "" if cells.is_duration(figures) else words.rate(value))


def _point(agent: Document, metric: str, vendor: Figures, tag: str) -> FunnelPoint:
    figures = agent["metrics"][metric]
    rate, peers = Decimal(figures["value"]), figures["peers"]
    above = rate > Decimal(vendor["value"])
    return FunnelPoint(
        cases=figures["denominator"],
        rate=rate,
        limits_95=_ends(peers["limits_95"]),
        limits_99_8=_ends(peers["limits_99_8"]),
        outside=peers["outside"],
        good=above != cells.less_is_better(vendor) if vendor["target"] is not None else None,
        tag=tag,
    )


def _ends(texts: list[str]) -> Limits:
    low, high = map(Decimal, texts)
    return low, high
