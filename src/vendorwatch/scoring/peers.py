"""An agent's rate beside those of the vendor's other agents: what chance and case mix explain.

Counts are pairs (k, n): k of n. Agents with n = 0 do not count. Sums of fractions with two hundred
different denominators have thousands of digits: they are kept as one numerator over one
denominator, reduced once at the end, and what is printed of them is rounded from whole numbers.

Empirical Bayes by moments with weights n: Kleinman, J. C. (1973), JASA 68:46-54. Funnel limits and
over-dispersion: Spiegelhalter, D. J. (2005), Statistics in Medicine 24:1185-1202.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import lcm
from typing import Literal, Self

from vendorwatch.scoring.binomial import limits
from vendorwatch.scoring.intervals import ratio_text

Counts = Sequence[tuple[int, int]]
Outside = Literal["95", "99.8"]
_TAIL_95 = Fraction(1, 40)
_TAIL_99_8 = Fraction(1, 1000)


@dataclass(frozen=True)
class Prior:
    """The Beta(a, b) that the agents' true rates are taken to come from."""

    a: Fraction
    b: Fraction

    @cached_property
    def whole(self) -> tuple[int, int, int]:
        """a, a + b and 1, times their common denominator."""
        scale = lcm(self.a.denominator, self.b.denominator)
        return int(self.a * scale), int((self.a + self.b) * scale), scale


Fit = Prior | Literal["pooled", "raw"]
"""pooled: no spread beyond chance, so every estimate is the pooled rate. raw: as much spread as
there can be, so nothing can be learnt from the others."""


def pooled(counts: Counts) -> Fraction | None:
    units = sum(n for _, n in counts)
    return Fraction(sum(k for k, _ in counts), units) if units else None


def dispersion(counts: Counts) -> Fraction | None:
    """The mean of the squared deviations, in binomial variances; 1 is what chance alone gives.

    None for fewer than two agents, or where all succeeded or none did.
    """
    counts = _with_units(counts)
    found = _deviations(counts)
    return Fraction(found[0], found[1] * (len(counts) - 1)) if found else None


def overdispersed(dispersion: Fraction | None, agents: int) -> bool:
    """Whether it exceeds 1 + 2 sqrt(2 / (agents - 1)), two standard errors; exact."""
    if dispersion is None or agents < 2 or dispersion <= 1:  # noqa: PLR2004  a spread takes two
        return False
    return (dispersion - 1) ** 2 * (agents - 1) > 8  # noqa: PLR2004  both sides squared


def fit(counts: Counts) -> Fit:
    """The prior by moments, the sampling variance taken out of the spread."""
    counts = _with_units(counts)
    found = _deviations(counts)
    units = sum(n for _, n in counts)
    room = sum((n - 1) * (units - n) for _, n in counts)
    if not found or not room:
        return "pooled"
    # rho = beyond / whole is the correlation of two interactions of one agent; a + b = 1/rho - 1.
    beyond = (found[0] - (len(counts) - 1) * found[1]) * units
    whole = found[1] * room
    if beyond <= 0:
        return "pooled"
    if beyond >= whole:
        return "raw"
    strength = Fraction(whole - beyond, beyond)
    share = Fraction(sum(k for k, _ in counts), units)
    return Prior(share * strength, (1 - share) * strength)


def estimate_text(fitted: Fit, pooled: Fraction, numerator: int, denominator: int) -> str:
    """(k + a) / (n + a + b), six decimals, half to even. `denominator` is above 0."""
    if fitted == "pooled":
        return ratio_text(pooled.numerator, pooled.denominator)
    if fitted == "raw":
        return ratio_text(numerator, denominator)
    a, strength, scale = fitted.whole
    return ratio_text(numerator * scale + a, denominator * scale + strength)


@dataclass(frozen=True)
class Funnel:
    """The exact binomial limits around the pooled rate, among k of `denominator` (above 0)."""

    denominator: int
    near: tuple[int, int]
    far: tuple[int, int]

    @classmethod
    def of(cls, denominator: int, pooled: Fraction) -> Self:
        near, far = (limits(denominator, pooled, tail) for tail in (_TAIL_95, _TAIL_99_8))
        return cls(denominator, near, far)

    @cached_property
    def limits_95(self) -> tuple[str, str]:
        return self._shares(self.near)

    @cached_property
    def limits_99_8(self) -> tuple[str, str]:
        return self._shares(self.far)

    def outside(self, numerator: int) -> Outside | None:
        """The limits that `numerator` lies beyond, if any."""
        if not self.far[0] <= numerator <= self.far[1]:
            return "99.8"
        return None if self.near[0] <= numerator <= self.near[1] else "95"

    def _shares(self, ends: tuple[int, int]) -> tuple[str, str]:
        return ratio_text(ends[0], self.denominator), ratio_text(ends[1], self.denominator)


def _with_units(counts: Counts) -> Counts:
    return [(k, n) for k, n in counts if n]


def _deviations(counts: Counts) -> tuple[int, int] | None:
    """The sum of n_i (p_i - p)^2 / (p (1 - p)), as numerator and denominator; p = K / N.

    The sum is that of k_i^2 / n_i less K^2 / N, so only one sum has large denominators.
    """
    if len(counts) < 2:  # noqa: PLR2004  a spread takes two
        return None
    total, units = sum(k for k, _ in counts), sum(n for _, n in counts)
    if not 0 < total < units:
        return None
    squares: dict[int, int] = {}
    for k, n in counts:
        squares[n] = squares.get(n, 0) + k * k
    above, below = _sum([(square, n) for n, square in sorted(squares.items())])
    return (above * units - total * total * below) * units, below * total * (units - total)


def _sum(fractions: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """One fraction, not reduced; halves first, so that the products stay even."""
    if len(fractions) == 1:
        return fractions[0]
    middle = len(fractions) // 2
    (a, b), (c, d) = _sum(fractions[:middle]), _sum(fractions[middle:])
    return a * d + c * b, b * d
