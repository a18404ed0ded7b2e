"""Item analysis against published examples, and against the definitions written out naively."""

import random
from collections.abc import Sequence
from fractions import Fraction
from math import sqrt
from statistics import fmean, pvariance

import pytest

from vendorwatch.knowledge.items import (
    MINIMUM_ANSWERS,
    Answered,
    Correlation,
    ItemStatistics,
    item_statistics,
    kr20,
    point_biserial,
    reliabilities,
)

# Section 6 of the Law School Admission Test (Bock and Lieberman 1970; Thissen 1982): how many of
# 1000 gave each of the 32 patterns of right answers to five questions, 00000 to 11111.
LSAT6 = [
    *(3, 6, 2, 11, 1, 1, 3, 4, 1, 8, 0, 16, 0, 3, 2, 15),
    *(10, 29, 14, 81, 3, 28, 15, 80, 16, 56, 21, 173, 11, 61, 28, 298),
]


def right(pattern: str) -> dict[str, bool]:
    return {f"q{at}": mark == "1" for at, mark in enumerate(pattern, start=1)}


def answered(
    attempts: Sequence[dict[str, bool]],
    *,
    check_id: str = "c",
    withdrawn: tuple[str, ...] = (),
) -> list[Answered]:
    return [
        Answered(
            check_id=check_id,
            agent_id=f"a{at}",
            question_id=question_id,
            version=1,
            right=is_right,
            withdrawn=question_id in withdrawn,
        )
        for at, attempt in enumerate(attempts)
        for question_id, is_right in attempt.items()
    ]


def test_the_law_school_admission_test_as_the_r_package_mirt_publishes_it() -> None:
    """The page of LSAT6 in the reference of mirt, itemstats: mean, total.r_if_rm and alpha.

    Coefficient alpha is KR-20 where every answer is right or wrong.
    """
    attempts = [
        right(f"{pattern:05b}") for pattern, count in enumerate(LSAT6) for _ in range(count)
    ]
    found = item_statistics(answered(attempts))
    published = {
        "q1": ("0.924", "0.113"),
        "q2": ("0.709", "0.153"),
        "q3": ("0.553", "0.173"),
        "q4": ("0.763", "0.144"),
        "q5": ("0.870", "0.122"),
    }
    for question_id, (mean, correlation) in published.items():
        statistics = found[question_id, 1]
        assert statistics.answers == 1000
        assert statistics.difficulty == Fraction(mean)
        assert statistics.discrimination is not None
        assert f"{float(statistics.discrimination.text()):.3f}" == correlation
    alpha = reliabilities(answered(attempts))["c"]
    assert alpha is not None
    assert f"{float(alpha):.3f}" == "0.295"


def test_kr_20_as_real_statistics_works_it_out() -> None:
    """real-statistics.com, "Kuder and Richardson Formula 20", example 1: 12 people, 11 questions."""
    attempts = [
        right(pattern)
        for pattern in (
            "11111111111",
            "11111111010",
            "10111111100",
            "11101101100",
            "11111000100",
            "01101111000",
            "11110010000",
            "11111000000",
            "01011000010",
            "10010100000",
            "11100000000",
            "10010000000",
        )
    ]
    found = kr20(attempts)
    assert found is not None
    assert f"{float(found):.3f}" == "0.738"


def test_kr_20_as_wuensch_works_it_out() -> None:
    """K. L. Wuensch, East Carolina University, "The Kuder-Richardson 20": ten students, ten
    questions; the sum of pq is 2.18 and the variance of the totals 5.84.
    """
    attempts = [
        right(pattern)
        for pattern in (
            "1111110110",
            "1011011101",
            "1111011001",
            "0010001000",
            "0000010010",
            "1110111111",
            "1101110111",
            "1111111101",
            "0101111101",
            "1101101110",
        )
    ]
    assert kr20(attempts) == Fraction(10, 9) * (1 - Fraction("2.18") / Fraction("5.84"))


def test_the_point_biserial_of_scipys_example() -> None:
    """scipy.stats.pointbiserialr: 0.8660254037844386, the root of three quarters."""
    found = point_biserial(
        list(zip([False, False, False, True, True, True, True], range(7), strict=True))
    )
    assert found == Correlation(Fraction(3, 4), negative=False)
    assert found.text() == "0.866025"


def naive_correlation(xs: Sequence[int], ys: Sequence[int]) -> float | None:
    if not (pvariance(xs) and pvariance(ys)):
        return None
    both = fmean(x * y for x, y in zip(xs, ys, strict=True)) - fmean(xs) * fmean(ys)
    return both / sqrt(pvariance(xs) * pvariance(ys))


