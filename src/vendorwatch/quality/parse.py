"""Reads rubrics and reviews strictly; every mistake is named with its place."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from msgspec import Struct, ValidationError, convert
from msgspec.structs import fields

from vendorwatch.db.text import is_illegal, nfc
from vendorwatch.errors import Fault
from vendorwatch.periods import CLOCK_SKEW, Micros, to_micros
from vendorwatch.quality.record import (
    HIGHEST_MAXIMUM,
    HIGHEST_WEIGHT,
    MOST_CRITERIA,
    MOST_MAXIMA,
    MOST_REVIEWS,
    NOT_APPLICABLE,
    SCORE_DIGITS,
    WEIGHT_DIGITS,
    Criterion,
    Id,
    Number,
    ReviewEntry,
    RubricContent,
    Scores,
)

_DECIMAL = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?"
    r"([Zz]|[+-][0-9]{2}:[0-5][0-9])"
)


@dataclass(frozen=True, slots=True)
class Reading:
    """Reviews that can be read, each with its row from 1, and the faults of those that cannot."""

    entries: tuple[tuple[int, ReviewEntry], ...]
    faults: tuple[Fault, ...]


def read_rubric(
    rubric_id: str, value: Mapping[str, object]
) -> tuple[str, RubricContent] | list[Fault]:
    """The id in NFC and the rubric, or every mistake; a fault's field is like `criteria[2].weight`.

    Numbers must have been read as int or Decimal: no binary float is ever taken.
    """
    reader = _Reader()
    name = reader.plain(rubric_id, Id, "rubric_id")
    made = reader.struct(value, RubricContent, "", {"criteria": reader.criteria})
    return reader.faults or (name, RubricContent(**made))


def read_reviews(rows: Sequence[Mapping[str, object]], *, now: Micros) -> Reading:
    """Numbers must have been read as int or Decimal, as for `read_rubric`."""
    if not 1 <= len(rows) <= MOST_REVIEWS:
        detail = f"send 1 to {MOST_REVIEWS} reviews at once, not {len(rows)}"
        return Reading((), (Fault("out_of_range", detail),))
    entries: list[tuple[int, ReviewEntry]] = []
    faults: list[Fault] = []
    first_row: dict[str, int] = {}
    for row, value in enumerate(rows, start=1):
        reader = _Reader(row, now)
        made = reader.struct(
            value, ReviewEntry, "", {"scores": reader.scores, "reviewed_at": reader.past}
        )
        review_id = made.get("review_id")
        if review_id is not None and (before := first_row.setdefault(review_id, row)) != row:
            reader.refuse("duplicate_id", f"stands in row {before}, too", "review_id")
        if not reader.faults:
            entries.append((row, ReviewEntry(**made)))
        faults += reader.faults
    return Reading(tuple(entries), tuple(faults))


class _Reader:
    """Of one object. Goes on after a mistake, so that all of them are named.

    What a method gives back is of no use if it found a mistake.
    """

    def __init__(self, row: int | None = None, now: Micros = 0) -> None:
        self.faults: list[Fault] = []
        self._row = row
        self._now = now

    def refuse(self, code: str, detail: str, place: str) -> None:
        self.faults.append(Fault(code, detail, field=place or None, row=self._row))

    def struct(
        self,
        value: Mapping[str, object],
        kind: type[Struct],
        place: str,
        own: Mapping[str, Callable[[object, str], object]],
    ) -> dict[str, Any]:
        """The fields; `own` reads those that their type alone does not describe. null is absent."""
        known = {field.name: field for field in fields(kind)}
        for name in sorted(value.keys() - known.keys()):
            self.refuse("unknown_field", "there is no such field", place + name)
        made: dict[str, Any] = {}
        for name, field in known.items():
            given, where = value.get(name), place + name
            if given is not None:
                read = own.get(name)
                found = read(given, where) if read else self.plain(given, field.type, where)
                if found is not None:
                    made[name] = found
            elif field.required:
                self.refuse("missing_required", "is missing", where)
        return made

    def plain(self, value: object, kind: Any, place: str) -> Any:
        if isinstance(value, str):
            if is_illegal(value):
                self.refuse("illegal_character", "holds NUL or half of a character", place)
                return None
            value = nfc(value)
        try:
            return convert(value, kind)
        except ValidationError as error:
            self.refuse("bad_value", str(error), place)
        return None

    def number(self, value: object, digits: int, highest: int, place: str) -> Number | None:
        number = _decimal(value)
        if number is None:
            self.refuse("bad_value", "is not a decimal number", place)
        elif not 0 <= number <= highest:
            self.refuse("out_of_range", f"is not between 0 and {highest}", place)
        elif round(number, digits) != number:
            self.refuse("bad_value", f"has more than {digits} decimals", place)
        else:
            return plain_number(round(number, digits))
        return None

    def criteria(self, value: object, place: str) -> tuple[Criterion, ...] | None:
        if not isinstance(value, list) or not 1 <= len(value) <= MOST_CRITERIA:
            self.refuse("bad_value", f"is not a list of 1 to {MOST_CRITERIA} criteria", place)
            return None
        before = len(self.faults)
        made = [self._criterion(each, f"{place}[{index}]") for index, each in enumerate(value)]
        ids = [each.get("criterion_id") for each in made]
        for index, name in enumerate(ids):
            if name is not None and name in ids[:index]:
                self.refuse("duplicate_id", "stands twice", f"{place}[{index}].criterion_id")
        weights = [each.get("weight") for each in made]
        if all(weight == "0" for weight in weights):
            self.refuse("out_of_range", "at least one weight must be above 0", place)
        if len({each.get("maximum") for each in made}) > MOST_MAXIMA:
            self.refuse("out_of_range", f"has more than {MOST_MAXIMA} different maxima", place)
        if len(self.faults) > before:
            return None
        return tuple(Criterion(**each) for each in made)

    def _criterion(self, value: object, place: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            self.refuse("bad_value", "is not an object", place)
            return {}

        def weight(given: object, where: str) -> Number | None:
            return self.number(given, WEIGHT_DIGITS, HIGHEST_WEIGHT, where)

        def maximum(given: object, where: str) -> Number | None:
            found = self.number(given, SCORE_DIGITS, HIGHEST_MAXIMUM, where)
            if found == "0":
                self.refuse("out_of_range", "must be above 0", where)
            return found

        return self.struct(value, Criterion, f"{place}.", {"weight": weight, "maximum": maximum})

    def scores(self, value: object, place: str) -> Scores | None:
        """Which criteria there are, and their maxima, is known only later."""
        if not isinstance(value, dict):
            self.refuse("bad_value", "is not an object of scores by criterion_id", place)
            return None
        made: Scores = {}
        for sent, given in value.items():
            name, where = nfc(sent), f"{place}.{sent}"
            if name in made:
                self.refuse("duplicate_id", "stands twice", where)
            found = NOT_APPLICABLE if given == NOT_APPLICABLE else self._score(given, where)
            made[name] = found or ""
        return made

    def _score(self, value: object, place: str) -> Number | None:
        if _decimal(value) is None:
            self.refuse("bad_value", f"is neither a number nor {NOT_APPLICABLE!r}", place)
            return None
        return self.number(value, SCORE_DIGITS, HIGHEST_MAXIMUM, place)

    def past(self, value: object, place: str) -> Micros | None:
        if not isinstance(value, str) or not _INSTANT.fullmatch(value):
            self.refuse("bad_timestamp", "is not like 2026-10-25T18:00:00+07:00", place)
            return None
        try:
            instant = to_micros(datetime.fromisoformat(value.upper()))
        except ValueError:
            self.refuse("bad_timestamp", "is not a date and time of the calendar", place)
            return None
        if instant > self._now + CLOCK_SKEW:
            self.refuse("future_timestamp", "lies in the future", place)
        elif instant < 0:
            self.refuse("out_of_range", "lies before 1970", place)
        return instant


def _decimal(value: object) -> Decimal | None:
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return Decimal(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return Decimal(value)


def plain_number(number: Decimal) -> Number:
    """Without exponent, needless zeros or the sign of zero: equal numbers are equal texts."""
    text = f"{abs(number):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
