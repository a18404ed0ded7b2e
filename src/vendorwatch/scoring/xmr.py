"""Months as an XmR chart: which of them differ from the others by more than their own noise.

Limits: mean +- 2.66 times the mean moving range (Wheeler & Chambers, Understanding Statistical
Process Control, 1992). Rules and wording: NHS England, Making Data Count ("plot the dots").

A month without a value is a gap: no moving range is taken across it, and it ends every run, trend
and window of three. Everything is decided on the limits as computed; `shown` clips them to what
the scale can hold, for drawing only.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Literal

RANGES_TO_LIMIT = Fraction(133, 50)  # 2.66
NEAR_LIMIT = Fraction(2, 3)
RUN = 7
ENOUGH = 12

Rule = Literal["trend_of_7", "run_of_7", "two_of_three", "outside"]
Direction = Literal["up", "down"]
Variation = Literal["improving", "worsening", "common_cause"]
Assurance = Literal["will_pass", "will_fail", "hit_and_miss"]
Points = Sequence[Fraction | None]


@dataclass(frozen=True, slots=True)
class Signal:
    """`up`: rising, or above the mean; whether that is good depends on the metric."""

    rule: Rule
    direction: Direction


@dataclass(frozen=True, slots=True)
class Limits:
    mean: Fraction
    lower: Fraction
    upper: Fraction

    def shown(self, least: Fraction, most: Fraction) -> tuple[Fraction, Fraction]:
        """Lower and upper limit, clipped: a share cannot be drawn beyond 0 and 1."""
        return max(self.lower, least), min(self.upper, most)


@dataclass(frozen=True, slots=True)
class Chart:
    """`limits` is None until two months in a row have values; then there are no signals either.

    `trial`: fewer than 12 months have values, so the limits will still move. `signals`: those of
    each point, in the order of Rule, which is the order in which they are heeded. `variation`:
    that of the newest month; None where it has no value, or there are no limits.
    """

    limits: Limits | None
    trial: bool
    signals: tuple[tuple[Signal, ...], ...]
    variation: Variation | None
    assurance: Assurance | None


def chart(points: Points, *, more_is_better: bool, target: Fraction | None = None) -> Chart:
    """Of one metric, a point for each month, oldest first; None for a month without a value."""
    trial = sum(point is not None for point in points) < ENOUGH
    limits = _limits(points)
    if limits is None:
        return Chart(None, trial, ((),) * len(points), None, None)
    signals = _signals(points, limits)
    variation = _variation(signals[-1], more_is_better) if points[-1] is not None else None
    assurance = None if target is None else _assurance(limits, target, more_is_better)
    return Chart(limits, trial, signals, variation, assurance)


def _limits(points: Points) -> Limits | None:
    ranges = [abs(b - a) for a, b in pairwise(points) if a is not None and b is not None]
    if not ranges:
        return None
    values = [point for point in points if point is not None]
    mean = sum(values, Fraction(0)) / len(values)
    reach = RANGES_TO_LIMIT * sum(ranges, Fraction(0)) / len(ranges)
    return Limits(mean, mean - reach, mean + reach)


def _signals(points: Points, limits: Limits) -> tuple[tuple[Signal, ...], ...]:
    found: list[list[Signal]] = [[] for _ in points]
    # Downwards is upwards in the mirror.
    mirrored = [None if point is None else -point for point in points]
    for rule, signalled in _RULES.items():
        for at in signalled(points, limits.mean, limits.upper):
            found[at].append(Signal(rule, "up"))
        for at in signalled(mirrored, -limits.mean, -limits.lower):
            found[at].append(Signal(rule, "down"))
    return tuple(tuple(signals) for signals in found)


def _trend(points: Points, mean: Fraction, upper: Fraction) -> Iterator[int]:
    rising = [a is not None and b is not None and b > a for a, b in pairwise(points)]
    for steps in _stretches(rising):
        if len(steps) + 1 >= RUN:
            yield from range(steps.start, steps.stop + 1)


def _run(points: Points, mean: Fraction, upper: Fraction) -> Iterator[int]:
    for stretch in _stretches([point is not None and point > mean for point in points]):
        if len(stretch) >= RUN:
            yield from stretch


def _two_of_three(points: Points, mean: Fraction, upper: Fraction) -> Iterator[int]:
    near = mean + NEAR_LIMIT * (upper - mean)
    beyond = [point is not None and point > near for point in points]
    for at, is_beyond in enumerate(beyond):
        windows = (range(start, start + 3) for start in range(max(at - 2, 0), at + 1))
        if is_beyond and any(_holds_two(points, beyond, window) for window in windows):
            yield at


def _holds_two(points: Points, beyond: Sequence[bool], window: range) -> bool:
    if window.stop > len(points) or any(points[at] is None for at in window):
        return False
    return sum(beyond[at] for at in window) >= 2  # noqa: PLR2004  the rule's own number


def _outside(points: Points, mean: Fraction, upper: Fraction) -> Iterator[int]:
    return (at for at, point in enumerate(points) if point is not None and point > upper)


def _stretches(flags: Sequence[bool]) -> Iterator[range]:
    """The longest possible ranges of flags that are all set."""
    start = 0
    for at, flag in enumerate([*flags, False]):
        if not flag:
            if at > start:
                yield range(start, at)
            start = at + 1


# Upwards only, in the order in which they are heeded where they contradict each other: a metric
# that has risen for seven months is improving although it may still be below its mean.
_RULES: dict[Rule, Callable[[Points, Fraction, Fraction], Iterator[int]]] = {
    "trend_of_7": _trend,
    "run_of_7": _run,
    "two_of_three": _two_of_three,
    "outside": _outside,
}


def _variation(newest: Sequence[Signal], more_is_better: bool) -> Variation:
    if not newest:
        return "common_cause"
    return "improving" if (newest[0].direction == "up") == more_is_better else "worsening"


def _assurance(limits: Limits, target: Fraction, more_is_better: bool) -> Assurance:
    """What the next months will bring if nothing changes; a value on the target meets it."""
    if more_is_better:
        passes, fails = limits.lower >= target, limits.upper < target
    else:
        passes, fails = limits.upper <= target, limits.lower > target
    if passes:
        return "will_pass"
    return "will_fail" if fails else "hit_and_miss"
