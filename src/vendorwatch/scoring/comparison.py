"""Agents beside each other: case mix, shrunken estimates and funnel limits of every rate."""

from dataclasses import dataclass
from fractions import Fraction

from vendorwatch.scoring.casemix import CaseMix
from vendorwatch.scoring.counting import Counted
from vendorwatch.scoring.figures import VENDOR, Who
from vendorwatch.scoring.metrics import Rate
from vendorwatch.scoring.peers import (
    Fit,
    Funnel,
    Outside,
    dispersion,
    estimate_text,
    fit,
    overdispersed,
)


@dataclass(frozen=True, slots=True)
class Spread:
    """How far the agents' rates lie apart. `agents` are those with a case."""

    agents: int
    dispersion: Fraction | None
    overdispersed: bool
    prior: Fit


@dataclass(frozen=True, slots=True)
class Standing:
    """One agent's rate: with the vendor's mix of contacts, drawn to the others', and the funnel."""

    adjusted: str | None
    estimate: str
    funnel: Funnel
    outside: Outside | None


Comparison = Spread | Standing


def compare(counted: Counted, metric: Rate) -> dict[Who, Comparison]:
    """Of VENDOR and each agent that has a case."""
    tally = counted.tally(metric)
    counts = {who: tally.counted(metric.id, who)[:2] for who in sorted(tally.agents)}
    cases = {who: (k, n) for who, (k, n) in counts.items() if n}
    prior, spread = fit(list(cases.values())), dispersion(list(cases.values()))
    found: dict[Who, Comparison] = {
        VENDOR: Spread(len(cases), spread, overdispersed(spread, len(cases)), prior)
    }
    if not cases:
        return found
    mix, units = CaseMix.of(tally.strata(metric.id)), tally.units(metric.id)
    vendor = Fraction(*tally.counted(metric.id, VENDOR)[:2])
    among = Fraction(sum(k for k, _ in cases.values()), sum(n for _, n in cases.values()))
    # Many agents have as many cases as another one, and so the same limits.
    funnels = {n: Funnel.of(n, vendor) for n in {n for _, n in cases.values()}}
    for who, (k, n) in cases.items():
        found[who] = Standing(
            adjusted=mix.adjusted_text(k, *units[who]) if mix else None,
            estimate=estimate_text(prior, among, k, n),
            funnel=funnels[n],
            outside=funnels[n].outside(k),
        )
    return found
