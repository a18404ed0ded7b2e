"""Tails against tables, sums of exact fractions, and weights in whole numbers of 256 bits."""

from fractions import Fraction
from itertools import accumulate
from math import comb

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from vendorwatch.scoring.binomial import limits

TAIL_95, TAIL_99_8 = Fraction(1, 40), Fraction(1, 1000)
SCALE = 1 << 256

probabilities = st.fractions(0, 1, max_denominator=1_000_003)
tails = st.sampled_from([TAIL_95, TAIL_99_8, Fraction(1, 20), Fraction(2, 5)])


def at_most(n: int, p: Fraction) -> list[Fraction]:
    weights = (comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1))
    return list(accumulate(weights))


def limits_by_definition(n: int, below: list[Fraction], tail: Fraction) -> tuple[int, int]:
    at_least = [1 - below[k - 1] if k else Fraction(1) for k in range(n + 1)]
    lower = min(k for k in range(n + 1) if below[k] > tail)
    return lower, max(k for k in range(n + 1) if at_least[k] > tail)


@pytest.mark.parametrize("p", ["1/2", "9/10", "1/40", "39/40", "1/1000", "2/3", "871234/1000003"])
def test_every_small_number_of_trials_agrees_with_the_definition(p: str) -> None:
    for n in range(61):
        below = at_most(n, Fraction(p))
        for tail in (TAIL_95, TAIL_99_8):
            assert limits(n, Fraction(p), tail) == limits_by_definition(n, below, tail)


def limits_in_256_bits(n: int, p: Fraction, tail: Fraction) -> tuple[int, int]:
    """Weights from the mode outwards as integers, to 70 digits."""
    a, b = p.numerator, p.denominator - p.numerator
    mode = min(int((n + 1) * p), n)
    weights = {mode: SCALE}
    for k in range(mode, 0, -1):
        weights[k - 1] = weights[k] * k * b // ((n - k + 1) * a)
        if not weights[k - 1]:
            break
    for k in range(mode, n):
        weights[k + 1] = weights[k] * (n - k) * a // ((k + 1) * b)
        if not weights[k + 1]:
            break
    total, below = sum(weights.values()), 0
    lower = upper = None
    for k in sorted(weights):
        if upper is None or (total - below) * tail.denominator > tail.numerator * total:
            upper = k
        below += weights[k]
        if lower is None and below * tail.denominator > tail.numerator * total:
            lower = k
    assert lower is not None
    assert upper is not None
    return lower, upper


@settings(max_examples=100, deadline=None)
@given(n=st.integers(61, 20_000), p=probabilities, tail=tails)
def test_many_trials_agree_with_whole_numbers(n: int, p: Fraction, tail: Fraction) -> None:
    assume(0 < p < 1)
    assert limits(n, p, tail) == limits_in_256_bits(n, p, tail)


@pytest.mark.parametrize("p", ["1/2", "9/10", "1/1000000", "999999/1000000", "123457/1000003"])
def test_a_million_trials_agree_with_whole_numbers(p: str) -> None:
    for tail in (TAIL_95, TAIL_99_8):
        expected = limits_in_256_bits(1_000_000, Fraction(p), tail)
        assert limits(1_000_000, Fraction(p), tail) == expected


# Composite Materials Handbook CMH-17-1G, tables 8.5.12 and 8.5.13: the rank of the value that
# nine tenths (99 %) of all values exceed with 95 % confidence, in a sample of n.
B_BASIS = {29: 1, 46: 2, 61: 3, 76: 4, 89: 5, 103: 6, 116: 7, 129: 8, 142: 9, 154: 10, 167: 11}
B_BASIS |= {5251: 490, 5354: 500, 5613: 525, 7418: 700, 8036: 760, 9268: 880, 10499: 1000}
A_BASIS = {299: 1, 473: 2, 628: 3, 773: 4, 913: 5}


@pytest.mark.parametrize(
    ("share", "ranks"), [(Fraction(1, 10), B_BASIS), (Fraction(1, 100), A_BASIS)]
)
def test_ranks_as_tabulated(share: Fraction, ranks: dict[int, int]) -> None:
    for n, rank in ranks.items():
        lower, _ = limits(n, share, Fraction(1, 20))
        _, upper = limits(n, 1 - share, Fraction(1, 20))
        assert (lower, n - upper) == (rank, rank)


@pytest.mark.parametrize("p", ["1/2", "9/10", "3/7"])
def test_a_tail_that_equals_the_threshold_is_told_from_one_beside_it(p: str) -> None:
    n = 200
    below = at_most(n, Fraction(p))
    for k in range(n // 3, n - 2):
        at_least = 1 - below[k]  # k + 1 or more
        hair = min(below[k] - below[k - 1], below[k + 1] - below[k]) / 10**30
        assert limits(n, Fraction(p), below[k])[0] == k + 1
        assert limits(n, Fraction(p), below[k] - hair)[0] == k
        assert limits(n, Fraction(p), at_least)[1] == k
        assert limits(n, Fraction(p), at_least - hair)[1] == k + 1


@pytest.mark.parametrize(
    ("n", "p", "tail", "found"),
    [
        (1, "39/40", TAIL_95, (1, 1)),  # P(X = 0) is the tail itself
        (1, "1/40", TAIL_95, (0, 0)),
        (2, "1/2", Fraction(1, 4), (1, 1)),
        (0, "1/2", TAIL_95, (0, 0)),
        (0, "1", TAIL_95, (0, 0)),
        (50, "0", TAIL_99_8, (0, 0)),
        (50, "1", TAIL_99_8, (50, 50)),
    ],
)
def test_the_edges(n: int, p: str, tail: Fraction, found: tuple[int, int]) -> None:
    assert limits(n, Fraction(p), tail) == found


def test_tails_beyond_what_floats_can_weigh() -> None:
    n, p, tiny = 400, Fraction(9, 10), Fraction(1, 10**60)
    assert limits(n, p, tiny) == limits_by_definition(n, at_most(n, p), tiny)


@settings(max_examples=40, deadline=None)
@given(n=st.integers(0, 6_000), p=probabilities, tail=tails)
def test_failures_mirror_successes_and_a_smaller_tail_is_farther_out(
    n: int, p: Fraction, tail: Fraction
) -> None:
    lower, upper = limits(n, p, tail)
    assert limits(n, 1 - p, tail) == (n - upper, n - lower)
    farther = limits(n, p, tail / 10)
    assert 0 <= farther[0] <= lower
    assert upper <= farther[1] <= n


@settings(max_examples=40, deadline=None)
@given(n=st.integers(0, 6_000), p=probabilities, q=probabilities, tail=tails)
def test_a_higher_rate_never_lowers_a_limit(
    n: int, p: Fraction, q: Fraction, tail: Fraction
) -> None:
    less, more = limits(n, min(p, q), tail), limits(n, max(p, q), tail)
    assert less[0] <= more[0]
    assert less[1] <= more[1]
