"""An XmR chart: months on a line, with their mean and the limits of what is only noise."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Literal

from vendorwatch.charts.scale import Scale, apart, around
from vendorwatch.charts.svg import (
    CONCERN,
    FONT_SIZE,
    GOOD,
    INK,
    NEUTRAL,
    diamond,
    element,
    label,
    picture,
)

WIDTH, HEIGHT = 248.0, 124.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 4.0, 218.0, 6.0, 110.0
_AIR = Decimal("0.08")
_MOST_MONTHS_NAMED = 4

Mark = Literal["improving", "worsening", "changed"]
"""What a month signals; changed: nobody has said which way is better."""


@dataclass(frozen=True, slots=True)
class XmrPoint:
    month: str  # in digits
    value: Decimal | None  # None breaks the line
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class XmrLine:
    """A level of the chart, and what stands at its end: digits."""

    value: Decimal
    digits: str = ""


@dataclass(frozen=True, slots=True)
class Xmr:
    """Points oldest first. Limits as they are to be drawn: clipped to what there can be."""

    title: str
    points: Sequence[XmrPoint]
    mean: XmrLine | None = None
    limits: Sequence[XmrLine] = ()
    target: XmrLine | None = None


def xmr(data: Xmr) -> str:
    levels = [*data.limits, *filter(None, (data.mean, data.target))]
    known = [point.value for point in data.points if point.value is not None]
    values = [*known, *(line.value for line in levels)]
    if not values:
        return picture(WIDTH, HEIGHT, data.title, *_months(data), name="xmr")
    scale = around(values, _BOTTOM, _TOP, air=_AIR)
    parts = [*_levels(data, scale), *_digits(levels, scale), *_months(data), *_points(data, scale)]
    return picture(WIDTH, HEIGHT, data.title, *parts, name="xmr")


def _x(index: int, count: int) -> float:
    across = index / (count - 1) if count > 1 else 0.5
    return _LEFT + 4 + across * (_RIGHT - _LEFT - 8)


def _levels(data: Xmr, scale: Scale) -> Iterator[str]:
    for line in data.limits:
        yield _level(scale.at(line.value), NEUTRAL, 0.6, "3 2")
    if data.mean:
        yield _level(scale.at(data.mean.value), NEUTRAL, 0.6, "none")
    if data.target:
        yield _level(scale.at(data.target.value), INK, 1.2, "none")


def _level(y: float, colour: str, width: float, dashes: str) -> str:
    return element(
        "line",
        x1=_LEFT,
        y1=y,
        x2=_RIGHT,
        y2=y,
        stroke=colour,
        stroke_width=width,
        stroke_dasharray=dashes,
    )


def _digits(levels: Sequence[XmrLine], scale: Scale) -> Iterator[str]:
    wished = [scale.at(line.value) + FONT_SIZE / 3 for line in levels]
    for line, y in zip(levels, apart(wished, FONT_SIZE + 1, _BOTTOM + 3), strict=True):
        if line.digits:
            yield label(line.digits, _RIGHT + 3, y, fill=INK)


def _months(data: Xmr) -> Iterator[str]:
    """The first, the last, and some between: at even steps back from the last."""
    count = len(data.points)
    step = max(-(-count // _MOST_MONTHS_NAMED), 1)
    for index in range(count - 1, -1, -step):
        anchor = "end" if index == count - 1 > 0 else "start" if index == 0 else "middle"
        x = {"end": _RIGHT, "start": _LEFT, "middle": _x(index, count)}[anchor]
        if count == 1:
            x, anchor = _x(0, 1), "middle"
        yield label(data.points[index].month, x, HEIGHT - 3, anchor=anchor)


def _points(data: Xmr, scale: Scale) -> Iterator[str]:
    count = len(data.points)
    places = [
        None if point.value is None else (_x(index, count), scale.at(point.value))
        for index, point in enumerate(data.points)
    ]
    for one, other in pairwise(places):
        if one is not None and other is not None:
            (x1, y1), (x2, y2) = one, other
            yield element("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=NEUTRAL, stroke_width=1)
    for point, place in zip(data.points, places, strict=True):
        if place is not None:
            yield _dot(*place, point.mark)


def _dot(x: float, y: float, mark: Mark | None) -> str:
    """A shape of its own for each: colour alone tells nothing in a copy."""
    if mark == "worsening":
        return diamond(x, y, 3.8, CONCERN)
    if mark == "changed":
        return element("rect", x=x - 2.5, y=y - 2.5, width=5, height=5, fill=INK)
    if mark == "improving":
        return element("circle", cx=x, cy=y, r=3.2, fill=GOOD)
    return element("circle", cx=x, cy=y, r=1.8, fill="#ffffff", stroke=NEUTRAL, stroke_width=1)
