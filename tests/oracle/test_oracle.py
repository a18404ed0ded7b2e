"""The oracle itself: against figures worked out by hand and against published vectors."""

from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from oracle.clock import (
    SECOND,
    micros,
)
from oracle.counts import Tally
from oracle.logs import parsed
from oracle.scores import order_statistics, scorecard, wilson, written


def at(text: str) -> int:
    return micros(datetime.fromisoformat(text))


@pytest.mark.parametrize(
    ("hits", "trials", "lower", "upper"),
    [
        (18, 20, "0.6990", "0.9721"),
        (45, 50, "0.7864", "0.9565"),
        (0, 10, "0.0000", "0.2775"),
        (10, 10, "0.7225", "1.0000"),
        (800, 1000, "0.7741", "0.8236"),
    ],
)
def test_wilson_vectors(hits: int, trials: int, lower: str, upper: str) -> None:
    found = [str(Decimal(end).quantize(Decimal("0.0001"))) for end in wilson(hits, trials)]
    assert found == [lower, upper]


def test_an_end_at_nought_or_one_is_written_as_such() -> None:
    for trials in range(1, 60):
        assert wilson(0, trials)[0] == "0.000000"
        assert wilson(trials, trials)[1] == "1.000000"


@pytest.mark.parametrize(
    ("n", "quantile", "ranks"),
    [
        (6, Fraction(1, 2), (1, 6)),
        (6, Fraction(9, 10), (4, 7)),
        (5, Fraction(1, 2), (0, 6)),
        (100, Fraction(1, 2), (40, 61)),
        (1, Fraction(9, 10), (0, 2)),
    ],
)
def test_ranks_of_the_order_statistics(n: int, quantile: Fraction, ranks: tuple[int, int]) -> None:
    assert order_statistics(n, quantile) == ranks


@pytest.mark.parametrize(
    ("reached", "unreached", "quantile", "value"),
    [
        (10, 0, Fraction(9, 10), Fraction(9)),
        (11, 0, Fraction(9, 10), Fraction(10)),
        (10, 0, Fraction(1, 2), Fraction(5)),
        (9, 1, Fraction(9, 10), Fraction(9)),
        (8, 2, Fraction(9, 10), "not_reached"),
        (0, 3, Fraction(1, 2), "not_reached"),
        (0, 0, Fraction(1, 2), None),
    ],
)
def test_percentiles_are_nearest_rank_with_the_not_reached_last(
    reached: int, unreached: int, quantile: Fraction, value: Fraction | str | None
) -> None:
    spans = [second * SECOND for second in range(reached, 0, -1)]
    tally = Tally(denominator=reached + unreached, quantile=quantile, spans=spans)
    assert tally.value == value


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [
        (Fraction(5, 1000), 2, "0.00"),
        (Fraction(15, 1000), 2, "0.02"),
        (Fraction(2, 3), 6, "0.666667"),
        (Fraction(14_400), 6, "14400.000000"),
        (Fraction(100), 2, "100.00"),
    ],
)
def test_figures_are_rounded_half_to_even(value: Fraction, places: int, text: str) -> None:
    assert written(value, places) == text


POLICY = """
name = "By hand"
effective_from = "2026-01"
settling_days = 7
repeat_window_days = 7
short_abandon_seconds = 5
balance = true
minimum_volume = { vendor = 4, agent = 2, knowledge = 3 }
[hours.default]
mon = ["09:00-18:00"]
tue = ["09:00-18:00"]
wed = ["09:00-18:00"]
thu = ["09:00-18:00"]
fri = ["09:00-18:00"]
holidays = ["2026-09-02"]
[targets.first_reply]
default = { seconds = 14400, clock = "business" }
chat = { seconds = 60, clock = "calendar", urgent = { seconds = 30, clock = "calendar" } }
[targets.resolution]
default = { seconds = 64800, clock = "business" }
chat = { seconds = 3600, clock = "calendar" }
[dimensions.response]
weight = 30
[dimensions.response.metrics]
first_reply_on_time = { weight = 70, target = 0.90, floor = 0.30 }
first_reply_p90 = { weight = 30, target = 3600, floor = 36000 }
[dimensions.resolution]
weight = 50
[dimensions.resolution.metrics]
resolution_on_time = { weight = 60, target = 0.90, floor = 0.40 }
reopen_rate = { weight = 40, target = 0.05, floor = 0.55 }
[dimensions.knowledge]
weight = 20
[dimensions.knowledge.metrics]
knowledge_score = { weight = 1, target = 0.9, floor = 0.5 }
"""
BLANK: dict[str, Any] = {
    "source_account": "",
    "vendor_id": "ours",
    "channel": "email",
    "direction": "inbound",
    "status": "resolved",
    "resolved_by": "unknown",
    "first_reply_known": True,
    "resolution_known": True,
} | dict.fromkeys(
    [
        "priority",
        "first_reply_at",
        "resolved_at",
        "abandoned_at",
        "agent_id",
        "first_reply_agent_id",
        "customer_ref",
        "resolved_by_agent_id",
        "order_ref",
        "topic",
        "reopens",
        "handovers",
        "csat_invited_at",
        "csat_at",
        "csat",
    ]
)


