"""A bullet graph after Stephen Few's specification, with the interval as a thin line."""

from dataclasses import dataclass
from decimal import Decimal

from vendorwatch.charts.svg import CONCERN, GOOD, INK, NEUTRAL, element, picture

WIDTH, HEIGHT = 120.0, 16.0
_BANDS = ("#c9d3dd", "#dde4eb", "#eef2f5")  # one hue: below the floor, between, beyond the target


@dataclass(frozen=True, slots=True)
class Bullet:
    """Everything on one linear scale from 0 to `top`.

    `value` None draws no bar; `endless` draws one that runs off the scale (a percentile that was
    not reached). An interval whose upper end is None runs off the scale as well. `signal` colours
    the bar: True clearly good, False clearly bad, None neither. `peers` is drawn below the bar, open
    above like the interval.
    """

    title: str
    top: Decimal
    value: Decimal | None = None
    endless: bool = False
    interval: tuple[Decimal, Decimal | None] | None = None
    target: Decimal | None = None
    floor: Decimal | None = None
    signal: bool | None = None
    peers: tuple[Decimal, Decimal | None] | None = None


def bullet(data: Bullet) -> str:
    parts = [*_bands(data), *_bar(data), *_interval(data), *_peers(data), *_target(data)]
    return picture(WIDTH, HEIGHT, data.title, *parts, name="bullet")


def _x(data: Bullet, value: Decimal) -> float:
    if data.top <= 0:
        return 0.0
    return WIDTH * float(min(max(value / data.top, Decimal(0)), Decimal(1)))


def _bands(data: Bullet) -> list[str]:
    edges = [0.0, WIDTH]
    shades: tuple[str, ...] = (_BANDS[2],)
    if data.target is not None and data.floor is not None:
        less_is_better = data.floor > data.target
        shades = _BANDS[::-1] if less_is_better else _BANDS
        edges = [0.0, *sorted((_x(data, data.floor), _x(data, data.target))), WIDTH]
    return [
        element("rect", x=start, y=1, width=end - start, height=HEIGHT - 2, fill=shade)
        for start, end, shade in zip(edges, edges[1:], shades, strict=False)
        if end > start
    ]


def _bar(data: Bullet) -> list[str]:
    colour = {True: GOOD, False: CONCERN, None: NEUTRAL}[data.signal]
    if data.endless:
        tip = WIDTH - 5
        path = f"M0 5H{tip:g}L{WIDTH:g} 8L{tip:g} 11H0Z"
        return [element("path", d=path, fill=colour)]
    if data.value is None:
        return []
    return [element("rect", x=0, y=5, width=_x(data, data.value), height=6, fill=colour)]


def _interval(data: Bullet) -> list[str]:
    if data.interval is None or data.endless:
        return []
    low, high = data.interval
    start, end = _x(data, low), WIDTH if high is None else _x(data, high)
    line = element("line", x1=start, y1=8, x2=end, y2=8, stroke=INK, stroke_width=1)
    ends = [start] if high is None else [start, end]
    caps = [element("line", x1=x, y1=6.5, x2=x, y2=9.5, stroke=INK, stroke_width=1) for x in ends]
    return [line, *caps]


def _peers(data: Bullet) -> list[str]:
    if data.peers is None:
        return []
    low, high = data.peers
    start, end = _x(data, low), WIDTH if high is None else _x(data, high)
    start, end = min(start, WIDTH - 1.5), max(end, min(start, WIDTH - 1.5) + 1.5)
    return [element("rect", x=start, y=13.4, width=end - start, height=2.4, fill=INK)]


def _target(data: Bullet) -> list[str]:
    if data.target is None:
        return []
    x = min(max(_x(data, data.target), 1.0), WIDTH - 1.0)  # stays whole at either end of the scale
    end = HEIGHT - 2 if data.peers is None else HEIGHT - 4  # the two must not run into one another
    return [element("line", x1=x, y1=2, x2=x, y2=end, stroke=INK, stroke_width=2)]
