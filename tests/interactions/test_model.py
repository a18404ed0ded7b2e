"""The rules of an upload that need no database."""

from dataclasses import replace

import pytest

from vendorwatch.errors import Fault
from vendorwatch.interactions.model import (
    SHOWN_FAULTS,
    Effect,
    NotConserved,
    Tally,
    UploadRequest,
    measurable,
    settle,
)

REQUEST = UploadRequest(media="csv", content_type="text/csv")


def tally(accepted: int, rejected: int = 0, skipped: int = 0) -> Tally:
    return Tally(accepted=accepted, rejected=rejected, skipped=skipped)


def test_no_row_may_be_lost_or_invented() -> None:
    for effect in (Effect(1, 1, 0), Effect(2, 1, 1)):
        with pytest.raises(NotConserved):
            settle(tally(3), effect)
    assert settle(tally(3), Effect(1, 1, 1)) == "stored"


def test_the_status_tells_whether_all_some_or_none_were_stored() -> None:
    nothing = Effect(0, 0, 0)
    assert settle(tally(0), nothing) == "stored"
    assert settle(tally(0, skipped=4), nothing) == "stored"
    assert settle(tally(1, rejected=1), Effect(0, 0, 1)) == "partial"
    assert settle(tally(0, rejected=1, skipped=4), nothing) == "rejected"


def test_a_log_supports_the_metrics_whose_fields_it_carries() -> None:
    required = {"interaction_id", "channel", "status", "opened_at"}
    assert measurable(frozenset(required)) == ()
    assert measurable(frozenset(required | {"csat"})) == ("csat",)
    replies = measurable(frozenset(required | {"first_reply_at", "agent_id"}))
    assert replies == ("abandon_rate", "first_reply_on_time", "first_reply_p50", "first_reply_p90")
    with_events = measurable(frozenset(required | {"events", "customer_ref"}))
    assert {"first_contact_resolution", "reopen_rate"} <= set(with_events)
    assert "csat" not in with_events


def test_requests_that_may_have_another_effect_have_another_fingerprint() -> None:
    changes: list[dict[str, object]] = [
        {},
        {"media": "json"},
        {"encoding": "gzip"},
        {"format": "mapped"},
        {"time_zone": "Asia/Bangkok"},
        {"date_order": "dmy"},
        {"mode": "atomic"},
    ]
    prints = {replace(REQUEST, **change).fingerprint(b"x", 1) for change in changes}  # type: ignore[arg-type]  # any field
    prints |= {REQUEST.fingerprint(b"y", 1), REQUEST.fingerprint(b"x", 2)}
    assert len(prints) == len(changes) + 2
    # Who sends it, and under which name of the same type, changes nothing.
    same = replace(REQUEST, key_id="other", content_type="text/csv; charset=utf-8")
    assert same.fingerprint(b"x", 1) == REQUEST.fingerprint(b"x", 1)


def test_only_the_first_faults_are_kept_in_memory() -> None:
    counted = Tally()
    for row in range(3 * SHOWN_FAULTS):
        counted.reject((Fault("bad_value", "a", row=row), Fault("bad_value", "b", row=row)))
    assert counted.rejected == 3 * SHOWN_FAULTS
    assert len(counted.faults) == SHOWN_FAULTS
