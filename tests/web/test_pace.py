"""A floor under how slowly a body may come."""

from hypothesis import given
from hypothesis import strategies as st

from vendorwatch.web.pace import Pace


def test_a_sender_that_stops_is_waited_for_as_long_as_the_grace() -> None:
    pace = Pace(floor=1_000, grace=30)
    pace.note(10_000_000, 1)
    assert pace.patience == 30  # much at once buys no more than that
    pace.note(0, 29)
    assert not pace.is_too_slow
    pace.note(0, 1)
    assert pace.is_too_slow


def test_a_drip_is_too_slow() -> None:
    pace = Pace(floor=1_024, grace=30)
    seconds = 0
    while not pace.is_too_slow:
        pace.note(100, 1)
        seconds += 1
    assert 30 <= seconds <= 35


@given(
    st.lists(st.tuples(st.floats(0.01, 9), st.floats(1, 5)), max_size=200),
)
def test_whoever_keeps_the_floor_is_never_closed(chunks: list[tuple[float, float]]) -> None:
    pace = Pace(floor=1_000, grace=10)
    for waited, speed in chunks:
        pace.note(int(waited * speed * 1_000) + 1, waited)
        assert not pace.is_too_slow


def test_without_a_floor_there_is_no_hurry() -> None:
    pace = Pace(floor=0, grace=30)
    pace.note(0, 1e9)
    assert pace.patience is None
    assert not pace.is_too_slow
