"""The text format 0.0.4, to the letter."""

import pytest

from vendorwatch.web.prometheus import Registry


def test_the_text() -> None:
    registry = Registry()
    uploads = registry.counter("uploads_total", "Uploads.", ("outcome",))
    uploads.add(2, "stored")
    uploads.add(1, 'od"d\\\n')
    registry.gauge("open", "Open.", lambda: 3)
    seconds = registry.histogram("seconds", "Time.", (0.5, 1), ("route",))
    for amount in (0.5, 0.75, 1, 7):
        seconds.observe(amount, "/a")
    assert registry.text() == (
        "# HELP open Open.\n"
        "# TYPE open gauge\n"
        "open 3\n"
        "# HELP seconds Time.\n"
        "# TYPE seconds histogram\n"
        'seconds_bucket{route="/a",le="0.5"} 1\n'
        'seconds_bucket{route="/a",le="1"} 3\n'
        'seconds_bucket{route="/a",le="+Inf"} 4\n'
        'seconds_sum{route="/a"} 9.25\n'
        'seconds_count{route="/a"} 4\n'
        "# HELP uploads_total Uploads.\n"
        "# TYPE uploads_total counter\n"
        'uploads_total{outcome="od\\"d\\\\\\n"} 1\n'
        'uploads_total{outcome="stored"} 2\n'
    )


def test_what_has_no_labels_is_there_from_the_start() -> None:
    registry = Registry()
    registry.counter("a_total", "A.")
    registry.histogram("b", "B.", (1,))
    lines = registry.text().splitlines()
    assert "a_total 0" in lines
    assert {'b_bucket{le="1"} 0', 'b_bucket{le="+Inf"} 0', "b_sum 0", "b_count 0"} <= set(lines)


def test_two_families_of_one_name() -> None:
    registry = Registry()
    registry.counter("a", "A.")
    with pytest.raises(ValueError, match="there already"):
        registry.gauge("a", "A.", lambda: 1)


def test_as_many_values_as_labels() -> None:
    registry = Registry()
    registry.counter("a", "A.", ("one",)).add(1, "x", "y")
    with pytest.raises(ValueError, match="zip"):
        registry.text()