def here(text: str) -> int:
    """An instant written in Ho Chi Minh City's local time, September 2026 unless it says more."""
    return at((text if text.startswith("2026") else f"2026-09-{text}") + "+07:00")


def contact(number: int, opened: str, **fields: Any) -> dict[str, Any]:
    record = BLANK | {"interaction_id": str(number), "opened_at": here(opened)} | fields
    for key in ("first_reply_at", "resolved_at", "abandoned_at", "csat_at", "csat_invited_at"):
        if record[key] is not None:
            record[key] = here(record[key])
    return record


def ten_contacts() -> list[dict[str, Any]]:
    clean = {"reopens": 0, "handovers": 0}
    return [
        # A holiday between: one hour and one hour of open time; resolved after one and three.
        contact(1, "01T17:00", agent_id="ann", first_reply_at="03T10:00", resolved_at="03T12:00")
        | clean
        | {"customer_ref": "c1", "topic": "returns", "csat": 4},
        # Reply on the line; resolution a microsecond past two open days. Another topic of c1.
        contact(2, "07T09:00", agent_id="ann", first_reply_at="07T13:00")
        | {"resolved_at": here("09T09:00:00.000001"), "reopens": 1, "handovers": 0}
        | {"customer_ref": "c1", "topic": "sizing", "csat": 2, "csat_at": here("09T09:30")},
        # Reply a microsecond past the line, resolution on it.
        contact(3, "07T09:00", agent_id="bob", resolved_at="09T09:00", handovers=1)
        | {"first_reply_at": here("07T13:00:00.000001")},
        # The urgent chat: half a minute; solved by another; the customer comes back elsewhere.
        contact(4, "08T20:00", agent_id="bob", first_reply_at="08T20:00:30", channel="chat")
        | clean
        | {"priority": "urgent", "resolved_at": here("08T20:10"), "resolved_by_agent_id": "cat"}
        | {"customer_ref": "c2", "topic": "returns", "csat_invited_at": here("08T20:11")},
        # Given up: whoever closed it gets no credit.
        contact(5, "10T10:00", channel="chat", status="abandoned", abandoned_at="10T10:00:10")
        | {"resolved_by_agent_id": "nobody"},
        contact(6, "10T11:00", channel="phone", status="abandoned", abandoned_at="10T11:00:05"),
        contact(7, "11T10:00", direction="outbound", agent_id="nobody"),
        contact(8, "30T17:00", status="open", agent_id="ann", reopens=0),
        contact(9, "12T10:00", status="spam", agent_id="nobody"),
        # The month's last microsecond; the source has no column of replies; closed by a timer.
        contact(10, "30T23:59:59.999999", status="closed", agent_id="bob")
        | clean
        | {"resolved_at": here("2026-10-01T10:00"), "resolved_by": "automation"}
        | {"first_reply_known": False, "customer_ref": "c3"},
        contact(11, "2026-08-31T23:59:59.999999", agent_id="nobody"),
        contact(12, "2026-10-01T00:00", agent_id="nobody"),
    ]


def asked(
    agent_id: str, attempts: list[dict[str, Any]], *, excused: bool = False
) -> dict[str, Any]:
    return {
        "agent_id": agent_id,
        "check_id": "september",
        "due_at": here("15T12:00"),
        "pass_mark": 75,
        "excused": excused,
        "questions": [{"weight": 2}, {"weight": 1}, {"weight": 1}],
        "attempts": attempts,
    }


