"""Uncertainty by brute force, in fractions: Wilson, order statistics, binomial tails."""

from fractions import Fraction
from functools import cache
from math import comb, isqrt

from oracle.counts import Tally

Z = Fraction("1.959963984540054")
DIGITS = 10**60


def written(value: Fraction, places: int) -> str:
    scaled = round(value * 10**places)
    whole, part = divmod(abs(scaled), 10**places)
    return f"{'-' if scaled < 0 else ''}{whole}.{part:0{places}d}"


def shown(value: Fraction | str | None) -> str | None:
    return written(value, 6) if isinstance(value, Fraction) else value


def root(value: Fraction) -> Fraction:
    """The square root, cut after sixty digits."""
    return Fraction(isqrt(value.numerator * DIGITS**2 // value.denominator), DIGITS)


def wilson(hits: Fraction | int, trials: int) -> tuple[str, str]:
    k, n, square = Fraction(hits), Fraction(trials), Z * Z
    centre = k + square / 2
    half = Z * root(k * (n - k) / n + square / 4)
    ends = (centre - half) / (n + square), (centre + half) / (n + square)
    return written(ends[0], 6), written(ends[1], 6)


@cache
def chances(n: int, p: Fraction) -> tuple[Fraction, ...]:
    """P(X = k) for k from 0 to n, of X ~ Bin(n, p)."""
    hit, miss, whole = p.numerator, p.denominator - p.numerator, p.denominator**n
    return tuple(Fraction(comb(n, k) * hit**k * miss ** (n - k), whole) for k in range(n + 1))


@cache
def at_most(k: int, n: int, p: Fraction) -> Fraction:
    """P(X <= k)."""
    return Fraction(0) if k < 0 else at_most(k - 1, n, p) + chances(n, p)[k]


@cache
def order_statistics(n: int, quantile: Fraction) -> tuple[int, int]:
    """The ranks (lower, upper) of the 95 % interval; lower 0 and upper n + 1 where there is none."""
    lower = 0
    while at_most(lower, n, quantile) <= Fraction(25, 1000):
        lower += 1
    upper = lower
    while upper == 0 or at_most(upper - 1, n, quantile) < Fraction(975, 1000):
        upper += 1
    return lower, upper


@cache
def binomial_limits(n: int, p: Fraction, tail: Fraction) -> tuple[int, int]:
    """The smallest k with P(X <= k) > tail and the largest k with P(X >= k) > tail."""
    lower = next(k for k in range(n + 1) if at_most(k, n, p) > tail)
    upper = next(k for k in range(n, -1, -1) if 1 - at_most(k - 1, n, p) > tail)
    return lower, upper


def percentile_interval(tally: Tally) -> tuple[Fraction | str, Fraction | str]:
    assert tally.quantile is not None
    lower, upper = order_statistics(tally.denominator, tally.quantile)
    return (tally.ranked(lower) if lower else Fraction(0)), tally.ranked(upper)


def interval(tally: Tally) -> list[str | None] | None:
    if tally.denominator == 0:
        return None
    if tally.quantile is None:
        return list(wilson(tally.numerator, tally.denominator))
    return [shown(end) for end in percentile_interval(tally)]
