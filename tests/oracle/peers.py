"""An agent beside the others: case mix, funnel, empirical Bayes and over-dispersion."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from oracle.counts import Tally
from oracle.intervals import binomial_limits, shown, written

Document = dict[str, Any]

LIMITS = {"95": Fraction(1, 40), "99.8": Fraction(1, 1000)}


@dataclass(frozen=True)
class Spread:
    """How the rates of the agents (k of n each, n > 0) lie about their common rate."""

    counts: list[tuple[Fraction, int]]

    @property
    def everyone(self) -> int:
        return sum(n for _, n in self.counts)

    @property
    def common(self) -> Fraction:
        return sum((k for k, _ in self.counts), Fraction(0)) / self.everyone

    @property
    def varies(self) -> bool:
        return bool(self.counts) and 0 < self.common < 1

    @property
    def share_between(self) -> Fraction | None:
        """Kleinman's rho, not clipped; None where it is not defined."""
        trials = sum((Fraction(n - 1) * (1 - Fraction(n, self.everyone)) for _, n in self.counts))
        if not self.varies or trials == 0:
            return None
        p, squares = self.common, Fraction(0)
        for k, n in self.counts:
            squares += n * (k / n - p) ** 2
        return (squares / (p * (1 - p)) - (len(self.counts) - 1)) / trials

    @property
    def prior(self) -> tuple[Fraction, Fraction] | None:
        rho = self.share_between
        if rho is None or rho <= 0:
            return None
        together = 1 / min(rho, Fraction(1)) - 1
        return self.common * together, (1 - self.common) * together

    @property
    def dispersion(self) -> Fraction | None:
        if not self.varies or len(self.counts) == 1:
            return None
        p, total = self.common, Fraction(0)
        for k, n in self.counts:
            total += (k - n * p) ** 2 / (n * p * (1 - p))
        return total / (len(self.counts) - 1)

    @property
    def overdispersed(self) -> bool:
        above = (self.dispersion or Fraction(0)) - 1
        # dispersion > 1 + 2 sqrt(2 / (m - 1)), squared
        return above > 0 and above**2 * (len(self.counts) - 1) > 8

    def estimate(self, k: Fraction, n: int) -> Fraction:
        if self.prior is None:
            return self.common
        a, b = self.prior
        return (k + a) / (n + a + b)


def spread(agents: list[Tally]) -> Spread:
    return Spread([(tally.numerator, tally.denominator) for tally in agents if tally.denominator])


def of_vendor(agents: list[Tally]) -> Document:
    found = spread(agents)
    return {
        "agents": len(found.counts),
        "dispersion": shown(found.dispersion),
        "overdispersed": found.overdispersed,
        "prior": None if found.prior is None else [shown(end) for end in found.prior],
    }


def of_agent(own: Tally, vendor: Tally, agents: list[Tally]) -> Document | None:
    if own.denominator == 0:
        return None
    k, n = own.numerator, own.denominator
    pooled = vendor.numerator / vendor.denominator
    limits = {name: binomial_limits(n, pooled, tail) for name, tail in LIMITS.items()}
    beyond = [name for name, (lower, upper) in limits.items() if not lower <= k <= upper]
    return {
        "estimate": written(spread(agents).estimate(k, n), 6),
        "limits_95": [written(Fraction(end, n), 6) for end in limits["95"]],
        "limits_99_8": [written(Fraction(end, n), 6) for end in limits["99.8"]],
        "outside": beyond[-1] if beyond else None,
    }


def adjusted(own: Tally, vendor: Tally) -> Fraction | None:
    """The rate if the agent's contacts had been mixed (channel and topic) as the vendor's."""
    expected = Fraction(0)
    for stratum, _ in own.units:
        alike = [hit for other, hit in vendor.units if other == stratum]
        expected += Fraction(sum(alike), len(alike))
    if expected == 0:
        return None
    return vendor.numerator / vendor.denominator * own.numerator / expected
