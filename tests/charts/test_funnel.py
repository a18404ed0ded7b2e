from decimal import Decimal
from xml.etree import ElementTree as ET

from vendorwatch.charts.funnel import Funnel, FunnelPoint, Outside, funnel
from vendorwatch.charts.svg import CONCERN, GOOD, INK, NEUTRAL

SVG = "{http://www.w3.org/2000/svg}"


def point(
    cases: int,
    rate: str,
    outside: Outside | None = None,
    *,
    good: bool | None = None,
    tag: str = "",
) -> FunnelPoint:
    half = Decimal(1) / Decimal(cases).sqrt()
    middle = Decimal("0.8")
    return FunnelPoint(
        cases,
        Decimal(rate),
        (middle - half, middle + half),
        (middle - 2 * half, middle + 2 * half),
        outside,
        good,
        tag,
    )


CROWD = (point(100, "0.79"), point(400, "0.81"), point(200, "0.80"))


def drawn(*points: FunnelPoint) -> ET.Element:
    data = Funnel(
        title="<funnel>",
        points=points,
        mean=Decimal("0.8"),
        mean_digits="80.0%",
        digits_95="95%",
        digits_99_8="99.8%",
        percent=lambda rate: f"{rate * 100:.0f}%",
        count=str,
    )
    return ET.fromstring(funnel(data))  # noqa: S314  our own text


def texts(picture: ET.Element) -> list[str]:
    return [text.text or "" for text in picture.iter(f"{SVG}text")]


def test_limits_run_from_point_to_point_and_narrow_with_the_cases() -> None:
    lines = list(drawn(*CROWD).iter(f"{SVG}polyline"))
    places = [
        [tuple(map(float, pair.split(","))) for pair in line.get("points", "").split()]
        for line in lines
    ]

    assert len(lines) == 4
    assert {len(line) for line in places} == {len(CROWD)}
    assert [x for x, _ in places[0]] == sorted(x for x, _ in places[0])
    low, high = places[0], places[1]
    assert low[0][1] - high[0][1] > low[-1][1] - high[-1][1]
    assert {line.get("stroke-dasharray") for line in lines} == {"none", "3 2"}


def test_who_is_outside_has_another_shape_and_not_only_another_colour() -> None:
    picture = drawn(
        *CROWD, point(150, "0.3", "99.8", good=False), point(300, "0.9", "95", good=True)
    )
    shapes = [(path.get("fill"), path.get("d", "")) for path in picture.iter(f"{SVG}path")]

    assert [fill for fill, _ in shapes] == [CONCERN, GOOD]
    assert shapes[0][1].count("l") == 3  # a diamond
    assert "h" in shapes[1][1]  # a triangle
    assert [dot.get("fill") for dot in picture.iter(f"{SVG}circle")] == [NEUTRAL] * 3


def test_nobody_has_said_what_is_good() -> None:
    [path] = drawn(*CROWD, point(150, "0.3", "99.8")).iter(f"{SVG}path")

    assert path.get("fill") == INK


def test_a_letter_stands_beside_its_point_and_no_name_in_the_picture() -> None:
    assert "A" in texts(drawn(*CROWD, point(150, "0.3", "99.8", tag="A")))


def test_axes_tell_the_fewest_and_the_most_cases_and_round_rates() -> None:
    told = texts(drawn(*CROWD))

    assert {"100", "400", "n"} <= set(told)
    assert {"80%", "70%"} <= set(told)
    assert "-0%" not in texts(drawn(*CROWD, point(150, "0")))


def test_agents_with_the_same_number_of_cases_can_be_drawn() -> None:
    picture = drawn(point(100, "0.8"), point(100, "0.8"), point(100, "0.7"))

    assert len(list(picture.iter(f"{SVG}circle"))) == 3
    assert picture.findtext(f"{SVG}title") == "<funnel>"
