"""A word-sized line of months, oldest first, with a dot on the last one."""

from collections.abc import Sequence
from decimal import Decimal

from vendorwatch.charts.svg import INK, NEUTRAL, element, picture

WIDTH, HEIGHT = 60.0, 16.0
_MARGIN = 3.0


def sparkline(title: str, values: Sequence[Decimal | None]) -> str:
    """A month without a value breaks the line. The scale runs from the least to the greatest."""
    known = [value for value in values if value is not None]
    low, high = (min(known), max(known)) if known else (Decimal(0), Decimal(0))
    points = [_point(index, len(values), value, low, high) for index, value in enumerate(values)]
    parts = [
        element(
            "polyline",
            points=" ".join(f"{x:.2f},{y:.2f}" for x, y in run),
            fill="none",
            stroke=NEUTRAL,
            stroke_width=1,
        )
        for run in _runs(points)
        if len(run) > 1
    ]
    parts += [
        element("circle", cx=run[0][0], cy=run[0][1], r=0.8, fill=NEUTRAL)
        for run in _runs(points)
        if len(run) == 1
    ]
    if points and points[-1] is not None:
        parts.append(element("circle", cx=points[-1][0], cy=points[-1][1], r=2, fill=INK))
    return picture(WIDTH, HEIGHT, title, *parts, name="sparkline")


def _point(
    index: int, count: int, value: Decimal | None, low: Decimal, high: Decimal
) -> tuple[float, float] | None:
    if value is None:
        return None
    across = index / (count - 1) if count > 1 else 1.0
    up = float((value - low) / (high - low)) if high > low else 0.5
    return (
        _MARGIN + across * (WIDTH - 2 * _MARGIN),
        HEIGHT - _MARGIN - up * (HEIGHT - 2 * _MARGIN),
    )


def _runs(points: Sequence[tuple[float, float] | None]) -> list[list[tuple[float, float]]]:
    runs: list[list[tuple[float, float]]] = [[]]
    for point in points:
        if point is None:
            runs.append([])
        else:
            runs[-1].append(point)
    return [run for run in runs if run]
