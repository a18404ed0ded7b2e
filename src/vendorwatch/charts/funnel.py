"""A funnel plot: agents by their number of cases, within the limits that chance allows."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import hypot
from typing import Literal

from vendorwatch.charts.scale import Scale, apart, around, ticks
from vendorwatch.charts.svg import (
    CONCERN,
    FAINT,
    FONT_SIZE,
    GOOD,
    INK,
    NEUTRAL,
    diamond,
    element,
    label,
    picture,
    triangle,
)

WIDTH, HEIGHT = 248.0, 124.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 24.0, 224.0, 4.0, 110.0
_AIR = Decimal("0.06")
_MOST_TICKS = 5

Outside = Literal["95", "99.8"]
Limits = tuple[Decimal, Decimal]


@dataclass(frozen=True, slots=True)
class FunnelPoint:
    """One agent. Limits are those for so many cases; `good` None: nobody has said what is better.

    `tag` is a letter that stands beside the point, for a list below the picture.
    """

    cases: int
    rate: Decimal
    limits_95: Limits
    limits_99_8: Limits
    outside: Outside | None = None
    good: bool | None = None
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Funnel:
    """The limits are drawn from point to point, as they are known there and nowhere else.

    `mean` is the rate of all together; `percent` and `count` write what stands on the axes.
    """

    title: str
    points: Sequence[FunnelPoint]
    mean: Decimal
    mean_digits: str
    digits_95: str
    digits_99_8: str
    percent: Callable[[Decimal], str]
    count: Callable[[int], str]


def funnel(data: Funnel) -> str:
    points = sorted(data.points, key=lambda point: (point.cases, point.rate))
    across = around([Decimal(each.cases) for each in points], _LEFT + 4, _RIGHT - 4, air=Decimal(0))
    rates = [rate for each in points for rate in (each.rate, *each.limits_99_8)]
    up = around([data.mean, *rates], _BOTTOM, _TOP, air=_AIR)
    parts = [
        *_axes(data, points, across, up),
        *_limits(data, points, across, up),
        *(_dot(each, across.at(Decimal(each.cases)), up.at(each.rate)) for each in points),
        *_tags(points, across, up),
    ]
    return picture(WIDTH, HEIGHT, data.title, *parts, name="funnel")


def _axes(data: Funnel, points: Sequence[FunnelPoint], across: Scale, up: Scale) -> Iterator[str]:
    for tick in ticks(up, _MOST_TICKS):
        if 0 <= tick <= 1:
            y = up.at(tick)
            yield element("line", x1=_LEFT, y1=y, x2=_RIGHT, y2=y, stroke=FAINT, stroke_width=0.3)
            yield label(data.percent(tick), _LEFT - 3, y + FONT_SIZE / 3, anchor="end")
    y = _BOTTOM + FONT_SIZE + 3
    fewest, most = points[0].cases, points[-1].cases
    yield label(data.count(fewest), across.at(Decimal(fewest)), y, anchor="middle")
    if most > fewest:
        yield label(data.count(most), across.at(Decimal(most)), y, anchor="middle")
    yield label("n", (_LEFT + _RIGHT) / 2, y, anchor="middle")


def _limits(data: Funnel, points: Sequence[FunnelPoint], across: Scale, up: Scale) -> Iterator[str]:
    middle = up.at(data.mean)
    yield element(
        "line", x1=_LEFT, y1=middle, x2=_RIGHT, y2=middle, stroke=NEUTRAL, stroke_width=0.8
    )
    places = [across.at(Decimal(each.cases)) for each in points]
    ends = [(middle, data.mean_digits)]
    for dashes, words, limits in (
        ("none", data.digits_99_8, [each.limits_99_8 for each in points]),
        ("3 2", data.digits_95, [each.limits_95 for each in points]),
    ):
        for side in (0, 1):
            heights = [up.at(pair[side]) for pair in limits]
            yield _polyline([*zip(places, heights, strict=True)], dashes)
            ends.append((heights[-1], words))
    moved = apart([y + FONT_SIZE / 3 for y, _ in ends], FONT_SIZE + 0.5, _BOTTOM + 2)
    for (_, words), y in zip(ends, moved, strict=True):
        yield label(words, _RIGHT + 2, y)


def _polyline(places: Sequence[tuple[float, float]], dashes: str) -> str:
    return element(
        "polyline",
        points=" ".join(f"{x:.2f},{y:.2f}" for x, y in places),
        fill="none",
        stroke=NEUTRAL,
        stroke_width=0.7,
        stroke_dasharray=dashes,
    )


def _dot(point: FunnelPoint, x: float, y: float) -> str:
    colour = {True: GOOD, False: CONCERN, None: INK}[point.good]
    if point.outside == "99.8":
        return diamond(x, y, 3.6, colour)
    if point.outside == "95":
        return triangle(x, y, 3, colour)
    return element("circle", cx=x, cy=y, r=1.8, fill=NEUTRAL)


def _tags(points: Sequence[FunnelPoint], across: Scale, up: Scale) -> Iterator[str]:
    """On the side away from the others, as far as that is to be had."""
    places = [(across.at(Decimal(each.cases)), up.at(each.rate)) for each in points]
    for point, (x, y) in zip(points, places, strict=True):
        if point.tag:
            others = [other for other in places if other != (x, y)]
            side, base = max(
                ((side, base) for side in (-1, 1) for base in (y + 2, y - 3, y + 7)),
                key=lambda spot: min(
                    (hypot(x + spot[0] * 7 - a, spot[1] - 2 - b) for a, b in others), default=0.0
                ),
            )
            anchor = "start" if side > 0 else "end"
            yield label(point.tag, x + side * 5, base, anchor=anchor, fill=INK)
