"""What stands behind the keys of a policy file. A ValueError says what is wrong with a value."""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from itertools import pairwise

from vendorwatch.periods import Month
from vendorwatch.scoring.policy import ClockName

MOST_DAYS = 366
MOST_SECONDS = MOST_DAYS * 86_400
_INTERVAL = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)")
_CLOCK_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")
_MIDNIGHT = 24 * 60
_LONGEST_NAME = 200
_MOST_DIGITS = 18
_SHOWN = 60  # characters of a value that a message repeats


def name(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value.strip()) <= _LONGEST_NAME:
        raise ValueError(f"must be a text of 1 to {_LONGEST_NAME} characters")
    return value.strip()


def month(value: object) -> Month:
    if not isinstance(value, str):
        raise ValueError('must be a month in quotes, as in "2026-10"')  # noqa: TRY004  a fault of the file, not of types
    return Month.parse(value)


def whole(least: int, most: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return value

    return read


def reply_by(value: object) -> int:
    """Minutes after midnight; 24:00 is the midnight that ends the day."""
    found = _CLOCK_TIME.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise ValueError('must be a clock time in quotes, from "00:00" to "24:00"')
    return int(found[1]) * 60 + int(found[2]) if found[1] else _MIDNIGHT


def flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")  # noqa: TRY004  as above
    return value


def clock(value: object) -> ClockName:
    if value == "business":
        return "business"
    if value == "calendar":
        return "calendar"
    raise ValueError('must be "business" or "calendar"')


def number(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("must be a number")  # noqa: TRY004  as above
    read = Decimal(value)
    if not read.is_finite() or read < 0:
        raise ValueError("must be a number that is not below 0")
    if len(read.as_tuple().digits) > _MOST_DIGITS or abs(read.adjusted()) > _MOST_DIGITS:
        raise ValueError(f"has more than {_MOST_DIGITS} digits")
    return read


def rate(value: object) -> Decimal:
    if (read := number(value)) > 1:
        raise ValueError("is a share: write 90 % as 0.90")
    return read


def seconds(value: object) -> Decimal:
    if (read := number(value)) > MOST_SECONDS:
        raise ValueError(f"is a number of seconds, at most {MOST_SECONDS}")
    return read


def intervals(value: object) -> tuple[tuple[int, int], ...]:
    if not isinstance(value, list):
        raise ValueError('must be a list, as in ["09:00-18:00"]')  # noqa: TRY004  as above
    made = sorted(_interval(each) for each in value)
    for one, following in pairwise(made):
        if following[0] < one[1]:
            raise ValueError("has hours that overlap")
    return tuple(made)


def _interval(value: object) -> tuple[int, int]:
    found = _INTERVAL.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise ValueError(f'{_shown(value)} is not an interval like "09:00-18:00" or "22:00-24:00"')
    opens = int(found[1]) * 60 + int(found[2])
    closes = int(found[3]) * 60 + int(found[4]) if found[3] else _MIDNIGHT
    if closes <= opens:
        raise ValueError(f"{value} ends before it begins; write a night as two intervals")
    return opens, closes


def dates(value: object) -> frozenset[date]:
    if not isinstance(value, list):
        raise ValueError('must be a list of days, as in ["2026-09-02"]')  # noqa: TRY004  as above
    return frozenset(_date(each) for each in value)


def _date(value: object) -> date:
    try:
        return value if type(value) is date else date.fromisoformat(str(value))
    except ValueError as error:
        raise ValueError(f"{_shown(value)} is not a day like 2026-09-02") from error


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
