"""Agents beside their peers: published data, the moment equation itself, plain fractions."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from math import comb, prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vendorwatch.scoring.peers import (
    Counts,
    Fit,
    Funnel,
    Prior,
    dispersion,
    estimate_text,
    fit,
    overdispersed,
    pooled,
)

# Efron & Morris (1977), Scientific American 236(5):119-127: hits in the first 45 times at bat.
BASEBALL = [(k, 45) for k in (18, 17, 16, 15, 14, 14, 13, 12, 11, 11, 10, 10, 10, 10, 10, 9, 8, 7)]

# Wetherill & Brown (1991), Statistical Process Control, pp. 212-218: faults in samples of 50.
FAULTS = [
    (k, 50)
    for k in (
        *(12, 11, 18, 11, 10, 16, 9, 11, 14, 15, 11, 9, 10, 13, 12),
        *(8, 12, 13, 10, 12, 13, 16, 12, 18, 16, 10, 16, 10, 12, 14),
    )
]

agents = st.integers(0, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
teams = st.lists(agents, max_size=12)


def spread(counts: Counts) -> Fraction:
    """Sum n_i (p_i - p)^2, with p pooled over them."""
    p = Fraction(sum(k for k, _ in counts), sum(n for _, n in counts))
    return sum((n * (Fraction(k, n) - p) ** 2 for k, n in counts), Fraction(0))


def room(sizes: list[int]) -> Fraction:
    units = sum(sizes)
    return sum(((n - 1) * (1 - Fraction(n, units)) for n in sizes), Fraction(0))


def correlation(counts: Counts) -> Fraction | None:
    """Kleinman's rho, not clipped."""
    counts = [(k, n) for k, n in counts if n]
    p = pooled(counts)
    if p is None or not 0 < p < 1 or not room([n for _, n in counts]):
        return None
    beyond = spread(counts) / (p * (1 - p)) - (len(counts) - 1)
    return beyond / room([n for _, n in counts])


def estimate(counts: Counts, k: int, n: int) -> Fraction:
    p = pooled(counts)
    assert p is not None
    rho = correlation(counts)
    if rho is None or rho <= 0:
        return p
    if rho >= 1:
        return Fraction(k, n)
    strength = 1 / rho - 1
    return (k + p * strength) / (n + strength)


def test_dispersion_as_published() -> None:
    # The ratio of the observed to the theoretical variance, as the R package qcc prints it.
    found = dispersion(FAULTS)
    assert found is not None
    assert f"{float(found):.7f}" == "0.7644566"
    assert not overdispersed(found, len(FAULTS))


def test_dispersion_gives_the_shrinkage_of_the_baseball_players() -> None:
    # James and Stein's factor is 1 - (m - 3) / (m - 1) / dispersion; Efron and Morris print .212.
    found = dispersion(BASEBALL)
    assert found is not None
    assert f"{float(1 - Fraction(15, 17) / found):.3f}" == "0.212"


def outcomes(sizes: list[int], a: int, b: int) -> Iterator[tuple[Fraction, Counts]]:
    """Every outcome of agents whose rates come from Beta(a, b), with its chance."""

    def rising(start: int, steps: int) -> int:
        return prod(range(start, start + steps))

    for ks in product(*(range(n + 1) for n in sizes)):
        counts = list(zip(ks, sizes, strict=True))
        ways = (
            Fraction(comb(n, k) * rising(a, k) * rising(b, n - k), rising(a + b, n))
            for k, n in counts
        )
        yield prod(ways, start=Fraction(1)), counts


@pytest.mark.parametrize(("a", "b"), [(1, 1), (3, 2), (9, 1)])
def test_the_moment_equation_holds_for_the_model_itself(a: int, b: int) -> None:
    sizes = [1, 2, 4, 5]
    p, rho = Fraction(a, a + b), Fraction(1, a + b + 1)
    expected = sum((chance * spread(counts) for chance, counts in outcomes(sizes, a, b)), p * 0)
    assert expected == p * (1 - p) * (len(sizes) - 1 + rho * room(sizes))


def test_agents_of_one_size_have_a_closed_form() -> None:
    found, phi, n = fit(BASEBALL), dispersion(BASEBALL), 45
    assert isinstance(found, Prior)
    assert phi is not None
    assert found.a + found.b == (n - phi) / (phi - 1)
    assert found.a / (found.a + found.b) == pooled(BASEBALL)


@settings(max_examples=120, deadline=None)
@given(teams)
def test_the_prior_and_the_estimates_equal_those_of_plain_fractions(counts: Counts) -> None:
    rho, found, rate = correlation(counts), fit(counts), pooled(counts)
    if rho is None or rho <= 0:
        assert found == "pooled"
    elif rho >= 1:
        assert found == "raw"
    else:
        assert isinstance(found, Prior)
        assert 1 / (found.a + found.b + 1) == rho
        assert found.a * (1 - rate) == found.b * rate  # type: ignore[operator]  # there are some
    for k, n in counts:
        if n and rate is not None:
            exact = round(estimate(counts, k, n) * 10**6)
            assert Fraction(estimate_text(found, rate, k, n)) == Fraction(exact, 10**6)


