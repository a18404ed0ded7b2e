"""Why an interaction plays its part in a metric, as a code; read from the same facts."""

import polars as pl

from vendorwatch.scoring.frames import Part
from vendorwatch.scoring.metrics import NEXT_REPLY, QUALITY, rate_of

_Cases = list[tuple[pl.Expr, str]]

_replied, _resolved = pl.col("replied"), pl.col("resolved")
_given_up = pl.col("given_up")
_on_time = pl.col("played") == int(Part.NUMERATOR)
_pending = pl.col("played") == int(Part.PENDING)
_missing = pl.col("played") == int(Part.MISSING)
_reopened, _handed_over = pl.col("reopened"), pl.col("handed_over")
_no_replies = (~pl.col("first_reply_known"), "no_replies_in_the_log")
_no_resolutions = (~pl.col("resolution_known"), "no_resolutions_in_the_log")
_window = (~pl.col("window_complete"), "window_still_open")
_unlinked = (~pl.col("customer_known"), "customer_unknown")

# The first that applies; what stands last applies to all others.
_REASONS: dict[str, tuple[_Cases, str]] = {
    "first_reply_on_time": (
        [
            _no_replies,
            (_given_up, "given_up"),
            (_pending, "not_due_yet"),
            (_on_time, "replied_in_time"),
            (_replied, "replied_late"),
        ],
        "overdue",
    ),
    "abandon_rate": ([_no_replies, (_given_up, "given_up")], "not_given_up"),
    "resolution_rate": ([_no_resolutions, (_resolved, "resolved")], "not_resolved"),
    "resolution_on_time": (
        [
            _no_resolutions,
            (_pending, "not_due_yet"),
            (_on_time, "resolved_in_time"),
            (_resolved, "resolved_late"),
        ],
        "overdue",
    ),
    "first_contact_resolution": (
        [
            _no_resolutions,
            _window,
            (_reopened.is_null(), "reopens_unknown"),
            (_handed_over.is_null(), "handovers_unknown"),
            (_resolved & _unlinked[0], "customer_unknown"),
            (~_resolved, "not_resolved"),
            (_reopened, "reopened"),
            (_handed_over, "handed_over"),
            (pl.col("repeated"), "contacted_again"),
        ],
        "resolved_at_first_contact",
    ),
    "repeat_contact_rate": (
        [_no_resolutions, _window, _unlinked, (pl.col("repeated"), "contacted_again")],
        "not_contacted_again",
    ),
    "reopen_rate": (
        [
            _no_resolutions,
            (_reopened.is_null(), "reopens_unknown"),
            (_reopened, "reopened"),
        ],
        "not_reopened",
    ),
    "handover_rate": (
        [(_handed_over.is_null(), "handovers_unknown"), (_handed_over, "handed_over")],
        "not_handed_over",
    ),
    "csat": ([(_on_time, "satisfied")], "not_satisfied"),
    NEXT_REPLY.id: (
        [
            (_missing, "no_events_in_the_log"),
            (_pending, "not_due_yet"),
            (_on_time, "answered_in_time"),
            (pl.col("answered_at").is_not_null(), "answered_late"),
        ],
        "overdue",
    ),
}

_NOT_LOOKED_AT: dict[str, str] = {
    "abandon_rate": "not_by_phone_or_chat",
    "repeat_contact_rate": "not_resolved",
    "reopen_rate": "not_resolved",
    "csat": "not_answered",
    NEXT_REPLY.id: "not_asked_again",
    QUALITY: "not_reviewed",
}
_OVER_THE_BASE = frozenset({"repeat_contact_rate", "reopen_rate", "csat", QUALITY})


def reason(metric: str) -> pl.Expr:
    """From the facts, and the part in the column `played`."""
    cases, otherwise = _REASONS[rate_of(metric).id]
    return _first(cases, otherwise)


def not_looked_at(metric: str) -> pl.Expr:
    """Why a scored interaction has no part in the metric at all."""
    because = _NOT_LOOKED_AT.get(metric, "given_up")
    return _first([(_given_up, "given_up")] if metric in _OVER_THE_BASE else [], because)


def _first(cases: _Cases, otherwise: str) -> pl.Expr:
    found = pl.lit(otherwise)
    for condition, code in reversed(cases):
        found = pl.when(condition).then(pl.lit(code)).otherwise(found)
    return found