def naive_kr20(table: Sequence[Sequence[int]]) -> Fraction | None:
    n, k = len(table), len(table[0])
    totals = [sum(row) for row in table]
    mean = Fraction(sum(totals)) / n
    variance = Fraction(sum((total - mean) ** 2 for total in totals)) / n
    if k == 1 or variance == 0:
        return None
    shares = [Fraction(sum(column), n) for column in zip(*table, strict=True)]
    return Fraction(k, k - 1) * (1 - sum(p * (1 - p) for p in shares) / variance)


@pytest.mark.parametrize("seed", range(40))
def test_the_definitions_written_out_naively_say_the_same(seed: int) -> None:
    dice = random.Random(seed)
    questions, people = dice.randint(1, 6), dice.randint(MINIMUM_ANSWERS, 45)
    easy = [dice.choice([0.0, 0.3, 0.6, 0.9, 1.0]) for _ in range(questions)]
    table = [[int(dice.random() < chance) for chance in easy] for _ in range(people)]
    gone = dice.randint(0, questions) if dice.random() < 0.5 else 0
    left = [at for at in range(questions) if at != gone - 1]
    answers = answered(
        [{f"q{at}": bool(x) for at, x in enumerate(row)} for row in table],
        withdrawn=(f"q{gone - 1}",) if gone else (),
    )
    dice.shuffle(answers)

    statistics = item_statistics(answers)

    for at in range(questions):
        xs = [row[at] for row in table]
        rest = [sum(row[other] for other in left if other != at) for row in table]
        expected, found = naive_correlation(xs, rest), statistics[f"q{at}", 1]
        assert found.difficulty == Fraction(sum(xs), people)
        if expected is None:
            assert found.discrimination is None
            assert not found.review_key
        else:
            assert found.discrimination is not None
            assert float(found.discrimination.text()) == pytest.approx(expected, abs=6e-7)
            if abs(expected) > 1e-9:
                assert found.review_key is (expected < 0)
    rows = [[row[at] for at in left] for row in table]
    assert reliabilities(answers) == {"c": naive_kr20(rows) if left else None}


def test_too_few_answers_tell_nothing() -> None:
    attempts = [right("110"), right("001"), right("111")] * 10
    full, short = answered(attempts), answered(attempts[:-1])

    assert item_statistics(full)["q1", 1].difficulty == Fraction(2, 3)
    assert reliabilities(full)["c"] is not None
    found = item_statistics(short)["q1", 1]
    assert (found.answers, found.difficulty, found.discrimination) == (29, None, None)
    assert not found.review_key
    assert reliabilities(short) == {"c": None}


def test_a_key_is_flagged_by_the_sign_and_not_by_the_digits_that_are_shown() -> None:
    tiny = Correlation(Fraction(1, 10**20), negative=True)
    assert tiny.text() == "0.000000"
    assert ItemStatistics(30, Fraction(1, 2), tiny).review_key

    nothing = point_biserial([(True, 0), (False, 0), (True, 1), (False, 1)])
    assert nothing == Correlation(Fraction(0), negative=False)
    assert not ItemStatistics(30, Fraction(1, 2), nothing).review_key


@pytest.mark.parametrize(
    ("root", "text"),
    [
        ("0.0000005", "0.000000"),
        ("0.0000015", "0.000002"),
        ("0.0000025", "0.000002"),
        ("0.12345649999", "0.123456"),
        ("0.12345650001", "0.123457"),
        ("0.9999995", "1.000000"),
        ("1", "1.000000"),
    ],
)
def test_a_correlation_is_rounded_half_to_even(root: str, text: str) -> None:
    assert Correlation(Fraction(root) ** 2, negative=False).text() == text
    minus = text if text == "0.000000" else f"-{text}"
    assert Correlation(Fraction(root) ** 2, negative=True).text() == minus


def test_a_question_of_two_checks_is_one_question_and_versions_are_two() -> None:
    first = answered([right("10"), right("01")] * 10, check_id="june")
    second = answered([right("11"), right("01")] * 10, check_id="july")
    other = [Answered("july", f"a{at}", "q1", 2, right=True, withdrawn=False) for at in range(20)]

    found = item_statistics([*first, *second, *other])

    assert found["q1", 1].answers == 40
    assert found["q1", 1].difficulty == Fraction(1, 2)
    assert found["q1", 2].answers == 20
