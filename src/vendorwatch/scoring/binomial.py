"""Where the tails of a binomial distribution begin: fast in floats, decided in integers.

The weights of the distribution are built outwards from the mode, each from its neighbour, by one
division and one multiplication: no library of functions, so every machine gets the same bits. A
ratio is the correctly rounded quotient of two integers, so a weight j steps from the mode is off
by 2j roundings of 2**-53 at most, a sum of N weights by N more, and a sum held against a share
of the total by less than N * 2**-50 of the total. What lies beyond the last weight is bounded by
a geometric series. Where that leaves a doubt, the weights are taken further out; where a tail
lies within 1e-9 of its threshold, relatively, or the doubt remains, whole numbers decide.
"""

from bisect import bisect_left
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate, chain
from math import isqrt
from operator import mul, truediv

# Squares of the widths in standard deviations. The first leaves about 1e-5 outside, which is
# enough for nearly every call at two thirds of the work; the second less than 1e-12.
_WIDTHS = (20, 57)
_EXTRA_STEPS = 12  # for what is skewed and narrow
_ROUNDING = 2.0**-50
_TOO_CLOSE = 1e-9


@dataclass(frozen=True, slots=True)
class _Weights:
    """Running sums of the weights of first, first + 1, ...; `doubt` bounds what they miss."""

    first: int
    sums: list[float]
    doubt: float


def limits(n: int, p: Fraction, tail: Fraction) -> tuple[int, int]:
    """The smallest k with P(X <= k) > tail, the largest k with P(X >= k) > tail; X ~ Bin(n, p).

    Exact for every n >= 0, 0 <= p <= 1 and 0 < tail < 1.
    """
    a, d = p.numerator, p.denominator
    if d == 1:
        return n * a, n * a
    small, whole = tail.numerator, tail.denominator
    margin = _TOO_CLOSE * (small / whole)
    # P(X >= k) > tail just when P(X <= k - 1) < 1 - tail: both ends are found from below.
    lower = _first_above(n, (a, d), (small, whole), margin, equal_counts=False)
    upper = _first_above(n, (a, d), (whole - small, whole), margin, equal_counts=True)
    return lower, upper


def _first_above(
    n: int, p: tuple[int, int], share: tuple[int, int], margin: float, *, equal_counts: bool
) -> int:
    """The smallest k with P(X <= k) above the share, or equal to it where equality counts."""
    k = 0
    for width in _WIDTHS:
        weights = _weights(n, *p, width)
        sums = weights.sums
        threshold = sums[-1] * (share[0] / share[1])
        doubt = weights.doubt + sums[-1] * margin
        at = min(bisect_left(sums, threshold), len(sums) - 1)
        k = weights.first + at
        below = sums[at - 1] if at else 0.0
        if sums[at] - threshold > doubt and threshold - below > doubt:
            return k
    least = 0 if equal_counts else 1
    while _compare(n, p, k, share) < least:
        k += 1
    while k and _compare(n, p, k - 1, share) >= least:
        k -= 1
    return k


@lru_cache(maxsize=32)
def _weights(n: int, a: int, d: int, width: int) -> _Weights:
    """Of Bin(n, a/d), 0 < a < d, in proportion to the weight of the mode."""
    b = d - a
    mode = min((n + 1) * a // d, n)
    reach = isqrt(width * n * a * b) // d + _EXTRA_STEPS
    first, last = max(mode - reach, 0), min(mode + reach, n)
    # The weight of k - 1 is that of k times k b / ((n - k + 1) a), and so on upwards.
    down = _products(
        range(mode * b, first * b, -b), range((n - mode + 1) * a, (n - first + 1) * a, a)
    )
    up = _products(
        range((n - mode) * a, (n - last) * a, -a), range((mode + 1) * b, (last + 1) * b, b)
    )
    left = _rest(down, first * b, (n - first + 1) * a)
    right = _rest(up, (n - last) * a, (last + 1) * b)
    down.reverse()
    sums = list(accumulate(chain(down, (1.0,), up)))
    return _Weights(first, sums, left + right + sums[-1] * len(sums) * _ROUNDING)


def _products(numerators: range, denominators: range) -> list[float]:
    return list(accumulate(map(truediv, numerators, denominators), mul))


def _rest(weights: list[float], numerator: int, denominator: int) -> float:
    """At least the sum of all further weights: their ratios only fall from the next one on."""
    last = weights[-1] if weights else 1.0
    return last * (numerator / (denominator - numerator))


def _compare(n: int, p: tuple[int, int], k: int, share: tuple[int, int]) -> int:
    """The sign of P(X <= k) - share. Sums of whole numbers; slow, and hardly ever asked."""
    a, d = p
    b = d - a
    _, product, series = _split(n, a, b, 1, k + 1)
    excess: int = b**n * (product + series) * share[1] - d**n * product * share[0]
    return (excess > 0) - (excess < 0)


def _split(n: int, a: int, b: int, start: int, stop: int) -> tuple[int, int, int]:
    """P, Q and T of the terms start to stop - 1 of sum C(n, j) (a/b)**j: T/Q is their sum over
    the term before start, P/Q the last one over it. Halves first, so that the products stay even.
    """
    if start >= stop:
        return 1, 1, 0
    if stop - start == 1:
        step = (n - start + 1) * a
        return step, start * b, step
    middle = (start + stop) // 2
    p1, q1, t1 = _split(n, a, b, start, middle)
    p2, q2, t2 = _split(n, a, b, middle, stop)
    return p1 * p2, q1 * q2, t1 * q2 + p1 * t2
