from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendorwatch.charts.scale import Scale, apart, around, ticks


def test_what_lies_beyond_stays_at_the_edge() -> None:
    scale = Scale(Decimal(0), Decimal(10), 100, 0)

    assert [scale.at(Decimal(value)) for value in (-5, 0, 5, 10, 15)] == [100, 100, 50, 0, 0]


def test_equal_values_stand_in_the_middle() -> None:
    scale = around([Decimal(7), Decimal(7)], 0, 100, air=Decimal("0.1"))

    assert scale.at(Decimal(7)) == 50


@pytest.mark.parametrize(
    ("least", "most", "expected"),
    [
        ("0", "1", ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        ("0.83", "0.97", ["0.85", "0.90", "0.95"]),
        ("-0.013", "0.17", ["0.00", "0.05", "0.10", "0.15"]),
    ],
)
def test_ticks_are_round_numbers(least: str, most: str, expected: list[str]) -> None:
    found = [*ticks(Scale(Decimal(least), Decimal(most), 0, 1), 5)]

    assert found == [Decimal(each) for each in expected]
    assert not any(each.is_signed() for each in found)


@given(st.lists(st.floats(0, 90), max_size=8))
def test_labels_are_apart_in_their_order_and_in_the_picture(places: list[float]) -> None:
    moved = apart(places, 7, 100)
    order = sorted(range(len(places)), key=lambda index: places[index])
    heights = [moved[index] for index in order]

    assert all(b - a >= 7 - 1e-9 for a, b in pairwise(heights))
    assert all(height <= 100 for height in heights)
