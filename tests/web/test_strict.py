"""No type is bent into another."""

from typing import Any

import msgspec
import pytest

from vendorwatch.web.strict import BadContent, convert


class Sample(msgspec.Struct, forbid_unknown_fields=True):
    number: int = 0
    flag: bool = False
    text: str = ""


@pytest.mark.parametrize(
    "value",
    [
        {"number": "1"},
        {"number": 1.5},
        {"number": True},
        {"flag": "true"},
        {"flag": 1},
        {"text": 1},
    ],
)
def test_a_value_of_another_type_is_refused(value: dict[str, Any]) -> None:
    with pytest.raises(BadContent) as raised:
        convert(value, Sample)
    [fault] = raised.value.faults
    assert (fault.field, fault.row) == (next(iter(value)), None)


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(BadContent, match="unknown field `score`"):
        convert({"score": 100}, Sample)


def test_what_fits_is_taken() -> None:
    assert convert({"number": 1, "flag": True, "text": "x"}, Sample) == Sample(1, True, "x")
