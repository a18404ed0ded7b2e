"""Intervals against published vectors and against sums of exact fractions."""

from fractions import Fraction
from math import comb

import pytest

from vendorwatch.scoring.intervals import percentile_ranks, wilson, wilson_holds

MEDIAN, NINTH_DECILE = Fraction(1, 2), Fraction(9, 10)


@pytest.mark.parametrize(
    ("numerator", "denominator", "low", "high"),
    [
        (18, 20, "0.6990", "0.9721"),
        (45, 50, "0.7864", "0.9565"),
        (0, 10, "0.0000", "0.2775"),
        (10, 10, "0.7225", "1.0000"),
        (800, 1000, "0.7741", "0.8236"),
        # Newcombe (1998), Statistics in Medicine 17:857-872, table I, method 3
        (81, 263, "0.2553", "0.3662"),
        (15, 148, "0.0624", "0.1605"),
        (0, 20, "0.0000", "0.1611"),
        (1, 29, "0.0061", "0.1718"),
    ],
)
def test_wilson_vectors(numerator: int, denominator: int, low: str, high: str) -> None:
    interval = wilson(numerator, denominator)
    assert (f"{interval.low:.4f}", f"{interval.high:.4f}") == (low, high)


@pytest.mark.parametrize(("numerator", "denominator"), [(18, 20), (0, 10), (10, 10), (1, 999)])
def test_the_exact_question_agrees_with_the_ends(numerator: int, denominator: int) -> None:
    interval = wilson(numerator, denominator)
    for hundredth in range(101):
        share = Fraction(hundredth, 100)
        inside = interval.low <= share <= interval.high
        assert wilson_holds(numerator, denominator, share) == inside


def test_a_target_beyond_all_shares_lies_outside() -> None:
    assert not wilson_holds(10, 10, Fraction(11, 10))


@pytest.mark.parametrize("quantile", [MEDIAN, NINTH_DECILE])
@pytest.mark.parametrize("n", [1, 2, 5, 6, 8, 29, 30, 36, 37, 100, 233])
def test_ranks_equal_those_of_exact_binomial_sums(n: int, quantile: Fraction) -> None:
    at_most, total = [], Fraction(0)
    for successes in range(n + 1):
        chance = quantile**successes * (1 - quantile) ** (n - successes)
        total += comb(n, successes) * chance
        at_most.append(total)
    lower = [rank for rank in range(1, n + 1) if at_most[rank - 1] <= Fraction(1, 40)]
    upper = [rank for rank in range(1, n + 1) if at_most[rank - 1] >= Fraction(39, 40)]
    assert percentile_ranks(n, quantile) == (max(lower, default=0), min(upper, default=n + 1))


def test_ranks_of_a_median_as_tabulated() -> None:
    # Conover, Practical Nonparametric Statistics, 3rd edition, table A3: n = 20, p = 0.5
    assert percentile_ranks(20, MEDIAN) == (6, 15)


def test_a_million_values_are_no_trouble() -> None:
    low, high = percentile_ranks(1_000_000, MEDIAN)
    # 1.96 standard deviations of 500 around the middle
    assert abs(low - (500_000 - 980)) <= 2
    assert abs(high - (500_000 + 981)) <= 2
