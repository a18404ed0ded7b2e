"""What the mix of contacts explains."""

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from vendorwatch.scoring.casemix import CaseMix

STRATA = {("chat", None): (90, 100), ("email", "refund"): (30, 60), ("phone", "refund"): (0, 0)}


def test_case_mix_by_hand() -> None:
    # 10 easy and 6 hard ones: 9 + 3 expected, 12 of 16 observed: just what the mix explains.
    mix = CaseMix.of(STRATA)
    assert mix is not None
    strata, units = [("chat", None), ("email", "refund")], [10, 6]
    assert mix.adjusted_text(12, strata, units) == "0.750000"
    assert mix.adjusted_text(0, strata, units) == "0.000000"
    assert mix.adjusted_text(6, [("email", "refund")], [6]) == "1.500000"
    assert mix.adjusted_text(0, [], []) is None
    assert CaseMix.of({("phone", "refund"): (0, 0)}) is None


positive = st.integers(1, 900).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.integers(0, 40), st.tuples(positive, st.integers(0, 60)), min_size=1),
    st.integers(0, 500),
)
def test_the_quick_adjustment_equals_the_plain_one(
    strata: dict[int, tuple[tuple[int, int], int]], observed: int
) -> None:
    mix = CaseMix.of({key: counts for key, (counts, _) in strata.items()})
    assert mix is not None
    expected = sum((Fraction(k * own, n) for (k, n), own in strata.values()), Fraction(0))
    plain = mix.pooled * observed / expected if expected else None
    text = mix.adjusted_text(observed, strata, [own for _, own in strata.values()])
    if plain is None:
        assert text is None
    else:
        assert text is not None
        assert Fraction(text) == Fraction(round(plain * 10**6), 10**6)
