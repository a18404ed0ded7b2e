"""Single values as cells and JSON carry them: what they mean, or why they mean nothing."""

import math
import re
from decimal import Decimal
from functools import lru_cache

from vendorwatch.interactions.fields import show
from vendorwatch.interactions.formats.strict_json import BadJson, decode

_ILLEGAL = re.compile("[\0\ud800-\udfff]")
_INTEGER = re.compile(r"-?[0-9]+")
_DECIMAL = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_INTEGER_DIGITS = 18
_DECIMAL_LENGTH = 60
_SMALLEST_EXPONENT = -40
_HIGHEST_PERCENTAGE = 100
_INT64_LEAST, _UINT64_MOST = -(2**63), 2**64 - 1
_DEEPEST = 20


class Unusable(ValueError):
    """`code` is one of record.md's."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def is_illegal(text: str) -> bool:
    return _ILLEGAL.search(text) is not None


def check_characters(text: str) -> None:
    found = _ILLEGAL.search(text)
    if found:
        what = "a NUL" if found[0] == "\0" else "half of a surrogate pair"
        raise Unusable("illegal_character", f"{show(text)} holds {what}")


def storable(text: str) -> str:
    """What quotes what was sent may hold what no database and no process takes."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def plain(value: object, depth: int = 0) -> object:
    """The same value, if it can be kept as JSON and given back without a change.

    Numbers keep all their digits; minus zero becomes zero.
    """
    if isinstance(value, str):
        check_characters(value)
        return value
    if value is None:
        return None
    if isinstance(value, int | Decimal):
        return _number(value)
    if depth == _DEEPEST:
        raise Unusable("bad_value", f"The value is nested more than {_DEEPEST} deep")
    if isinstance(value, list):
        return [plain(item, depth + 1) for item in value]
    if isinstance(value, dict):
        for key in value:
            check_characters(key)
        return {key: plain(item, depth + 1) for key, item in value.items()}
    raise Unusable("bad_value", f"{show(value)} cannot be kept")


def read_integer(cell: object) -> int:
    return _integer(str(cell))


@lru_cache(4096)  # the counts of a log are small and come again and again
def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise Unusable("bad_value", f"{show(text)} is not a whole number")
    if len(text) > _INTEGER_DIGITS:
        raise Unusable("out_of_range", f"{show(text)} is out of range")
    return int(text)


def read_percentage(value: object) -> str:
    """A decimal from 0 to 100 with the digits that were sent, be they a number's or a text's."""
    told = Unusable("bad_value", f"{show(value)} is not a decimal number from 0 to 100")
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise told
    text = str(value)
    if not _DECIMAL.fullmatch(text):
        raise told
    out_of_range = Unusable("out_of_range", f"{show(value)} is not from 0 to 100")
    mantissa, _, exponent = text.lower().partition("e")
    if len(text) > _DECIMAL_LENGTH or len(exponent) > len("-999"):
        raise out_of_range
    number = Decimal(text)
    places = len(mantissa.partition(".")[2]) - int(exponent or 0)
    if not 0 <= number <= _HIGHEST_PERCENTAGE or -places < _SMALLEST_EXPONENT:
        raise out_of_range
    return format(number, "f") if number else "0"


def read_tags(cell: object) -> object:
    """Texts between semicolons, or a JSON array."""
    text = str(cell)
    if text.startswith("["):
        return _read_json(text)
    return [tag.strip() for tag in text.split(";") if tag.strip()]


def read_list(cell: object) -> object:
    """A JSON array."""
    return _read_json(str(cell))


def _read_json(text: str) -> object:
    try:
        value = decode(text)
    except BadJson as bad:
        code = "bad_value" if bad.code == "malformed" else bad.code
        raise Unusable(code, bad.detail) from None
    if not isinstance(value, list):
        raise Unusable("bad_value", f"{show(value)} is not a JSON array")
    return value


def _number(value: int | Decimal) -> int | Decimal:
    if isinstance(value, int):
        if _INT64_LEAST <= value <= _UINT64_MOST:
            return value
        raise Unusable("out_of_range", f"{show(value)} does not fit in 64 bits")
    about = float(value)
    if math.isinf(about) or (about == 0 and value != 0):  # most who read JSON could not hold it
        raise Unusable("out_of_range", f"{show(value)} cannot be kept as a number")
    return value or 0
