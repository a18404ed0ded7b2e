"""Agents beside each other: every figure worked out in the comments."""

from fractions import Fraction

import pytest

from oracle import peers
from oracle.counts import Tally
from oracle.intervals import binomial_limits
from oracle.peers import Spread

HALF = Fraction(1, 2)


def rates(*counts: tuple[int, int]) -> list[Tally]:
    return [Tally(numerator=Fraction(k), denominator=n) for k, n in counts]


@pytest.mark.parametrize(
    ("n", "p", "tail", "limits"),
    [
        # 2^10 = 1024: P(X <= 0, 1, 2) = 1, 11, 56 of 1024, that is .00098, .0107 and .0547.
        (10, HALF, Fraction(1, 40), (2, 8)),
        (10, HALF, Fraction(1, 1000), (1, 9)),
        (4, HALF, Fraction(1, 40), (0, 4)),
        # P(X >= 1) is 1/40, and not more than 1/40.
        (1, Fraction(1, 40), Fraction(1, 40), (0, 0)),
        (1, Fraction(39, 40), Fraction(1, 40), (1, 1)),
        (7, Fraction(0), Fraction(1, 1000), (0, 0)),
        (7, Fraction(1), Fraction(1, 1000), (7, 7)),
        # P(X <= 0) = .9^30 = .0424; P(X >= 6) = .0732, P(X >= 7) = .0258, P(X >= 8) = .0078.
        (30, Fraction(1, 10), Fraction(1, 40), (0, 7)),
    ],
)
def test_binomial_limits(n: int, p: Fraction, tail: Fraction, limits: tuple[int, int]) -> None:
    assert binomial_limits(n, p, tail) == limits


def test_a_prior_of_three_agents() -> None:
    # 3/4, 3/4 and 0/4: p = 6/12. S = 4/16 + 4/16 + 4/4 = 3/2. S / (p q) = 6, less m - 1: 4.
    # sum (n - 1)(1 - n/N) = 3 * 3 * 2/3 = 6. rho = 4/6; a + b = 3/2 - 1; a = b = 1/4.
    # Dispersion: (4 * S) / 2 = 3 = 1 + 2 sqrt(2/2): on the border, and so not over it.
    agents = rates((3, 4), (3, 4), (0, 4), (0, 0))
    assert peers.of_vendor(agents) == {
        "agents": 3,
        "dispersion": "3.000000",
        "overdispersed": False,
        "prior": ["0.250000", "0.250000"],
    }
    vendor = Tally(numerator=Fraction(6), denominator=12)
    # Three and a quarter of four and a half, and a quarter of it.
    found = [peers.of_agent(agent, vendor, agents) for agent in agents]
    estimates = [None if each is None else each["estimate"] for each in found]
    assert estimates == ["0.722222", "0.722222", "0.055556", None]


def test_dispersion_past_the_border_is_too_much() -> None:
    # 6/8, 6/8 and 0/8: p = 1/2, (4 + 4 + 16) / 2 / 2 = 6 > 3.
    found = Spread([(Fraction(6), 8), (Fraction(6), 8), (Fraction(0), 8)])
    assert found.dispersion == 6
    assert found.overdispersed


@pytest.mark.parametrize(
    ("counts", "agents", "dispersion", "prior"),
    [
        ([], 0, None, None),
        ([(0, 0)], 0, None, None),
        # One agent has nobody beside it.
        ([(3, 4)], 1, None, None),
        # All alike: S = 0, rho < 0, no spread beyond chance.
        ([(2, 4), (2, 4)], 2, "0.000000", None),
        # All right or all wrong: p q = 0.
        ([(4, 4), (2, 2)], 2, None, None),
        ([(0, 4), (0, 2)], 2, None, None),
        # One contact each: sum (n - 1)(..) = 0. Dispersion: 2 * (1/4) / (1/4) / 1.
        ([(1, 1), (0, 1)], 2, "2.000000", None),
        # 4/4 and 0/4: S = 2, / (1/4) = 8, less 1: 7; / (3 * 1/2 * 2) > 1: the raw rates stand.
        ([(4, 4), (0, 4)], 2, "8.000000", ["0.000000", "0.000000"]),
    ],
)
def test_spreads_at_their_ends(
    counts: list[tuple[int, int]], agents: int, dispersion: str | None, prior: list[str] | None
) -> None:
    found = peers.of_vendor(rates(*counts))
    kept = [found[key] for key in ("agents", "dispersion", "prior")]
    assert kept == [agents, dispersion, prior]


def test_estimates_at_their_ends() -> None:
    apart = Spread([(Fraction(4), 4), (Fraction(0), 4)])
    assert [apart.estimate(k, n) for k, n in apart.counts] == [1, 0]
    alike = Spread([(Fraction(2), 4), (Fraction(1), 2)])
    assert [alike.estimate(k, n) for k, n in alike.counts] == [HALF, HALF]


@pytest.mark.parametrize(
    ("k", "outside"), [(0, "99.8"), (1, "95"), (2, None), (8, None), (9, "95"), (10, "99.8")]
)
def test_who_lies_outside_of_the_funnel(k: int, outside: str | None) -> None:
    # Around p = 1/2, ten contacts: 2 to 8 and 1 to 9, as above.
    vendor = Tally(numerator=Fraction(50), denominator=100)
    own = rates((k, 10))[0]
    found = peers.of_agent(own, vendor, [own])
    assert found is not None
    limits = [found["limits_95"], found["limits_99_8"], found["outside"]]
    assert limits == [["0.200000", "0.800000"], ["0.100000", "0.900000"], outside]


def test_case_mix() -> None:
    # Of all: email 1 of 5, chat 2 of 3, in all 3 of 8. Ann has email 1 of 3 and chat 1 of 1:
    # expected 3/5 + 2/3 = 19/15, observed 2: 3/8 * 2 * 15/19 = 45/76. Bob has email 0 of 2 and
    # chat 1 of 2: expected 2/5 + 4/3 = 26/15, observed 1: 3/8 * 15/26 = 45/208.
    email, chat = ("email", None), ("chat", "returns")
    ann = [(email, True), (email, False), (email, False), (chat, True)]
    bob = [(email, False), (email, False), (chat, True), (chat, False)]
    found = {}
    for name, units in (("all", ann + bob), ("ann", ann), ("bob", bob), ("nobody", [])):
        hits = Fraction(sum(hit for _, hit in units))
        found[name] = Tally(numerator=hits, denominator=len(units), units=units)
    assert peers.adjusted(found["ann"], found["all"]) == Fraction(45, 76)
    assert peers.adjusted(found["bob"], found["all"]) == Fraction(45, 208)
    assert peers.adjusted(found["nobody"], found["all"]) is None
    never = Tally(denominator=1, units=[(email, False)])
    assert peers.adjusted(never, never) is None
