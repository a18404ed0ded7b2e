"""XmR charts: a published example, each rule on its own, and what must not matter."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vendorwatch.scoring.xmr import Assurance, Chart, Direction, Limits, Rule, Signal, chart

Values = list[Fraction | None]


def values(text: str) -> Values:
    """Numbers as written; a dash is a month without a value."""
    return [None if word == "-" else Fraction(word) for word in text.split()]


def drawn(text: str, *, more_is_better: bool = True, target: str | None = None) -> Chart:
    aim = None if target is None else Fraction(target)
    return chart(values(text), more_is_better=more_is_better, target=aim)


def signalled(found: Chart, rule: Rule, direction: Direction) -> list[int]:
    wanted = Signal(rule, direction)
    return [at for at, signals in enumerate(found.signals) if wanted in signals]


def test_limits_as_published() -> None:
    # NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2.2: flow rate of ten batches. Its limits
    # are 55.8041 and 45.8159 with 3 / 1.128 in the place of Wheeler and Chambers' rounded 2.66.
    found = drawn("49.6 47.6 49.9 51.3 47.8 51.2 52.6 52.4 53.6 52.1")
    assert found.limits is not None
    mean, lower, upper = found.limits.mean, found.limits.lower, found.limits.upper
    assert mean == Fraction("50.81")
    mean_range = (upper - mean) / Fraction("2.66")
    assert f"{float(mean_range):.4f}" == "1.8778"
    assert upper - mean == mean - lower
    sigmas = 3 / Fraction("1.128") * mean_range
    assert (f"{float(mean + sigmas):.4f}", f"{float(mean - sigmas):.4f}") == ("55.8041", "45.8159")
    assert (f"{float(upper):.3f}", f"{float(lower):.3f}") == ("55.805", "45.815")
    assert found.trial
    assert found.signals == ((),) * 10
    assert found.variation == "common_cause"


def test_a_month_outside_the_limits() -> None:
    # Moving ranges: twelve of 2, then 13 up to the spike and 11 down; mean 11.8, limits 2.7 to 20.9.
    found = drawn("10 12 10 12 10 12 10 23 12 10 12 10 12 10 12")
    assert signalled(found, "outside", "up") == [7]
    assert signalled(found, "outside", "down") == []
    assert found.variation == "common_cause"
    assert not found.trial


def test_the_limit_itself_is_not_outside() -> None:
    turns = values("10 12 " * 5)
    # x - (110 + x) / 11 = 2.66 (18 + x - 12) / 10: the last month lies on its own upper limit.
    factor = Fraction("0.266")
    x = (10 + 6 * factor) / (Fraction(10, 11) - factor)
    found = chart([*turns, x], more_is_better=True)
    assert found.limits is not None
    assert found.limits.upper == x
    assert signalled(found, "outside", "up") == []
    beyond = chart([*turns, x + Fraction(1, 10**20)], more_is_better=True)
    assert signalled(beyond, "outside", "up") == [10]


def test_months_that_do_not_differ_signal_nothing() -> None:
    flat = drawn("5 5 5 5 5 5 5 5")
    assert flat.limits == Limits(Fraction(5), Fraction(5), Fraction(5))
    assert flat.signals == ((),) * 8


def test_seven_months_on_one_side() -> None:
    low, high = "1 2 1 2 1 2 1", "5 6 5 6 5 6 5"
    found = drawn(f"{low} {high}")
    assert signalled(found, "run_of_7", "down") == list(range(7))
    assert signalled(found, "run_of_7", "up") == list(range(7, 14))
    assert found.variation == "improving"
    assert drawn(f"{low} {high}", more_is_better=False).variation == "worsening"


def test_six_months_on_one_side_or_a_month_on_the_mean_are_not_enough() -> None:
    six = drawn("1 2 1 2 1 2 5 6 5 6 5 6")
    assert signalled(six, "run_of_7", "up") == []
    exactly = drawn("2 2 2 3 2 2 2 4 4 4 3 4 4 4")
    assert exactly.limits is not None
    assert exactly.limits.mean == 3
    assert signalled(exactly, "run_of_7", "up") == []
    assert signalled(exactly, "run_of_7", "down") == []


def test_seven_months_rising_take_six_rises() -> None:
    assert signalled(drawn("9 1 2 3 4 5 6 7 0"), "trend_of_7", "up") == list(range(1, 8))
    assert signalled(drawn("9 1 2 3 4 5 6 0"), "trend_of_7", "up") == []
    assert signalled(drawn("9 1 2 3 3 4 5 6 7"), "trend_of_7", "up") == []
    assert signalled(drawn("0 7 6 5 4 3 2 1"), "trend_of_7", "down") == list(range(1, 8))


def test_a_peak_ends_one_trend_and_begins_the_other() -> None:
    found = drawn("1 2 3 4 5 6 7 6 5 4 3 2 1")
    assert signalled(found, "trend_of_7", "up") == list(range(7))
    assert signalled(found, "trend_of_7", "down") == list(range(6, 13))


def test_two_of_three_near_the_same_limit() -> None:
    quiet = "0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2"
    found = drawn(f"{quiet} 7 1 7")
    assert found.limits is not None
    near = found.limits.mean + Fraction(2, 3) * (found.limits.upper - found.limits.mean)
    assert near < 7 < found.limits.upper
    assert signalled(found, "two_of_three", "up") == [16, 18]
    assert found.variation == "improving"
    assert signalled(drawn(f"{quiet} 7 1 1 7"), "two_of_three", "up") == []
    assert signalled(drawn(f"{quiet} 7"), "two_of_three", "up") == []
    opposite = drawn(f"{quiet} 8 1 -6")
    assert signalled(opposite, "two_of_three", "up") == []
    assert signalled(opposite, "two_of_three", "down") == []


def test_a_gap_breaks_moving_ranges_runs_trends_and_windows() -> None:
    gap = drawn("1 2 - 12 11")
    assert gap.limits is not None
    assert gap.limits.mean == Fraction(26, 4)
    assert gap.limits.upper - gap.limits.mean == Fraction("2.66")  # ranges 1 and 1, not 10
    assert gap.signals[2] == ()
    assert signalled(drawn("9 1 2 3 4 - 5 6 7 8 0"), "trend_of_7", "up") == []
    assert signalled(drawn("1 1 1 1 - 1 1 1 9 9 8 9 - 9 9 8"), "run_of_7", "down") == []
    quiet = "0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2"
    assert signalled(drawn(f"{quiet} 7 - 7"), "two_of_three", "up") == []


def test_a_newest_month_without_a_value_has_no_variation() -> None:
    found = drawn("1 2 3 4 5 6 7 -", target="0")
    assert found.variation is None
    assert found.assurance is not None


def test_a_rising_trend_is_heeded_before_the_side_of_the_mean() -> None:
    found = drawn("60 99 60 99 60 99 60 99 50 51 52 53 54 55 56")
    assert [signal.rule for signal in found.signals[-1]] == ["trend_of_7", "run_of_7"]
    assert {signal.direction for signal in found.signals[-1]} == {"up", "down"}
    assert found.variation == "improving"


@pytest.mark.parametrize("text", ["", "-", "5", "- 5 -", "5 - 6 - 7"])
def test_no_limits_before_two_months_in_a_row(text: str) -> None:
    found = drawn(text, target="5")
    assert found == Chart(None, True, ((),) * len(text.split()), None, None)


@pytest.mark.parametrize(("months", "trial"), [(11, True), (12, False)])
def test_twelve_months_with_values_end_the_trial(months: int, trial: bool) -> None:
    assert drawn("1 2 " * 5 + "- " * 3 + "1 " * (months - 10)).trial is trial


# Ten months of 10 and 12 in turn: mean 11, moving range 2, limits 5.68 and 16.32.
@pytest.mark.parametrize(
    ("target", "more", "less"),
    [
        ("5", "will_pass", "will_fail"),
        ("5.68", "will_pass", "hit_and_miss"),  # a value on the target meets it
        ("5.69", "hit_and_miss", "hit_and_miss"),
        ("11", "hit_and_miss", "hit_and_miss"),
        ("16.32", "hit_and_miss", "will_pass"),
        ("17", "will_fail", "will_pass"),
    ],
)
def test_assurance(target: str, more: Assurance, less: Assurance) -> None:
    turns = "10 12 " * 5
    assert drawn(turns, target=target).assurance == more
    assert drawn(turns, target=target, more_is_better=False).assurance == less


def test_no_target_no_assurance() -> None:
    assert drawn("10 12 10").assurance is None


def test_limits_are_clipped_for_drawing_only() -> None:
    found = drawn("0.9 1 0.9 1 0.9 1", target="1")
    assert found.limits is not None
    assert found.limits.upper == Fraction("1.216")
    assert found.limits.shown(Fraction(0), Fraction(1)) == (found.limits.lower, Fraction(1))
    assert found.assurance == "hit_and_miss"


months = st.lists(st.none() | st.integers(0, 9).map(Fraction), max_size=30)


Marks = list[set[Signal]]


def by_windows(points: Values, limits: Limits) -> Marks:
    """The rules again, as windows of 7 and 3 that hold the point."""
    marks: Marks = [set() for _ in points]
    mark_upward(points, limits.mean, limits.upper, "up", marks)
    mirrored = [None if p is None else -p for p in points]
    mark_upward(mirrored, -limits.mean, -limits.lower, "down", marks)
    return marks


def mark_upward(
    points: Values, mean: Fraction, limit: Fraction, direction: Direction, marks: Marks
) -> None:
    for start, first in enumerate(points):
        seven = [p for p in points[start : start + 7] if p is not None]
        if len(seven) == 7:
            rules: dict[Rule, bool] = {
                "run_of_7": min(seven) > mean,
                "trend_of_7": seven == sorted(set(seven)),
            }
            held = {Signal(rule, direction) for rule, holds in rules.items() if holds}
            for at in range(start, start + 7):
                marks[at] |= held
        three = [p for p in points[start : start + 3] if p is not None]
        close = [at for at, p in enumerate(three, start) if p - mean > (limit - mean) * 2 / 3]
        if len(three) == 3 and len(close) > 1:
            for at in close:
                marks[at].add(Signal("two_of_three", direction))
        if first is not None and first > limit:
            marks[start].add(Signal("outside", direction))


@settings(max_examples=200, deadline=None)
@given(months)
def test_the_rules_equal_a_naive_reading_of_them(points: Values) -> None:
    found = chart(points, more_is_better=True)
    if found.limits is not None:
        assert [set(signals) for signals in found.signals] == by_windows(points, found.limits)


@settings(max_examples=60, deadline=None)
@given(months, st.integers(1, 50), st.integers(-50, 50), st.integers(0, 9))
def test_neither_unit_nor_zero_matters(points: Values, unit: int, zero: int, target: int) -> None:
    moved = [None if p is None else p / unit + zero for p in points]
    aim = Fraction(target)
    found = chart(points, more_is_better=True, target=aim)
    other = chart(moved, more_is_better=True, target=aim / unit + zero)
    assert (found.signals, found.variation, found.assurance, found.trial) == (
        other.signals,
        other.variation,
        other.assurance,
        other.trial,
    )


@settings(max_examples=60, deadline=None)
@given(months, st.integers(0, 9))
def test_less_is_better_is_more_is_better_in_the_mirror(points: Values, target: int) -> None:
    mirrored = [None if p is None else -p for p in points]
    found = chart(points, more_is_better=False, target=Fraction(target))
    other = chart(mirrored, more_is_better=True, target=Fraction(-target))
    assert (found.variation, found.assurance) == (other.variation, other.assurance)
