"""Item analysis: how hard a question is, whether it tells who knows, how consistent a check is.

Exact: integers and fractions, and no float anywhere. Kuder and Richardson (1937) for KR-20.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt

MINIMUM_ANSWERS = 30
"""With fewer, nothing is told of a question or a check."""

_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Answered:
    """One question of one counted attempt. Left unanswered it is not right."""

    check_id: str
    agent_id: str
    question_id: str
    version: int
    right: bool
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class Correlation:
    """The square of a correlation is a fraction where the correlation itself is none."""

    squared: Fraction
    negative: bool

    def text(self) -> str:
        """With six digits after the point, rounded half to even."""
        scaled = _rounded_root(self.squared * 10 ** (2 * _DIGITS))
        whole, rest = divmod(scaled, 10**_DIGITS)
        return f"{'-' if self.negative and scaled else ''}{whole}.{rest:0{_DIGITS}}"


@dataclass(frozen=True, slots=True)
class ItemStatistics:
    """`difficulty` is the share that was right; None with too few answers.

    `discrimination` is None also where all answers or all rest scores are alike.
    """

    answers: int
    difficulty: Fraction | None
    discrimination: Correlation | None

    @property
    def review_key(self) -> bool:
        """Those who know the rest get this one wrong: its key may be wrong."""
        return self.discrimination is not None and self.discrimination.negative


NOTHING_ANSWERED = ItemStatistics(0, None, None)


def item_statistics(answers: Iterable[Answered]) -> dict[tuple[str, int], ItemStatistics]:
    """By question id and version, over all checks in which it was asked.

    `answers` must hold each counted attempt whole. The rest score is the number of right answers to
    the other questions of the same check, without withdrawn ones.
    """
    pairs: dict[tuple[str, int], list[tuple[bool, int]]] = defaultdict(list)
    for attempt in _attempts(answers).values():
        total = sum(each.right for each in attempt if not each.withdrawn)
        for each in attempt:
            rest = total - (each.right and not each.withdrawn)
            pairs[each.question_id, each.version].append((each.right, rest))
    return {version: _statistics(found) for version, found in pairs.items()}


def _statistics(pairs: Sequence[tuple[bool, int]]) -> ItemStatistics:
    n = len(pairs)
    if n < MINIMUM_ANSWERS:
        return ItemStatistics(n, None, None)
    difficulty = Fraction(sum(right for right, _ in pairs), n)
    return ItemStatistics(n, difficulty, point_biserial(pairs))


def point_biserial(pairs: Sequence[tuple[bool, int]]) -> Correlation | None:
    """Of (right, rest score): Pearson's, by population moments. None where one does not vary."""
    n = len(pairs)
    right = sum(x for x, _ in pairs)
    rest = sum(y for _, y in pairs)
    # Each n squared times the moment, so that nothing is divided.
    covariance = n * sum(y for x, y in pairs if x) - right * rest
    spread = (n * right - right**2) * (n * sum(y * y for _, y in pairs) - rest**2)
    return Correlation(Fraction(covariance**2, spread), covariance < 0) if spread else None


def reliabilities(answers: Iterable[Answered]) -> dict[str, Fraction | None]:
    """KR-20 by check, without withdrawn questions; None where there is too little to tell it."""
    by_check: dict[str, list[Mapping[str, bool]]] = defaultdict(list)
    for (check_id, _), attempt in _attempts(answers).items():
        by_check[check_id].append(
            {each.question_id: each.right for each in attempt if not each.withdrawn}
        )
    return {
        check_id: kr20(attempts) if len(attempts) >= MINIMUM_ANSWERS else None
        for check_id, attempts in by_check.items()
    }


def kr20(attempts: Sequence[Mapping[str, bool]]) -> Fraction | None:
    """Of what was right in each attempt; all must have the same questions.

    None with fewer than two questions, and where all totals are alike.
    """
    n, questions = len(attempts), attempts[0].keys()
    k = len(questions)
    totals = [sum(attempt.values()) for attempt in attempts]
    variance = n * sum(total**2 for total in totals) - sum(totals) ** 2  # times n squared
    if k < 2 or not variance:  # noqa: PLR2004  one question alone has nothing to agree with
        return None
    right = [sum(attempt[question] for attempt in attempts) for question in questions]
    within = sum(each * (n - each) for each in right)  # the sum of pq, times n squared
    return Fraction(k, k - 1) * (1 - Fraction(within, variance))


def _attempts(answers: Iterable[Answered]) -> dict[tuple[str, str], list[Answered]]:
    """One attempt of an agent counts for a check, so that the two name it."""
    found: dict[tuple[str, str], list[Answered]] = defaultdict(list)
    for each in answers:
        found[each.check_id, each.agent_id].append(each)
    return found


def _rounded_root(square: Fraction) -> int:
    """The integer nearest to the root, the even one of two; compared in squares."""
    below = isqrt(square.numerator // square.denominator)
    middle = Fraction((2 * below + 1) ** 2, 4)
    return below + (square > middle or (square == middle and below % 2 == 1))
