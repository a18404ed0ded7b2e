"""What is taken for a card number, an e-mail address or a telephone number, and what is not."""

import time
from collections.abc import Callable

import pytest

from vendorwatch.interactions.personal_data import holds_card_number, holds_personal_data

# Numbers that issuers and processors publish for tests.
CARDS = [
    "4111111111111111",
    "5555555555554444",
    "2223003122003222",
    "378282246310005",
    "30569309025904",
    "6011111111111117",
    "3530111333300000",
    "6200000000000005",
    "9704000000000018",
]
NO_CARDS = {
    "one digit is wrong": "4111111111111112",
    "no issuer begins so": "9111111111111111",
    "too short for its issuer": "411111111111116",
    "an article number of Germany": "4006381333931",
    "with a Visa's 13 digits of the past": "4222222222222",
    "part of a longer number": "41111111111111110000",
    "part of a code": "AB4111111111111111",
    "part of a code, before a letter": "4111111111111111Z",
    "two blanks": "4111  1111  1111  1111",
    "groups of one digit": "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
    "an id of a device (IMEI)": "356938035643809",
    "an instant": "2026-10-01 09:00:00",
}
PERSONAL = [
    "linh@shop.example",
    "write to linh.tran+orders@mail.shop.vn, please",
    "người@ví-dụ.vn",
    "+84912345678",
    "call +84 912 345 678",
    "+36-30-123-4567",
    "+1 (415) 555-2671",
    "(+49 30 901820)",
]
HARMLESS = [
    "returns",
    "DH-0001234567",
    "0912345678",
    "2026-10-01T09:00:00.123456+10:00",
    "2026-10-01 09:00:00 +0700",
    "GMT+11 12345678",
    "+12.500.000",
    "+12500000.00",
    "+1 250 000",
    "+1234567",
    "+1234567890123456",
    "follow @shop.example",
    "2 @ 9.99",
    "linh@localhost",
    "https://medium.example/@shop.example/1",
    "12@34.56",
]
LONG = 64 * 1024  # as long as a row may be


@pytest.mark.parametrize("number", CARDS)
def test_a_card_number_is_found_plain_and_in_groups(number: str) -> None:
    sizes = (4, 6, 5) if len(number) < 16 else (4, 4, 4, 4)
    ends = [sum(sizes[: n + 1]) for n in range(len(sizes))]
    groups = [number[end - size : end] for size, end in zip(sizes, ends, strict=True)]
    for written in (number, " ".join(groups), "-".join(groups)):
        for text in (written, f"Visa: {written}", f"2 {written} 12/26 123", f"บัตร{written}ครับ"):
            assert holds_card_number(text), text
            assert holds_personal_data(text), text
            assert holds_card_number(f"{text} {LONG * 'x'}"), text


@pytest.mark.parametrize("text", NO_CARDS.values(), ids=NO_CARDS)
def test_what_is_no_card_number_is_not_taken_for_one(text: str) -> None:
    assert not holds_card_number(text)


@pytest.mark.parametrize("number", CARDS)
def test_one_wrong_digit_or_two_exchanged_make_it_no_card_number(number: str) -> None:
    last = str((int(number[-1]) + 1) % 10)
    assert not holds_card_number(number[:-1] + last)


@pytest.mark.parametrize("text", PERSONAL)
def test_addresses_and_telephone_numbers_are_found(text: str) -> None:
    assert holds_personal_data(text)
    assert holds_personal_data(f"{text} {LONG * 'x'}")
    assert not holds_card_number(text)


@pytest.mark.parametrize("text", HARMLESS)
def test_ids_prices_and_instants_are_neither(text: str) -> None:
    assert not holds_personal_data(text)


HOSTILE = {
    "letters": "a",
    "digits": "1",
    "single digits": "1 ",
    "groups": "1111-",
    "card numbers but for a digit": "4111 1111 1111 1112 ",
    "at signs": "@",
    "half an address": "a@",
    "labels": "a.",
    "plus signs": "+",
    "beginnings of telephone numbers": "+1 (2) 3",
}


@pytest.mark.parametrize("look", [holds_card_number, holds_personal_data])
@pytest.mark.parametrize("filler", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_text_takes_a_time_that_grows_with_its_length(
    filler: str, look: Callable[[str], bool]
) -> None:
    text = "@" + filler * (16 * LONG // len(filler))
    before = time.process_time()
    assert not look(text)
    assert time.process_time() - before < 2  # seconds; a square of the length would take minutes
