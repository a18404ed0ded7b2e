"""How sure a figure is. Everything is decided in integers; only what is printed is rounded.

Wilson, E. B. (1927), JASA 22:209-212, for rates; distribution-free order-statistic intervals
(Conover, Practical Nonparametric Statistics, 3.2) for percentiles.
"""

from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction
from functools import cache

Z = Decimal("1.959963984540054")  # the 97.5 % point of the normal distribution
_Z2 = Fraction(Z) ** 2
_EXACT_ENOUGH = Context(prec=60)
_ONE_TAIL = 40  # a tail holds one fortieth: 2.5 %
_SCALE = 1 << 256


@dataclass(frozen=True, slots=True)
class RateInterval:
    low: Decimal
    high: Decimal


def wilson(numerator: int, denominator: int) -> RateInterval:
    """The 95 % score interval of a share, to 50 digits at least. `denominator` is above 0."""
    calc = _EXACT_ENOUGH
    n, k = Decimal(denominator), Decimal(numerator)
    z2 = calc.multiply(Z, Z)
    spread = calc.divide(4 * numerator * (denominator - numerator), n)
    half = calc.multiply(Z, calc.sqrt(calc.add(z2, spread)))
    middle = calc.add(calc.multiply(Decimal(2), k), z2)
    width = calc.multiply(Decimal(2), calc.add(n, z2))
    low = calc.divide(calc.subtract(middle, half), width)
    high = calc.divide(calc.add(middle, half), width)
    return RateInterval(max(low, Decimal(0)), min(high, Decimal(1)))


def wilson_holds(numerator: int, denominator: int, share: Fraction) -> bool:
    """Whether `share` lies within the interval, ends included; exact, as it needs no root."""
    if not 0 <= share <= 1:
        return False
    distance = numerator - denominator * share
    return distance * distance <= _Z2 * denominator * share * (1 - share)


@cache
def percentile_ranks(n: int, quantile: Fraction) -> tuple[int, int]:
    """Ranks (1-based) of the order statistics that enclose the quantile with 95 % confidence.

    With B the number of n values below the quantile, Bin(n, quantile): the lower rank is the
    largest r with P(B < r) <= 2.5 %, 0 where there is none; the upper one is the smallest r with
    P(B < r) >= 97.5 %, n + 1 where there is none.
    """
    first, weights = _binomial_weights(n, quantile)
    total = sum(weights)
    low, high, below = 0, 0, 0
    if first > 0:
        low = first  # P(B < first) is 0 to 70 digits
    for successes, weight in enumerate(weights, start=first):
        below += weight  # P(B < successes + 1), times total
        rank = successes + 1
        if _ONE_TAIL * below <= total:
            low = rank
        if _ONE_TAIL * (total - below) <= total:
            high = rank
            break
    return low, min(high, n + 1)


def _binomial_weights(n: int, quantile: Fraction) -> tuple[int, list[int]]:
    """Weights of Bin(n, quantile) in proportion, from the mode outwards, as integers.

    Returns the first number of successes with a weight above 2**-256 of the mode's, and the
    weights from there on. The steps grow with the root of n, so a million values are no trouble.
    """
    p, q = quantile.numerator, quantile.denominator - quantile.numerator
    mode = int((n + 1) * quantile)
    mode = min(mode, n)
    downwards = []
    weight = _SCALE
    for k in range(mode, 0, -1):
        weight = weight * k * q // ((n - k + 1) * p)
        if not weight:
            break
        downwards.append(weight)
    upwards = []
    weight = _SCALE
    for k in range(mode, n):
        weight = weight * (n - k) * p // ((k + 1) * q)
        if not weight:
            break
        upwards.append(weight)
    return mode - len(downwards), [*reversed(downwards), _SCALE, *upwards]