def by_hand(policy_text: str = POLICY, **changes: Any) -> dict[str, Any]:
    policy = parsed(policy_text)
    retake = {"submitted_at": here("14T10:00"), "correct": [True, True, True]}
    first = {"submitted_at": here("13T10:00"), "correct": [True, False, True]}
    late = {"submitted_at": here("15T12:00:00.000001"), "correct": [True, True, True]}
    arguments = {
        "records": ten_contacts(),
        "pool": [
            # Exactly a repeat window after contact 4 was resolved, with another vendor, by phone.
            contact(1, "15T20:10", vendor_id="other", channel="phone", customer_ref="c2"),
            # At the very instant of contact 1, of a vendor that stands before ours: no repeat of it.
            contact(2, "01T17:00", vendor_id="other", customer_ref="c1", topic="returns"),
        ],
        "knowledge": [
            asked("ann", [retake, first]),
            asked("bob", [late]),
            asked("cat", [], excused=True),
        ],
        "policy": policy,
        "policies": [("2026-01", policy)],
        "month": "2026-09",
        "zone": "Asia/Ho_Chi_Minh",
        "as_of": None,
        "now": at("2026-11-01T00:00Z"),
        "names": {"ann": "Ann"},
    }
    return scorecard(**(arguments | changes))


def test_head_and_volume_of_the_month_by_hand() -> None:
    document = by_hand()
    assert {key: document[key] for key in ("month", "time_zone", "as_of", "status", "volume")} == {
        "month": "2026-09",
        "time_zone": "Asia/Ho_Chi_Minh",
        "as_of": "2026-10-07T17:00:00Z",
        "status": "final",
        "volume": {
            "received": 12,
            "in_month": 10,
            "scored": 7,
            "excluded": {
                "outbound": 1,
                "spam": 1,
                "merged": 0,
                "withdrawn": 0,
                "short_abandoned": 1,
            },
            "unassigned": 1,
        },
    }


@pytest.mark.parametrize(
    ("metric", "value", "numerator", "denominator", "missing", "interval"),
    [
        ("first_reply_on_time", "0.500000", 3, 6, 1, ["0.187616", "0.812384"]),
        ("first_reply_p50", "14400.000000", None, 6, 1, ["30.000000", "not_reached"]),
        ("first_reply_p90", "not_reached", None, 6, 1, ["14400.000001", "not_reached"]),
        ("abandon_rate", "0.500000", 1, 2, 0, ["0.094531", "0.905469"]),
        ("resolution_rate", "0.666667", 4, 6, 0, ["0.299993", "0.903229"]),
        ("resolution_on_time", "0.500000", 3, 6, 0, ["0.187616", "0.812384"]),
        ("resolution_p50", "64800.000000", None, 6, 0, ["600.000000", "not_reached"]),
        ("resolution_p90", "not_reached", None, 6, 0, ["64800.000001", "not_reached"]),
        ("first_contact_resolution", "0.250000", 1, 4, 2, ["0.045587", "0.699358"]),
        ("repeat_contact_rate", "0.333333", 1, 3, 1, ["0.061492", "0.792340"]),
        ("reopen_rate", "0.333333", 1, 3, 1, ["0.061492", "0.792340"]),
        ("handover_rate", "0.200000", 1, 5, 1, ["0.036224", "0.624465"]),
        ("csat", "0.500000", 1, 2, 0, ["0.094531", "0.905469"]),
        ("knowledge_score", "0.375000", 3, 8, 0, ["0.136844", "0.694258"]),
        ("knowledge_pass_rate", "0.500000", 1, 2, 0, ["0.094531", "0.905469"]),
    ],
)
def test_vendor_metrics_of_the_month_by_hand(
    metric: str,
    value: str,
    numerator: int | None,
    denominator: int,
    missing: int,
    interval: list[str],
) -> None:
    found = by_hand()["vendor_scores"]["metrics"][metric]
    kept = ("value", "numerator", "denominator", "missing", "pending", "interval")
    assert [found[key] for key in kept] == [value, numerator, denominator, missing, 0, interval]


def test_vendor_scores_of_the_month_by_hand() -> None:
    scores = by_hand()["vendor_scores"]
    assert scores["dimensions"] == {
        "response": {"score": "23.33", "weight": "30"},
        "resolution": {"score": "20.00", "weight": "50"},
        "knowledge": {"score": "0.00", "weight": "20"},
    }
    # Response enters as no more than resolution: (30 * 20 + 50 * 20 + 20 * 0) / 100.
    assert (scores["score"], scores["not_rated"]) == ("16.00", [])
    unbalanced = by_hand(POLICY.replace("balance = true", "balance = false"))
    assert unbalanced["vendor_scores"]["score"] == "17.00"


