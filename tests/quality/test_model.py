"""What a review is worth."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendorwatch.quality.model import fraction_text, judged, share
from vendorwatch.quality.record import NOT_APPLICABLE, Criterion

weights = st.decimals(0, 100, places=2)
maxima = st.decimals("0.01", 1000, places=2)


def criterion(
    name: str, weight: str = "1", maximum: str = "1", *, critical: bool = False
) -> Criterion:
    return Criterion(
        criterion_id=name, title=name, weight=weight, maximum=maximum, critical=critical
    )


@st.composite
def marked(draw: st.DrawFn) -> list[tuple[Criterion, Decimal | None]]:
    """Criteria, each with a score up to its maximum, or None for not applicable."""
    found: list[tuple[Criterion, Decimal | None]] = []
    for index in range(draw(st.integers(1, 6))):
        maximum = draw(maxima)
        score = draw(st.none() | st.decimals(0, maximum, places=2))
        made = criterion(str(index), str(draw(weights)), str(maximum), critical=draw(st.booleans()))
        found.append((made, score))
    return found


def scores_of(marks: list[tuple[Criterion, Decimal | None]]) -> dict[str, str]:
    return {
        each.criterion_id: NOT_APPLICABLE if score is None else str(score) for each, score in marks
    }


def naive(marks: list[tuple[Criterion, Decimal | None]]) -> Fraction | None:
    """In integers of hundredths, by hand."""
    top, bottom, failed = Fraction(0), 0, False
    for each, score in marks:
        if score is None:
            continue
        weight, maximum, got = (int(Decimal(x) * 100) for x in (each.weight, each.maximum, score))
        top += Fraction(weight * got, maximum)
        bottom += weight
        failed = failed or (each.critical and 2 * got < maximum)
    if bottom == 0:
        return None
    return Fraction(0) if failed else top / bottom


@given(marked())
def test_a_share_is_what_one_gets_by_hand(marks: list[tuple[Criterion, Decimal | None]]) -> None:
    criteria, expected = [each for each, _ in marks], naive(marks)
    if expected is None:
        with pytest.raises(ValueError, match="weight"):
            share(criteria, scores_of(marks))
    else:
        found = share(criteria, scores_of(marks))
        assert found == expected
        assert 0 <= found <= 1


@given(marked(), st.data())
def test_a_better_score_never_lowers_the_share(
    marks: list[tuple[Criterion, Decimal | None]], data: st.DataObject
) -> None:
    before = naive(marks)
    if before is None:
        return
    index = data.draw(st.sampled_from([i for i, (_, s) in enumerate(marks) if s is not None]))
    each, score = marks[index]
    better = data.draw(st.decimals(score or 0, Decimal(each.maximum), places=2))
    raised = [*marks[:index], (each, better), *marks[index + 1 :]]
    assert share([c for c, _ in marks], scores_of(raised)) >= before


def test_tenths_add_up_exactly() -> None:
    """In binary floats 0.1 + 0.2 is more than 0.3."""
    criteria = [criterion("a", "0.1"), criterion("b", "0.2"), criterion("c", "0.7")]
    scores = {"a": "1", "b": "1", "c": "0"}
    assert share(criteria, scores) == Fraction(3, 10)
    thirds = [criterion("a", maximum="0.3"), criterion("b", maximum="3")]
    assert share(thirds, {"a": "0.1", "b": "2"}) == Fraction(1, 2)


@pytest.mark.parametrize(
    ("score", "expected"),
    [("0.149999", Fraction(0)), ("0.15", Fraction(3, 4)), ("not_applicable", Fraction(1))],
)
def test_less_than_half_of_a_critical_one_makes_it_nothing(score: str, expected: Fraction) -> None:
    criteria = [criterion("tone"), criterion("privacy", maximum="0.3", critical=True)]
    scores = {"tone": "1", "privacy": score}
    assert share(criteria, scores) == expected
    assert [each.failed for each in judged(criteria, scores)] == [False, expected == 0]


def test_a_gate_needs_no_weight() -> None:
    criteria = [criterion("tone"), criterion("privacy", weight="0", critical=True)]
    assert share(criteria, {"tone": "1", "privacy": "1"}) == 1
    assert share(criteria, {"tone": "1", "privacy": "0"}) == 0


def test_a_longest_share_can_be_stored() -> None:
    """Fifty criteria of ten different maxima with six decimals, all prime."""
    primes = "999.999937 999.999929 999.999893 999.999883 999.999797 999.999761 999.999757"
    primes += " 999.999751 999.999739 999.999733"
    criteria = [
        criterion(str(index), "9999.99", maximum)
        for index, maximum in enumerate(primes.split() * 5)
    ]
    found = share(criteria, {each.criterion_id: "0.000001" for each in criteria})
    assert 100 < len(fraction_text(found)) <= 200
