"""From figures to places in a picture. Floats are good enough for ink."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

_STEPS = (Decimal(1), Decimal(2), Decimal(5), Decimal(10))


@dataclass(frozen=True, slots=True)
class Scale:
    """`least` is drawn at `start`, `most` at `end`; what lies beyond stays at the edge."""

    least: Decimal
    most: Decimal
    start: float
    end: float

    def at(self, value: Decimal) -> float:
        if self.most <= self.least:
            return (self.start + self.end) / 2
        share = min(max((value - self.least) / (self.most - self.least), Decimal(0)), Decimal(1))
        return self.start + float(share) * (self.end - self.start)


def around(values: Sequence[Decimal], start: float, end: float, *, air: Decimal) -> Scale:
    """A scale that shows all of the values, with a share of their range as air on both sides."""
    least, most = min(values), max(values)
    # Where all are equal, anything around them will do, as long as they stand in the middle.
    room = (most - least) * air if most > least else abs(most) * air + air
    return Scale(least - room, most + room, start, end)


def ticks(scale: Scale, at_most: int) -> Iterator[Decimal]:
    """Round numbers on the scale: steps of 1, 2 or 5 times a power of ten."""
    span = scale.most - scale.least
    if span <= 0:
        return
    power = Decimal(1).scaleb((span / at_most).adjusted())
    step = next(each * power for each in _STEPS if span / (each * power) <= at_most)
    tick = (scale.least / step).to_integral_value("ROUND_CEILING") * step
    while tick <= scale.most:
        yield tick + 0  # no zero with a sign
        tick += step


def apart(places: Sequence[float], gap: float, lowest: float) -> list[float]:
    """The same places in the same order, moved as little as needed so that none are closer than
    `gap` and none is beyond `lowest` (the bottom of the picture).
    """
    order = sorted(range(len(places)), key=lambda index: places[index])
    moved = list(places)
    for before, after in pairwise(order):
        moved[after] = max(moved[after], moved[before] + gap)
    limit = lowest
    for index in reversed(order):
        moved[index] = min(moved[index], limit)
        limit = moved[index] - gap
    return moved