@pytest.mark.parametrize(
    ("weight", "resolution", "score", "not_rated"),
    [("60", "20.00", "16.00", []), ("60.1", None, None, ["resolution"])],
)
def test_a_dimension_needs_half_of_its_weight_rated(
    weight: str, resolution: str | None, score: str | None, not_rated: list[str]
) -> None:
    # Reopens are known of too few to be rated; resolution in time carries 60.
    text = POLICY.replace("reopen_rate = { weight = 40", f"reopen_rate = {{ weight = {weight}")
    scores = by_hand(text)["vendor_scores"]
    assert scores["dimensions"]["resolution"]["score"] == resolution
    assert (scores["score"], scores["not_rated"]) == (score, not_rated)


def test_a_dimension_that_the_policy_leaves_out_is_shown_without_weight() -> None:
    text = POLICY[: POLICY.index("[dimensions.knowledge]")]
    scores = by_hand(text)["vendor_scores"]
    assert scores["dimensions"]["knowledge"] == {"score": None, "weight": "0"}
    assert (scores["score"], scores["not_rated"]) == ("20.00", [])


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("first_reply_on_time", [True, "0.90", "0.30", "33.33", "missed", "clear"]),
        ("first_reply_p90", [True, "3600", "36000", "0.00", "missed", "clear"]),
        ("first_reply_p50", [True, None, None, None, None, None]),
        ("resolution_on_time", [True, "0.90", "0.40", "20.00", "missed", "clear"]),
        ("reopen_rate", [False, "0.05", "0.55", "43.33", "missed", "too_few"]),
        ("knowledge_score", [True, "0.9", "0.5", "0.00", "missed", "clear"]),
    ],
)
def test_verdicts_of_the_month_by_hand(metric: str, expected: list[str | None]) -> None:
    found = by_hand()["vendor_scores"]["metrics"][metric]
    kept = ("rated", "target", "floor", "points", "contract", "evidence")
    assert [found[key] for key in kept] == expected
    assert found["adjusted"] is None


def test_the_survey_stands_beside_csat() -> None:
    survey = by_hand()["vendor_scores"]["metrics"]["csat"]["survey"]
    assert survey == {"invited": 3, "answered": 2, "response_rate": "0.666667"}


def test_agents_of_the_month_by_hand() -> None:
    rows = [
        (
            *(row[key] for key in ("agent_id", "name", "volume", "score", "not_rated")),
            *(row["dimensions"][name]["score"] for name in ("response", "resolution", "knowledge")),
        )
        for row in by_hand()["agents"]
    ]
    assert rows == [
        ("ann", "Ann", 3, "15.70", [], "42.78", "4.00", "62.50"),
        ("bob", None, 3, "16.00", [], "43.33", "20.00", "0.00"),
        ("cat", None, 1, None, ["response", "resolution", "knowledge"], None, None, None),
    ]


def test_what_happened_after_the_as_of_instant_has_not_happened() -> None:
    document = by_hand(as_of=here("07T13:00"))
    assert (document["as_of"], document["status"]) == ("2026-09-07T06:00:00Z", "provisional")
    assert document["volume"]["scored"] == 3
    metrics = document["vendor_scores"]["metrics"]
    # Contact 3 has waited for exactly its target: it is not missed before one microsecond more.
    kept = ("numerator", "denominator", "pending")
    assert [metrics["first_reply_on_time"][key] for key in kept] == [2, 2, 1]
    assert [metrics["resolution_on_time"][key] for key in kept] == [1, 1, 2]
    assert [metrics["repeat_contact_rate"][key] for key in kept] == [0, 0, 1]
    later = by_hand(as_of=here("07T13:00:00.000001"))["vendor_scores"]["metrics"]
    assert [later["first_reply_on_time"][key] for key in kept] == [2, 3, 0]


def test_the_future_cannot_be_asked_for() -> None:
    now = here("20T10:00")
    assert by_hand(now=now, as_of=now + 300 * SECOND)["status"] == "provisional"
    with pytest.raises(ValueError, match="future"):
        by_hand(now=now, as_of=now + 300 * SECOND + 1)
