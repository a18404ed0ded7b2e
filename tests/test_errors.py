"""How a fault is told to a person."""

import pytest

from vendorwatch.errors import Fault, Kind, NotFound, VendorwatchError


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (Fault("c", "is wrong"), "is wrong"),
        (Fault("c", "is wrong", field="csat"), "csat: is wrong"),
        (Fault("c", "is wrong", row=2), "row 2: is wrong"),
        (Fault("c", "is wrong", line=3, row=2, field="csat"), "line 3, row 2, csat: is wrong"),
        (Fault("c", "is wrong", line=0, row=0), "line 0, row 0: is wrong"),
    ],
)
def test_a_fault_says_where(fault: Fault, told: str) -> None:
    assert str(fault) == told


def test_an_error_keeps_what_callers_need() -> None:
    fault = Fault("c", "is wrong")
    error = NotFound("no such thing", faults=(fault,), retry_after_seconds=3, extra={"a": 1})
    assert isinstance(error, VendorwatchError)
    assert str(error) == error.detail == "no such thing"
    assert (error.faults, error.retry_after_seconds, error.extra) == ((fault,), 3, {"a": 1})
    assert error.kind is Kind.NOT_FOUND


def test_two_errors_do_not_share_their_members() -> None:
    first, second = NotFound("a"), NotFound("b")
    first.extra["x"] = 1
    assert second.extra == {}
