import re
from decimal import Decimal

import pytest

from vendorwatch.charts.strip import HEIGHT, WIDTH, Axis, Strip, Times, strip

AXIS = Axis.around([Decimal(30), Decimal(3000)])
D = Decimal


def paths(svg: str, colour: str) -> list[str]:
    return re.findall(rf'<path d="([^"]*)" fill="{colour}"/>', svg)


@pytest.mark.parametrize(
    ("seconds", "ticks"),
    [
        (["30", "3000"], ["10", "60", "600", "3600"]),
        (["0.2"], ["1", "10", "60"]),
        (["60"], ["60", "600", "3600"]),
        (["90000000"], ["604800", "2592000", "31536000"]),
    ],
)
def test_the_axis_runs_between_round_durations(seconds: list[str], ticks: list[str]) -> None:
    assert list(Axis.around([*map(D, seconds)]).ticks) == [*map(D, ticks)]


def test_steps_of_the_axis_are_factors_and_nothing_leaves_it() -> None:
    axis = Axis((D(1), D(10), D(100)))
    assert [axis.at(D(text)) for text in ("1", "10", "100")] == [0.0, 0.5, 1.0]
    assert [axis.at(D(text)) for text in ("0", "0.01", "5000")] == [0.0, 0.0, 1.0]


def test_in_time_grows_up_and_late_grows_down_by_their_number() -> None:
    times = [Times(D(60), D(73), 10, 0), Times(D(600), D(727), 5, 2)]
    svg = strip(Strip("t", AXIS, times, tallest=10, targets=[D(600)]))
    [in_time] = paths(svg, "#0b6e99")
    [late] = paths(svg, "#c2410c")
    up = [float(each) for each in re.findall(r"v(-?[\d.]+)", in_time)]
    down = [float(each) for each in re.findall(r"v(-?[\d.]+)", late)]
    assert up[0] == pytest.approx(2 * up[1])
    assert all(each < 0 for each in up)
    assert all(0 < each <= HEIGHT / 2 for each in down)
    for path in (in_time, late):
        places = [float(each) for each in re.findall(r"M([\d.]+)", path)]
        assert all(0 <= each <= WIDTH for each in places)


def test_one_is_seen_beside_thousands() -> None:
    svg = strip(Strip("t", AXIS, [Times(D(60), D(73), 5000, 1)], tallest=5000))
    [late] = paths(svg, "#c2410c")
    assert float(re.findall(r"v([\d.]+)", late)[0]) > 2


def test_a_target_is_drawn_once_and_the_title_is_safe() -> None:
    svg = strip(Strip("<b>", AXIS, [], tallest=1, targets=[D(60), D(60)]))
    assert svg.count('stroke="#111827"') == 1
    assert "<title>&lt;b&gt;</title>" in svg
