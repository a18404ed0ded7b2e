from decimal import Decimal
from xml.etree import ElementTree as ET

from vendorwatch.charts.bullet import WIDTH, Bullet, bullet
from vendorwatch.charts.svg import CONCERN, GOOD, NEUTRAL

SVG = "{http://www.w3.org/2000/svg}"
HALF = Decimal("0.5")


def drawn(**what: object) -> ET.Element:
    return ET.fromstring(bullet(Bullet(**{"title": "t", "top": Decimal(1), **what})))  # type: ignore[arg-type]  # noqa: S314  # named fields of a test; our own text


def bar(picture: ET.Element) -> ET.Element:
    [found] = [rect for rect in picture.iter(f"{SVG}rect") if rect.get("height") == "6"]
    return found


def test_the_bar_is_as_long_as_the_value_on_a_scale_from_zero() -> None:
    assert float(bar(drawn(value=Decimal("0.25"))).get("width", "")) == WIDTH / 4


def test_a_value_beyond_the_scale_stays_in_the_picture() -> None:
    assert float(bar(drawn(value=Decimal(7))).get("width", "")) == WIDTH


def test_colour_tells_only_what_is_clear() -> None:
    colours = [bar(drawn(value=HALF, signal=signal)).get("fill") for signal in (True, False, None)]

    assert colours == [GOOD, CONCERN, NEUTRAL]


def test_bands_turn_round_where_less_is_better() -> None:
    more = drawn(target=Decimal("0.9"), floor=Decimal("0.6"))
    less = drawn(target=Decimal("0.1"), floor=Decimal("0.4"))
    shades = [[rect.get("fill") for rect in picture.iter(f"{SVG}rect")] for picture in (more, less)]

    assert shades[0] == shades[1][::-1]
    assert len(set(shades[0])) == 3


def test_what_was_not_reached_runs_off_the_scale() -> None:
    [shape] = drawn(endless=True).iter(f"{SVG}path")

    assert f"L{WIDTH:g} 8" in shape.get("d", "")


def test_an_open_interval_ends_at_the_edge_without_a_cap() -> None:
    closed = list(drawn(interval=(Decimal("0.2"), HALF)).iter(f"{SVG}line"))
    open_ended = list(drawn(interval=(Decimal("0.2"), None)).iter(f"{SVG}line"))

    assert float(closed[0].get("x2", "")) == WIDTH / 2
    assert float(open_ended[0].get("x2", "")) == WIDTH
    assert len(open_ended) == len(closed) - 1


def test_the_alternative_text_is_escaped() -> None:
    picture = drawn(title='<script>"&')

    assert picture.findtext(f"{SVG}title") == '<script>"&'


def test_an_empty_scale_draws_nothing_to_divide_by() -> None:
    assert float(bar(drawn(top=Decimal(0), value=Decimal(0))).get("width", "")) == 0
