"""Intervals against published vectors, sixty-digit decimals and sums of exact fractions."""

from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vendorwatch.scoring.intervals import (
    Z,
    percentile_ranks,
    ratio_text,
    wilson_holds,
    wilson_text,
)

MEDIAN, NINTH_DECILE = Fraction(1, 2), Fraction(9, 10)
SIXTY = Context(prec=60, rounding=ROUND_HALF_EVEN)
MILLIONTH = Decimal("0.000001")

shares = st.fractions(0, 1, max_denominator=840)
sizes = st.integers(1, 10_000_000)


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
    ends = wilson_text(numerator, denominator)
    assert tuple(f"{Decimal(end):.4f}" for end in ends) == (low, high)


def wilson_in_decimals(numerator: Fraction, denominator: int) -> tuple[str, str]:
    """The formula as Wilson (1927) has it, to sixty digits, then rounded once."""
    calc = SIXTY
    p = calc.divide(Decimal(numerator.numerator), Decimal(numerator.denominator * denominator))
    z2n = calc.divide(calc.multiply(Z, Z), Decimal(denominator))
    variance = calc.add(
        calc.multiply(p, calc.subtract(Decimal(1), p)), calc.divide(z2n, Decimal(4))
    )
    half = calc.sqrt(calc.multiply(max(variance, Decimal(0)), z2n))
    middle = calc.add(p, calc.divide(z2n, Decimal(2)))
    width = calc.add(Decimal(1), z2n)
    low = calc.divide(calc.subtract(middle, half), width)
    high = calc.divide(calc.add(middle, half), width)
    return written(max(low, Decimal(0))), written(min(high, Decimal(1)))


def written(value: Decimal) -> str:
    return f"{value.quantize(MILLIONTH, context=SIXTY):f}"


def test_both_ends_are_rounded_once_from_the_exact_ones() -> None:
    for denominator in [*range(1, 60), 999, 5000]:
        for numerator in range(0, denominator + 1, 1 + denominator // 60):
            expected = wilson_in_decimals(Fraction(numerator), denominator)
            assert wilson_text(numerator, denominator) == expected


@given(denominator=sizes, share=shares)
def test_rounding_is_right_for_any_size_and_for_means_of_shares(
    denominator: int, share: Fraction
) -> None:
    numerator = share * denominator
    expected = wilson_in_decimals(numerator, denominator)
    assert wilson_text(numerator, denominator) == expected
    whole = int(numerator)
    assert wilson_text(whole, denominator) == wilson_in_decimals(Fraction(whole), denominator)


@given(denominator=sizes, share=shares)
def test_failures_mirror_successes_and_the_ends_stay_within_bounds(
    denominator: int, share: Fraction
) -> None:
    numerator = int(share * denominator)
    low, high = map(Decimal, wilson_text(numerator, denominator))
    mirrored = wilson_text(denominator - numerator, denominator)
    assert mirrored == (f"{1 - high:.6f}", f"{1 - low:.6f}")
    observed = Decimal(ratio_text(numerator, denominator))
    assert 0 <= low <= observed <= high <= 1


@given(denominator=sizes, share=shares)
def test_one_more_success_never_lowers_an_end(denominator: int, share: Fraction) -> None:
    numerator = int(share * (denominator - 1))
    fewer, more = wilson_text(numerator, denominator), wilson_text(numerator + 1, denominator)
    assert fewer[0] <= more[0]
    assert fewer[1] <= more[1]


@pytest.mark.parametrize("denominator", [1, 7, 10**9])
def test_nothing_and_everything_reach_the_very_ends(denominator: int) -> None:
    assert wilson_text(0, denominator)[0] == "0.000000"
    assert wilson_text(denominator, denominator)[1] == "1.000000"


@pytest.mark.parametrize(
    ("numerator", "denominator", "text"),
    [
        (1, 2_000_000, "0.000000"),  # half a millionth: to the even one
        (3, 2_000_000, "0.000002"),
        (5, 2_000_000, "0.000002"),
        (5_000_001, 10_000_000_000_000, "0.000001"),  # just above half of it
        (1_999_999, 2_000_000, "1.000000"),
        (5, 4, "1.250000"),
    ],
)
def test_a_ratio_is_rounded_half_to_even(numerator: int, denominator: int, text: str) -> None:
    assert ratio_text(numerator, denominator) == text


@given(numerator=st.integers(0, 10**30), denominator=st.integers(1, 10**30))
def test_a_ratio_is_rounded_as_the_fraction_is(numerator: int, denominator: int) -> None:
    millionths = round(Fraction(numerator, denominator) * 10**6)
    assert Fraction(ratio_text(numerator, denominator)) == Fraction(millionths, 10**6)


@given(denominator=st.integers(1, 10**6), share=shares, asked=shares)
def test_whether_a_share_lies_within_is_decided_exactly(
    denominator: int, share: Fraction, asked: Fraction
) -> None:
    numerator = share * denominator
    distance = numerator - denominator * asked
    inside = distance**2 <= Fraction(Z) ** 2 * denominator * asked * (1 - asked)
    assert wilson_holds(numerator, denominator, asked) == inside
    low, high = map(Fraction, wilson_text(numerator, denominator))
    if not low <= asked <= high and min(abs(asked - low), abs(asked - high)) > Fraction(MILLIONTH):
        assert not inside


@pytest.mark.parametrize("share", [Fraction(11, 10), Fraction(-1, 10)])
def test_a_target_beyond_all_shares_lies_outside(share: Fraction) -> None:
    assert not wilson_holds(10, 10, share)
    assert not wilson_holds(0, 10, share)


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


# Nair (1940), Sankhya 4:551-558, as cited by Dixon & Massey (1969): the k-th smallest and the k-th
# largest of N values enclose the median with more than 95 % confidence. N = 6, 7, ..., 65.
NAIR = """1 1 1 2 2 2 3 3 3 4 4 5 5 5 6 6 6 7 7 8 8 8 9 9 10 10 10 11 11 12 12 13 13 13 14 14 15 15 16
16 16 17 17 18 18 19 19 19 20 20 21 21 22 22 22 23 23 24 24 25"""


def test_ranks_of_a_median_as_tabulated() -> None:
    for n, k in enumerate(map(int, NAIR.split()), start=6):
        assert percentile_ranks(n, MEDIAN) == (k, n + 1 - k)
    # Conover, Practical Nonparametric Statistics, 3rd edition, table A3: n = 20, p = 0.5
    assert percentile_ranks(20, MEDIAN) == (6, 15)


@settings(max_examples=50, deadline=None)
@given(n=st.integers(1, 20_000))
def test_the_ranks_of_a_median_lie_even_about_it(n: int) -> None:
    low, high = percentile_ranks(n, MEDIAN)
    assert low + high == n + 1


def test_a_million_values_are_no_trouble() -> None:
    low, high = percentile_ranks(1_000_000, MEDIAN)
    # 1.96 standard deviations of 500 around the middle
    assert abs(low - (500_000 - 980)) <= 2
    assert abs(high - (500_000 + 981)) <= 2
