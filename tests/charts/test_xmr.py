from decimal import Decimal
from xml.etree import ElementTree as ET

from vendorwatch.charts.svg import CONCERN, GOOD, INK
from vendorwatch.charts.xmr import Mark, Xmr, XmrLine, XmrPoint, xmr

SVG = "{http://www.w3.org/2000/svg}"


def drawn(*values: str | None, marks: dict[int, Mark] | None = None, **what: XmrLine) -> ET.Element:
    points = [
        XmrPoint(f"2026-{at + 1:02}", Decimal(value) if value else None, (marks or {}).get(at))
        for at, value in enumerate(values)
    ]
    limits = [what[name] for name in ("lower", "upper") if name in what]
    data = Xmr("t & t", points, what.get("mean"), limits, what.get("target"))
    return ET.fromstring(xmr(data))  # noqa: S314  our own text


def level(value: str, digits: str = "") -> XmrLine:
    return XmrLine(Decimal(value), digits)


def texts(picture: ET.Element) -> list[str]:
    return [text.text or "" for text in picture.iter(f"{SVG}text")]


def heights(picture: ET.Element, **wanted: str) -> list[float]:
    return [
        float(line.get("y1", ""))
        for line in picture.iter(f"{SVG}line")
        if line.get("x1") == "4"
        and all(line.get(name.replace("_", "-")) == value for name, value in wanted.items())
    ]


def test_limits_are_dashed_and_the_target_is_the_heaviest_line() -> None:
    picture = drawn(
        "0.8", "0.9", mean=level("0.85"), lower=level("0.7"), upper=level("1"), target=level("0.95")
    )

    upper, lower = sorted(heights(picture, stroke_dasharray="3 2"))
    [target] = heights(picture, stroke=INK)
    [mean] = heights(picture, stroke_dasharray="none", stroke_width="0.6")
    assert upper < target < mean < lower


def test_a_gap_breaks_the_line() -> None:
    segments = list(drawn("1", "2", None, "3").iter(f"{SVG}line"))

    assert len(segments) == 1
    assert len(list(drawn("1", "2", None, "3").iter(f"{SVG}circle"))) == 3


def test_each_mark_has_a_shape_of_its_own() -> None:
    plain = drawn("1", "2", "3")
    shapes = {
        mark: [
            (each.tag.removeprefix(SVG), each.get("fill"))
            for each in drawn("1", "2", "3", marks={2: mark})
            if each.get("fill") in {GOOD, CONCERN, INK} and each.tag != f"{SVG}text"
        ]
        for mark in ("improving", "worsening", "changed")
    }

    assert shapes == {
        "improving": [("circle", GOOD)],
        "worsening": [("path", CONCERN)],
        "changed": [("rect", INK)],
    }
    assert {circle.get("fill") for circle in plain.iter(f"{SVG}circle")} == {"#ffffff"}


def test_levels_that_lie_close_keep_their_digits_apart() -> None:
    picture = drawn("0.9", "0.91", mean=level("0.9051", "90.5%"), target=level("0.905", "90.50%"))
    places = [
        float(text.get("y", ""))
        for text in picture.iter(f"{SVG}text")
        if (text.text or "").endswith("%")
    ]

    assert len(places) == 2
    assert abs(places[0] - places[1]) >= 7


def test_the_first_and_the_last_month_are_told_and_not_all_of_a_year() -> None:
    months = texts(drawn(*map(str, range(12))))

    assert "2026-12" in months
    assert len(months) <= 4
    assert texts(drawn("1", "2")) == ["2026-02", "2026-01"]


def test_it_can_be_drawn_without_anything() -> None:
    assert drawn(None, None).findtext(f"{SVG}title") == "t & t"
    assert drawn("5").findtext(f"{SVG}title") == "t & t"
