from decimal import Decimal
from xml.etree import ElementTree as ET

from vendorwatch.charts.sparkline import HEIGHT, sparkline
from vendorwatch.charts.svg import INK

SVG = "{http://www.w3.org/2000/svg}"


def drawn(*values: int | None) -> ET.Element:
    decimals = [None if value is None else Decimal(value) for value in values]
    return ET.fromstring(sparkline("Score", decimals))  # noqa: S314 - our own text


def test_later_is_further_right_and_more_is_higher() -> None:
    [line] = drawn(1, 2, 4).iter(f"{SVG}polyline")
    points = [tuple(map(float, pair.split(","))) for pair in line.get("points", "").split()]

    assert [x for x, _ in points] == sorted(x for x, _ in points)
    assert [y for _, y in points] == sorted((y for _, y in points), reverse=True)


def test_an_unknown_month_breaks_the_line() -> None:
    picture = drawn(1, 2, None, 4, 5)

    assert len(list(picture.iter(f"{SVG}polyline"))) == 2


def test_a_lone_month_is_still_seen() -> None:
    assert len(list(drawn(3, None, 4).iter(f"{SVG}circle"))) == 3  # two lone ones, and the last dot


def test_the_last_dot_judges_nothing() -> None:
    """Blue and orange are for what is clearly good or bad, and a line says neither."""
    assert [each.get("fill") for each in drawn(4, 2).iter(f"{SVG}circle")] == [INK]


def test_the_last_dot_is_missing_when_the_last_month_is() -> None:
    assert [circle.get("r") for circle in drawn(1, 2, None).iter(f"{SVG}circle")] == []


def test_equal_months_run_through_the_middle() -> None:
    [dot] = drawn(5, 5).iter(f"{SVG}circle")

    assert float(dot.get("cy", "")) == HEIGHT / 2
