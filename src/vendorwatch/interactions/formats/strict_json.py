"""JSON without the liberties that parsers take: each key once, numbers exact, nothing invented."""

import json
from decimal import Decimal, InvalidOperation

import msgspec

from vendorwatch.interactions.fields import show

_FAST = msgspec.json.Decoder(float_hook=Decimal)
_LONGEST_INTEGER = 40  # characters; far beyond every limit, and far below where reading gets slow
_REPEATED = 20  # characters of a row that a message repeats


class BadJson(Exception):
    """`code` is malformed, duplicate_key or out_of_range; `key` is the one that stands twice."""

    def __init__(self, code: str, detail: str, key: str | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.key = key


def decode(text: str) -> object:
    """Numbers with a fraction or an exponent come as Decimal. Raises BadJson.

    Lone surrogates are let through, for the caller to name the field that holds them.
    """
    try:
        value = _FAST.decode(text)
    except (msgspec.MsgspecError, InvalidOperation, RecursionError):
        return decode_slowly(text)
    # The fast decoder keeps the last of two equal keys. A lost key leaves quotes in the text that
    # belong to no string of the value; they can be counted where no backslash is itself escaped.
    quotes = text.count('"')
    if "\\" in text:
        if "\\\\" in text:
            return decode_slowly(text)
        quotes -= text.count('\\"')
    if "[" in text or text.count("{") != 1 or value.__class__ is not dict:
        strings = _count_strings(value)
    else:  # nothing is nested, which is counted at once
        strings = len(value) + list(map(type, value.values())).count(str)
    return value if quotes == 2 * strings else decode_slowly(text)


def _count_strings(value: object) -> int:
    if not isinstance(value, dict | list):
        return isinstance(value, str)
    count = len(value) if isinstance(value, dict) else 0
    for item in value.values() if isinstance(value, dict) else value:
        if item.__class__ is str:
            count += 1
        elif item.__class__ is dict or item.__class__ is list:
            count += _count_strings(item)
    return count


def decode_slowly(text: str) -> object:
    """What `decode` promises, by a parser that shows every key and can say what is wrong."""
    try:
        return _SLOW.decode(text)
    except json.JSONDecodeError as error:
        raise BadJson("malformed", f"The row is not JSON: {_told(error)}") from None
    except RecursionError:
        raise BadJson("malformed", "The JSON is nested too deep") from None


def _told(error: json.JSONDecodeError) -> str:
    """With what stands there: a byte order mark, a line of HTML or of CSV explains itself."""
    rest = error.doc[error.pos :]
    found = show(rest if len(rest) <= _REPEATED else rest[:_REPEATED] + "…")
    where = f"where {found} stands" if rest else "where it ends"
    return f"{error.msg.removesuffix(' starting at')} at character {error.pos + 1}, {where}"


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) < len(pairs):
        seen: set[str] = set()
        key = next(k for k, _ in pairs if k in seen or seen.add(k))  # type: ignore[func-returns-value]  # add gives None
        raise BadJson("duplicate_key", f"The key {json.dumps(key)} stands twice", key)
    return value


def _integer(digits: str) -> int:
    if len(digits) > _LONGEST_INTEGER:
        raise BadJson("out_of_range", f"A number of {len(digits)} digits is out of range")
    return int(digits)


def _decimal(number: str) -> Decimal:
    try:
        return Decimal(number)
    except InvalidOperation:
        raise BadJson("out_of_range", f"{number[:60]} is out of range") from None


def _refuse_constant(name: str) -> object:
    raise BadJson("malformed", f"{name} is not a number of JSON")


_SLOW = json.JSONDecoder(
    object_pairs_hook=_once,
    parse_float=_decimal,
    parse_int=_integer,
    parse_constant=_refuse_constant,
)