@settings(max_examples=60, deadline=None)
@given(teams, st.randoms(use_true_random=False))
def test_the_order_of_agents_and_those_without_work_change_nothing(counts, dice) -> None:  # type: ignore[no-untyped-def]  # Hypothesis types its dice loosely
    shuffled = [*counts, (0, 0)]
    dice.shuffle(shuffled)
    assert fit(shuffled) == fit(counts)
    assert dispersion(shuffled) == dispersion(counts)
    assert pooled(shuffled) == pooled(counts)


@settings(max_examples=60, deadline=None)
@given(teams)
def test_an_estimate_lies_between_the_agents_own_rate_and_the_pooled_one(counts: Counts) -> None:
    found, rate = fit(counts), pooled(counts)
    for k, n in counts:
        if n and rate is not None:
            ends = sorted(round(value * 10**6) for value in (Fraction(k, n), rate))
            assert ends[0] <= Fraction(estimate_text(found, rate, k, n)) * 10**6 <= ends[1]


@settings(max_examples=60, deadline=None)
@given(teams)
def test_failures_mirror_successes(counts: Counts) -> None:
    mirrored = [(n - k, n) for k, n in counts]
    assert dispersion(mirrored) == dispersion(counts)
    found, other = fit(counts), fit(mirrored)
    if isinstance(found, Prior):
        assert other == Prior(found.b, found.a)
    else:
        assert other == found


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([], "pooled"),
        ([(3, 9)], "pooled"),  # nobody to compare with
        ([(5, 5), (7, 7)], "pooled"),  # all succeed
        ([(0, 1), (1, 1), (1, 1)], "pooled"),  # single units show no correlation
        ([(45, 50), (45, 50)], "pooled"),
        ([(3, 8), (5, 8)], "pooled"),  # a dispersion of 1, just what chance gives
        ([(3, 3), (1, 3)], "raw"),  # rho is 1 itself
        ([(10, 10), (0, 10)], "raw"),
    ],
)
def test_where_there_is_no_prior(counts: Counts, expected: Fit) -> None:
    assert fit(counts) == expected


def test_two_hundred_agents_of_many_sizes_stay_exact() -> None:
    counts = [((4000 + 7 * i * i) % (4501 + 3 * i), 4501 + 3 * i) for i in range(200)]
    found, rate = fit(counts), pooled(counts)
    assert isinstance(found, Prior)
    assert rate is not None
    for k, n in counts[::20]:
        exact = round(estimate(counts, k, n) * 10**6)
        assert Fraction(estimate_text(found, rate, k, n)) == Fraction(exact, 10**6)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([], None),
        ([(3, 9), (0, 0)], None),
        ([(0, 4), (0, 9)], None),
        ([(9, 9), (4, 4)], None),
        ([(2, 4), (2, 4)], Fraction(0)),
        ([(4, 4), (0, 4)], Fraction(8)),
    ],
)
def test_dispersion_by_hand(counts: Counts, expected: Fraction | None) -> None:
    assert dispersion(counts) == expected


@pytest.mark.parametrize(
    ("value", "agents", "expected"),
    [
        (Fraction(2), 9, False),  # 1 + 2 sqrt(2 / 8) is 2 itself
        (2 + Fraction(1, 10**30), 9, True),
        (Fraction(3), 3, False),
        (3 + Fraction(1, 10**30), 3, True),
        # 1 + 2 sqrt(2): not a fraction, decided all the same
        (Fraction(38284271247461900, 10**16), 2, False),
        (Fraction(38284271247461901, 10**16), 2, True),
        (Fraction(0), 50, False),  # far below one is no over-dispersion either
        (None, 9, False),
        (Fraction(100), 1, False),
    ],
)
def test_overdispersion_is_decided_exactly(
    value: Fraction | None, agents: int, expected: bool
) -> None:
    assert overdispersed(value, agents) is expected


def test_a_funnel_by_hand() -> None:
    # Bin(5, 1/2) in 32nds: 1 5 10 10 5 1; Bin(10, 1/2) in 1024ths: 1 10 45 ...
    assert Funnel.of(5, Fraction(1, 2)).limits_95 == ("0.000000", "1.000000")
    ten = Funnel.of(10, Fraction(1, 2))
    assert ten.limits_95 == ("0.200000", "0.800000")
    assert ten.limits_99_8 == ("0.100000", "0.900000")
    outside = [ten.outside(k) for k in range(11)]
    assert outside == ["99.8", "95", *[None] * 7, "95", "99.8"]


@pytest.mark.parametrize(("k", "rate", "outside"), [(5, 1, None), (4, 1, "99.8"), (0, 0, None)])
def test_a_funnel_around_all_or_nothing(k: int, rate: int, outside: str | None) -> None:
    found = Funnel.of(5, Fraction(rate))
    assert found.outside(k) == outside
    assert found.limits_95 == (f"{rate}.000000", f"{rate}.000000")


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 400), st.fractions(0, 1, max_denominator=997))
def test_a_funnel_holds_its_own_rate_and_the_wider_limits_the_narrower(
    n: int, rate: Fraction
) -> None:
    found = Funnel.of(n, rate)
    assert found.outside(round(n * rate)) is None
    far, near = found.limits_99_8, found.limits_95
    assert 0 <= Fraction(far[0]) <= Fraction(near[0]) <= Fraction(near[1]) <= Fraction(far[1]) <= 1
