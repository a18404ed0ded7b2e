"""Text that both databases keep as it is, and in one form."""

import re
import unicodedata

_ILLEGAL = re.compile("[\x00\ud800-\udfff]")
_SHORT = 64  # characters: too few for their marks to take long
_MOST_MARKS = 30  # on one character; UAX #15 (Stream-Safe Text) knows of no writing that needs more


def is_illegal(text: str) -> bool:
    """PostgreSQL keeps no NUL, and half a surrogate pair has no form in UTF-8."""
    return _ILLEGAL.search(text) is not None


def nfc(text: str) -> str:
    """The one form of texts that look alike, in a time that grows with their length.

    A long text with more combining marks in a row than any writing needs stays as it is: putting
    them in order takes the square of their number, an hour for what fits into one request.
    """
    if text.isascii() or (len(text) > _SHORT and _is_heaped(text)):
        return text
    return unicodedata.normalize("NFC", text)


def _is_heaped(text: str) -> bool:
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks > _MOST_MARKS:
            return True
    return False
