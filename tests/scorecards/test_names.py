import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendorwatch.scorecards.render.names import (
    LONGEST,
    alphabetical,
    displayable,
    safe_in_file_name,
)


@pytest.mark.parametrize(
    "name", ["Nguyễn Thị Phương Thảo", "สมชาย ใจดี", "Szűcs Ödön", "O'Brien-Đặng"]
)
def test_names_of_people_are_not_touched(name: str) -> None:
    assert displayable(name) == name


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("score \u202e19\u202c", "score 19"),
        ("a\u2066b\u2069c\u200f", "abc"),
        ("one\ntwo\tthree", "one two three"),
        ("nul\x00 bell\x07", "nul bell"),
        ("half \ud83d pair", "half pair"),
        ("  spaced   out ", "spaced out"),
    ],
)
def test_characters_that_deceive_or_break_are_removed(written: str, shown: str) -> None:
    assert displayable(written) == shown


@given(st.text(st.characters(codec="ascii")), st.integers(1, 20))
def test_plain_text_is_one_line_of_so_many_characters(written: str, longest: int) -> None:
    shown = displayable(written, longest)
    words = "".join(each if each.isprintable() else " "[: each.isspace()] for each in written)
    line = re.sub(" +", " ", words).strip(" ")
    assert shown == (line if len(line) <= longest else line[: longest - 1] + "…")


def test_a_long_name_is_cut_between_letters_and_never_inside_one() -> None:
    shown = displayable("e\u0301" * 500)

    assert shown == "e\u0301" * (LONGEST - 1) + "…"


def test_marks_piled_on_one_letter_are_bounded() -> None:
    assert len(displayable("e" + "\u0301" * 20_000)) < 10


@pytest.mark.parametrize(
    ("vendor", "safe"),
    [
        ("Hoa Sen BPO", "Hoa-Sen-BPO"),
        ("../../etc/passwd", "etc-passwd"),
        ("a\\b\r\nc", "a-b-c"),
        ("Chăm Sóc", "Chăm-Sóc"),
        ("..", "vendor"),
        ('"><x', "x"),
    ],
)
def test_a_vendor_becomes_one_path_segment(vendor: str, safe: str) -> None:
    assert safe_in_file_name(vendor) == safe


def test_a_file_name_fits_every_file_system() -> None:
    assert len(safe_in_file_name("ส" * 200).encode()) <= 150


def test_letters_with_marks_sort_beside_those_without() -> None:
    names = ["Zoltán", "Đặng", "Árpád", "Anna", "Dung", "Ödön", "Eszter"]

    assert sorted(names, key=alphabetical) == [
        "Anna",
        "Árpád",
        "Đặng",
        "Dung",
        "Eszter",
        "Ödön",
        "Zoltán",
    ]


def test_thai_names_stand_as_in_a_thai_dictionary() -> None:
    """By consonant, though some vowels are written before it; tones come last."""
    names = ["ขวัญ", "เกษม", "กุลธิดา", "กาญจนา", "ไกร", "เอก", "โชติ", "จินดา", "ก้าน"]

    assert sorted(names, key=alphabetical) == [
        "กาญจนา",
        "ก้าน",
        "กุลธิดา",
        "เกษม",
        "ไกร",
        "ขวัญ",
        "จินดา",
        "โชติ",
        "เอก",
    ]
