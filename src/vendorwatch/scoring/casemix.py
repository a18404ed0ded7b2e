"""An agent's rate with the vendor's mix of contacts: indirect standardisation.

expected = over the agent's interactions, the sum of the vendor's rate in each one's stratum;
adjusted = the vendor's rate x observed / expected, which may exceed 1.
"""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from operator import mul
from typing import Generic, Self, TypeVar

from vendorwatch.scoring.intervals import ratio_text
from vendorwatch.scoring.peers import pooled

Stratum = TypeVar("Stratum", bound=Hashable)


@dataclass(frozen=True, slots=True)
class CaseMix(Generic[Stratum]):
    """The vendor's pooled rate of every stratum, over one denominator.

    For the many agents of a vendor: `adjusted`, printed, without a sum of fractions for each.
    """

    pooled: Fraction
    rates: Mapping[Stratum, int]
    denominator: int

    @classmethod
    def of(cls, strata: Mapping[Stratum, tuple[int, int]]) -> Self | None:
        """From (k, n) of each stratum over all interactions; None where there are none."""
        whole = pooled(list(strata.values()))
        if whole is None:
            return None
        scale = lcm(*(n for _, n in strata.values() if n))
        return cls(
            whole, {key: k * scale // n if n else 0 for key, (k, n) in strata.items()}, scale
        )

    def adjusted_text(
        self, observed: int, strata: Iterable[Stratum], units: Iterable[int]
    ) -> str | None:
        """`units`: how many of the agent's interactions lie in each of these strata. Six decimals."""
        expected = sum(map(mul, map(self.rates.__getitem__, strata), units))
        if not expected:
            return None
        above = self.pooled.numerator * observed * self.denominator
        return ratio_text(above, self.pooled.denominator * expected)
