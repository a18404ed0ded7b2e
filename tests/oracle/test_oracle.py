"""The oracle itself: against figures worked out by hand and against published vectors."""

from decimal import Decimal
from fractions import Fraction

import pytest

from oracle.by_hand import POLICY, by_hand, here
from oracle.clock import SECOND
from oracle.counts import Tally
from oracle.intervals import order_statistics, wilson, written


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
    tally = Tally("percentile", denominator=reached + unreached, quantile=quantile, spans=spans)
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
    ("metric", "value", "numerator", "denominator", "missing", "excluded", "interval"),
    [
        ("first_reply_on_time", "0.500000", 3, 6, 1, 3, ["0.187616", "0.812384"]),
        ("first_reply_p50", "14400.000000", None, 6, 1, 3, ["30.000000", "not_reached"]),
        ("first_reply_p90", "not_reached", None, 6, 1, 3, ["14400.000001", "not_reached"]),
        # The policy has no target for next replies.
        ("next_reply_on_time", None, 0, 0, 0, 0, None),
        ("abandon_rate", "0.500000", 1, 2, 0, 8, ["0.094531", "0.905469"]),
        ("resolution_rate", "0.666667", 4, 6, 0, 4, ["0.299993", "0.903229"]),
        ("resolution_on_time", "0.500000", 3, 6, 0, 4, ["0.187616", "0.812384"]),
        ("resolution_p50", "64800.000000", None, 6, 0, 4, ["600.000000", "not_reached"]),
        ("resolution_p90", "not_reached", None, 6, 0, 4, ["64800.000001", "not_reached"]),
        ("first_contact_resolution", "0.250000", 1, 4, 2, 4, ["0.045587", "0.699358"]),
        ("repeat_contact_rate", "0.333333", 1, 3, 1, 6, ["0.061492", "0.792340"]),
        ("reopen_rate", "0.333333", 1, 3, 1, 6, ["0.061492", "0.792340"]),
        ("handover_rate", "0.200000", 1, 5, 1, 4, ["0.036224", "0.624465"]),
        ("csat", "0.500000", 1, 2, 0, 8, ["0.094531", "0.905469"]),
        ("quality", None, None, 0, 0, 10, None),
        ("knowledge_score", "0.375000", 3, 8, 0, 1, ["0.136844", "0.694258"]),
        ("knowledge_pass_rate", "0.500000", 1, 2, 0, 1, ["0.094531", "0.905469"]),
        # Ann: returns and sizing; Bob: returns; Cat: returns. Ann answered one of returns right.
        # Without a topic: contact 8 of Ann, 3 and 10 of Bob.
        ("knowledge_coverage", "0.250000", 1, 4, 3, 0, ["0.045587", "0.699358"]),
    ],
)
def test_vendor_metrics_of_the_month_by_hand(
    metric: str,
    value: str | None,
    numerator: int | None,
    denominator: int,
    missing: int,
    excluded: int,
    interval: list[str] | None,
) -> None:
    found = by_hand()["vendor_scores"]["metrics"][metric]
    kept = ("value", "numerator", "denominator", "missing", "excluded", "interval", "pending")
    expected = [value, numerator, denominator, missing, excluded, interval, 0]
    assert [found[key] for key in kept] == expected


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
