"""What tells of a person or pays in one's name, found in texts. Pure.

These texts are hostile: every look takes a time that grows with the length of the text.
"""

import re
from functools import lru_cache
from itertools import accumulate

_SHORT = 64  # characters: such texts come again and again, and what was found is remembered
_REMEMBERED = 4_096
_SHORTEST = len("a@b.vn")
FEWEST_DIGITS, _MOST_DIGITS = 14, 19  # of a card number

# From the "@" on: a search for what comes before it would begin at every character anew.
_MAIL = re.compile(r"(?<=[\w.%+'-])@(?:[\w-]{1,63}\.)+[^\W\d_]{2}")
# The international form only: order numbers, amounts and the offsets of instants are none.
_PHONE = re.compile(
    r"(?<![0-9A-Za-z+])\+[1-9](?:(?: ?\(|\) ?|[ -])?[0-9]){7,14}(?![0-9]|[.,][0-9])"
)
_DIGITS = re.compile(r"[0-9]+(?:[ -][0-9]+)*")
_GROUP = 4  # digits of which every group of a card number has at least as many, but for the last
# Lengths in which numbers are issued today. Visa's of 13 digits are of the past, and look like the
# article numbers (EAN) of Germany and Japan.
_ISSUED = re.compile(
    r"""
      4[0-9]{15}(?:[0-9]{3})?                                               # Visa
    | (?:5[1-5][0-9]{2}|222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12}  # Mastercard
    | 3[47][0-9]{13}                                                        # American Express
    | (?:30[0-5]|3[689][0-9])[0-9]{11}                                      # Diners Club
    | (?:6011|64[4-9][0-9]|65[0-9]{2})[0-9]{12}(?:[0-9]{3})?                # Discover
    | (?:352[89]|35[3-8][0-9])[0-9]{12}(?:[0-9]{3})?                        # JCB
    | 62[0-9]{14}(?:[0-9]{1,3})?                                            # UnionPay
    | (?:5018|5020|5038|5893|6304|6759|676[1-3])[0-9]{12}(?:[0-9]{2,3})?    # Maestro
    | 220[0-4][0-9]{12}                                                     # Mir
    | (?:508[0-9]|60[0-9]{2}|8[12][0-9]{2})[0-9]{12}                        # RuPay
    | 9704[0-9]{12}(?:[0-9]{3})?                                            # Napas
    """,
    re.VERBOSE,
)
_DOUBLED = str.maketrans("0123456789", "0246813579")  # the sum of the digits of twice as much


def holds_card_number(value: object) -> bool:
    """Whether a number stands by itself, plain or in groups, in a text or in a list of texts, that
    could be a card's: of a length and a beginning that an issuer uses, with the right check digit.
    """
    if isinstance(value, list):
        return any(holds_card_number(item) for item in value if not isinstance(item, list))
    text = str(value) if isinstance(value, str | int) else ""
    if len(text) < FEWEST_DIGITS:
        return False
    return _known_card_number(text) if len(text) <= _SHORT else _card_number(text)


def holds_personal_data(text: str) -> bool:
    """Whether it looks like an e-mail address, a telephone number or a card number stands there."""
    if len(text) < _SHORTEST:
        return False
    return label_holds_personal_data(text) if len(text) <= _SHORT else _personal_data(text)


def _personal_data(text: str) -> bool:
    return (
        ("@" in text and _MAIL.search(text) is not None)
        or ("+" in text and _PHONE.search(text) is not None)
        or holds_card_number(text)
    )


def _card_number(text: str) -> bool:
    return any(_is_card_number(number) for number in _numbers(text))


_known_card_number = lru_cache(_REMEMBERED)(_card_number)
label_holds_personal_data = lru_cache(_REMEMBERED)(_personal_data)
"""Of a text that is short: quicker, as most are known from other rows."""


def _numbers(text: str) -> list[str]:
    """Of so many digits as a card's: groups that stand by themselves, alone and with the next ones."""
    found = []
    for run in _DIGITS.finditer(text):
        if run.end() - run.start() < FEWEST_DIGITS:
            continue
        groups = run[0].replace("-", " ").split(" ")
        if _is_letter(text[run.start() - 1 : run.start()]):
            groups[0] = ""
        if _is_letter(text[run.end() : run.end() + 1]):
            groups[-1] = ""
        for first in range(len(groups)):
            found += _joined(groups[first : first + _MOST_DIGITS // _GROUP + 1])
    return found


def _joined(groups: list[str]) -> list[str]:
    """What the first of them makes alone, with the next, with the next two ..."""
    usable = []
    for group in groups:
        if not group:
            break
        usable.append(group)
        if len(group) < _GROUP:
            break
    numbers = accumulate(usable)
    return [each for each in numbers if FEWEST_DIGITS <= len(each) <= _MOST_DIGITS]


def _is_letter(character: str) -> bool:
    """Of ASCII: of a code such as AB1234. Thai writes no blank between a word and a number."""
    return character == "_" or (character.isascii() and character.isalpha())


def _is_card_number(digits: str) -> bool:
    if not _ISSUED.fullmatch(digits):
        return False
    total = sum(map(int, digits[-1::-2])) + sum(map(int, digits[-2::-2].translate(_DOUBLED)))
    return total % 10 == 0
