"""What a receipt says of flagged rows does not depend on who read which of them."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from vendorwatch.interactions.flags import Flag, Flagged, told
from vendorwatch.interactions.model import Tally

NAMES = [f"extra.{n:02}" for n in range(14)]
flagged_rows = st.lists(st.sets(st.sampled_from(NAMES), min_size=1, max_size=4), max_size=30)


def tallies(rows: Sequence[set[str]], readers: int) -> list[Tally]:
    shares = [Tally() for _ in range(readers)]
    for number, fields in enumerate(rows, start=1):
        shares[number % readers].flag("pii-in-text", number, fields)
    return shares


@given(flagged_rows, st.integers(2, 4))
def test_several_readers_flag_as_one_would(rows: list[set[str]], readers: int) -> None:
    (one,) = tallies(rows, 1)
    several = Tally.of_all(tallies(rows, readers))
    assert several.flags == one.flags
    assert several.warnings == one.warnings


def test_rows_are_counted_and_fields_named() -> None:
    flags: dict[Flag, Flagged] = {"direction-controls": Flagged(), "pii-in-text": Flagged()}
    flags["pii-in-text"].note(3, {"topic", "extra.subject"})
    flags["pii-in-text"].note(4, {"topic"})
    flags["direction-controls"].note(3, {"agent_id"})
    personal, turned = told(flags)
    assert personal.startswith("pii-in-text: 2 rows hold ")
    assert "(extra.subject, topic)" in personal
    assert turned.startswith("direction-controls: 1 row holds ")
    assert "(agent_id)" in turned
    assert told({}) == ()


def test_the_first_ten_fields_are_named() -> None:
    flagged = Flagged()
    flagged.note(1, NAMES[5:])
    flagged.note(2, NAMES)
    (warning,) = told({"pii-in-text": flagged})
    assert warning.count("extra.") == 10
    assert "extra.14" not in warning
    assert "extra.00 and others)" not in warning
    assert "(extra.00" in warning
    assert "and others)" in warning


def test_a_name_is_shown_short_and_without_what_it_is_flagged_for() -> None:
    flagged = Flagged()
    flagged.note(1, {"extra.\u202e" + 1_000 * "x"})
    (warning,) = told({"direction-controls": flagged})
    assert "\u202e" not in warning
    assert len(warning) < 300
