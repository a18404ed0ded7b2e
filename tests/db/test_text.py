"""What neither database is given."""

import time
import unicodedata

import pytest

from vendorwatch.db.text import is_illegal, nfc


@pytest.mark.parametrize("text", ["\0", "a\0b", "\ud800", "x\udfff"])
def test_what_cannot_be_kept(text: str) -> None:
    assert is_illegal(text)


@pytest.mark.parametrize("text", ["", "trà sen", "ชา", "\x01\x7f\ud7ff\ue000\ufffd", "\U0001f375"])
def test_what_can(text: str) -> None:
    assert not is_illegal(text)


@pytest.mark.parametrize(
    "text",
    ["", "tr\u00e0", "tra\u0300", "a\u0323\u0302" * 200, "z" + "\u0301\u0323" * 15, "\u1100\u1161"],
)
def test_texts_that_look_alike_get_one_form(text: str) -> None:
    assert nfc(text) == unicodedata.normalize("NFC", text)


def test_no_text_takes_longer_than_its_length() -> None:
    heaped = "a" + "\u0301" * 500_000 + "\u0323" * 500_000
    started = time.process_time()
    assert nfc(heaped) == heaped
    assert time.process_time() - started < 5
