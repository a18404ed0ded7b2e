"""What neither database is given."""

import pytest

from vendorwatch.db.text import is_illegal


@pytest.mark.parametrize("text", ["\0", "a\0b", "\ud800", "x\udfff"])
def test_what_cannot_be_kept(text: str) -> None:
    assert is_illegal(text)


@pytest.mark.parametrize("text", ["", "trà sen", "ชา", "\x01\x7f\ud7ff\ue000\ufffd", "\U0001f375"])
def test_what_can(text: str) -> None:
    assert not is_illegal(text)
