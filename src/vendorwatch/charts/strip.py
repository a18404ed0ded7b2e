"""Many durations on one logarithmic line: in time above it, late below, targets across it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import log10

from vendorwatch.charts.svg import CONCERN, FAINT, GOOD, INK, NEUTRAL, element, number, picture

WIDTH, HEIGHT = 300.0, 22.0
_MIDDLE, _MOST, _LEAST = HEIGHT / 2, HEIGHT / 2 - 1.5, 2.4
_STEPS = tuple(map(Decimal, (1, 10, 60, 600, 3_600, 86_400, 604_800, 2_592_000, 31_536_000)))


@dataclass(frozen=True, slots=True)
class Axis:
    """`ticks` are round durations in seconds, the ends of the axis included."""

    ticks: tuple[Decimal, ...]

    @classmethod
    def around(cls, seconds: Sequence[Decimal]) -> "Axis":
        """From the last round duration below all of them to the first above; at least two apart."""
        below = [each for each in _STEPS if each <= min(seconds)]
        above = [each for each in _STEPS if each >= max(seconds)]
        first = _STEPS.index(below[-1]) if below else 0
        last = _STEPS.index(above[0]) if above else len(_STEPS) - 1
        first = min(first, len(_STEPS) - 3)
        return cls(_STEPS[first : max(last, first + 2) + 1])

    def at(self, seconds: Decimal) -> float:
        """From 0 to 1; what lies beyond stays at the edge."""
        low, high = log10(self.ticks[0]), log10(self.ticks[-1])
        share = (log10(max(seconds, Decimal("0.001"))) - low) / (high - low)
        return min(max(share, 0.0), 1.0)


@dataclass(frozen=True, slots=True)
class Times:
    """So many durations of `least` seconds and more, and below `most`."""

    least: Decimal
    most: Decimal
    in_time: int
    late: int


@dataclass(frozen=True, slots=True)
class Strip:
    """`tallest` is how many durations the tallest column stands for; `targets` are in seconds."""

    title: str
    axis: Axis
    times: Sequence[Times]
    tallest: int
    targets: Sequence[Decimal] = ()


def strip(data: Strip) -> str:
    parts = [*_lines(data), *_columns(data), *_targets(data)]
    return picture(WIDTH, HEIGHT, data.title, *parts, name="strip")


def _lines(data: Strip) -> Iterator[str]:
    places = (number(data.axis.at(tick) * WIDTH) for tick in data.axis.ticks)
    across = "".join(f"M{x} 0V{number(HEIGHT)}" for x in places)
    yield element("path", d=across, stroke=FAINT, stroke_width=0.4)
    yield element("line", x1=0, y1=_MIDDLE, x2=WIDTH, y2=_MIDDLE, stroke=NEUTRAL, stroke_width=0.5)


def _columns(data: Strip) -> Iterator[str]:
    """All of one colour are one path: every element of a page costs, and there are many pages."""
    in_time = "".join(_column(data, each, each.in_time, -1) for each in data.times)
    late = "".join(_column(data, each, each.late, 1) for each in data.times)
    for path, colour in ((in_time, GOOD), (late, CONCERN)):
        if path:
            yield element("path", d=path, fill=colour)


def _column(data: Strip, each: Times, count: int, grows: int) -> str:
    """One stays visible beside many."""
    if not count:
        return ""
    start, end = (data.axis.at(edge) * WIDTH for edge in (each.least, each.most))
    width = max(end - start - 0.6, 1.2)
    height = grows * max(_MOST * count / max(data.tallest, 1), _LEAST)
    x = min(start + 0.3, WIDTH - width)
    return f"M{number(x)} {number(_MIDDLE)}h{number(width)}v{number(height)}h{number(-width)}z"


def _targets(data: Strip) -> Iterator[str]:
    for target in dict.fromkeys(data.targets):
        x = min(max(data.axis.at(target) * WIDTH, 0.8), WIDTH - 0.8)
        yield element("line", x1=x, y1=1, x2=x, y2=HEIGHT - 1, stroke=INK, stroke_width=1.6)
