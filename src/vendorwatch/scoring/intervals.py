"""How sure a figure is. Everything is decided in integers; only what is printed is rounded.

Wilson, E. B. (1927), JASA 22:209-212, for rates; distribution-free order-statistic intervals
(Conover, Practical Nonparametric Statistics, 3.2) for percentiles.
"""

from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from math import isqrt

from vendorwatch.scoring.binomial import limits

Z = Decimal("1.959963984540054")  # the 97.5 % point of the normal distribution
_ONE_TAIL = Fraction(1, 40)

_Z_SCALE = 10**15
_Z = int(Z * _Z_SCALE)
_C, _Q = _Z**2, _Z_SCALE**2  # z2 = _C / _Q
_SIX = 10**6


def wilson_text(numerator: int | Fraction, denominator: int) -> tuple[str, str]:
    """The ends of the 95 % score interval, six decimals, rounded half to even from the exact ones.

    `numerator` may be a sum of shares, each in [0, 1]: a value in [0, 1] varies at most as much as
    a yes or no of the same mean, so the interval is then wide enough. `denominator` is above 0.
    """
    # With k = u/v, m = v n and c = v z2 = v C/Q, twice the ends times a million are
    # S (2 u m + c m -+ sqrt(c m (c m + 4 u (m - u)))) / (m (m + c)), S = 10**6, here times Q.
    u, v = numerator.numerator, numerator.denominator
    m, c = v * denominator, v * _C
    cm = c * m
    middle = _SIX * m * (2 * u * _Q + c)
    square = _SIX * _SIX * cm * (cm + 4 * u * (m - u) * _Q)
    width = m * (m * _Q + c)
    root = isqrt(square)
    above = root + (root * root != square)
    low, high = divmod(middle - above, width), divmod(middle + root, width)
    exact = above == root
    return _halved(*low, exact=exact), _halved(*high, exact=exact)


def ratio_text(numerator: int, denominator: int) -> str:
    """Six decimals, rounded half to even; for what is not negative, and too often for Fraction."""
    doubled, rest = divmod(2 * _SIX * numerator, denominator)
    return _halved(doubled, rest, exact=True)


def _halved(doubled: int, rest: int, *, exact: bool) -> str:
    """Half of doubled and a bit (no bit where rest is 0 and the quotient exact), in millionths."""
    millionths = (doubled + 1) >> 1
    if exact and not rest and doubled & 3 == 1:  # a half above an even number
        millionths -= 1
    whole, parts = divmod(millionths, _SIX)
    return f"{whole}.{parts:06}"


def wilson_holds(numerator: int | Fraction, denominator: int, share: Fraction) -> bool:
    """Whether `share` lies within the interval, ends included; exact, as it needs no root."""
    a, b = share.numerator, share.denominator
    if not 0 <= a <= b:
        return False
    u, v = numerator.numerator, numerator.denominator
    distance = u * b - v * denominator * a
    return distance * distance * _Q <= _C * denominator * a * (b - a) * v * v


@lru_cache(maxsize=4096)
def percentile_ranks(n: int, quantile: Fraction) -> tuple[int, int]:
    """Ranks (1-based) of the order statistics that enclose the quantile with 95 % confidence.

    With B the number of n values below the quantile, Bin(n, quantile): the lower rank is the
    largest r with P(B < r) <= 2.5 %, 0 where there is none; the upper one is the smallest r with
    P(B < r) >= 97.5 %, n + 1 where there is none.
    """
    lower, upper = limits(n, quantile, _ONE_TAIL)
    return lower, upper + 1
