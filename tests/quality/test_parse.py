"""Rubrics and reviews are read strictly, exactly, and with every mistake named."""

from collections.abc import Mapping
from decimal import Decimal

import pytest

from vendorwatch.periods import SECOND
from vendorwatch.quality.parse import Reading, read_reviews, read_rubric
from vendorwatch.quality.record import MOST_REVIEWS, RubricContent
from vendorwatch.web.strict import BadBody, read_json

NOW = 1_790_000_000 * SECOND  # 2026-09-21T14:13:20Z


def criterion(**changes: object) -> dict[str, object]:
    return {"criterion_id": "tone", "title": "Tone", "weight": 1, "maximum": 5} | changes


def rubric(*criteria: object, **changes: object) -> dict[str, object]:
    return {"title": "Written", "criteria": list(criteria or [criterion()])} | changes


def review(**changes: object) -> dict[str, object]:
    return {
        "review_id": "r",
        "interaction_id": "T-1",
        "rubric_id": "written",
        "sampling": "random",
        "scores": {"tone": 4},
    } | changes


def content(value: Mapping[str, object]) -> RubricContent:
    found = read_rubric("written", value)
    assert isinstance(found, tuple)
    return found[1]


def faults_of_rubric(value: Mapping[str, object], name: str = "written") -> list[tuple[str, str]]:
    found = read_rubric(name, value)
    assert isinstance(found, list)
    return [(fault.field or "", fault.code) for fault in found]


def faults_of(reading: Reading) -> list[tuple[int | None, str | None, str]]:
    return [(fault.row, fault.field, fault.code) for fault in reading.faults]


@pytest.mark.parametrize("number", ["0.1", '"0.1"', "0.10", "1e-1", '"0.100"', "10E-2"])
def test_a_number_is_what_its_digits_say(number: str) -> None:
    sent = read_json(b'{"title": "t", "criteria": [%b]}' % _criterion_text(number).encode())
    [found] = content(sent).criteria
    assert found.weight == "0.1"


def test_digits_that_a_binary_float_would_lose_are_not_lost() -> None:
    """0.30000000000000001 is the same float as 0.3."""
    sent = read_json(
        b'{"title": "t", "criteria": [%b]}' % _criterion_text("0.30000000000000001").encode()
    )
    assert faults_of_rubric(sent) == [("criteria[0].weight", "bad_value")]
    [review_] = read_json(
        b'[{"review_id": "r", "interaction_id": "T", "rubric_id": "w", "sampling": "random",'
        b' "scores": {"tone": 999.999999, "wit": 1E+2}}]'
    )
    [(_, entry)] = read_reviews([review_], now=NOW).entries
    assert entry.scores == {"tone": "999.999999", "wit": "100"}


def _criterion_text(weight: str) -> str:
    return f'{{"criterion_id": "a", "title": "A", "weight": {weight}, "maximum": 1}}'


@pytest.mark.parametrize(
    "body", [b"[NaN]", b"[Infinity]", b"[-Infinity]", b"[1e99999999999999999999]"]
)
def test_what_is_no_number_is_no_json(body: bytes) -> None:
    with pytest.raises(BadBody):
        read_json(body)


@pytest.mark.parametrize(
    ("weight", "code"),
    [
        ("NaN", "bad_value"),
        ("Infinity", "bad_value"),
        ("1e1", "bad_value"),
        ("1_0", "bad_value"),
        (" 1", "bad_value"),
        ("\u0661", "bad_value"),
        ("", "bad_value"),
        (True, "bad_value"),
        ([1], "bad_value"),
        (Decimal("0.001"), "bad_value"),
        (Decimal("1E-999999"), "bad_value"),
        (Decimal("1E+999999"), "out_of_range"),
        (Decimal("-0.01"), "out_of_range"),
        ("10000.01", "out_of_range"),
    ],
    ids=repr,
)
def test_other_weights_are_refused(weight: object, code: str) -> None:
    assert faults_of_rubric(rubric(criterion(weight=weight))) == [("criteria[0].weight", code)]


def test_the_sign_of_zero_and_needless_zeros_make_no_difference() -> None:
    plain = content(rubric(criterion(), criterion(criterion_id="b", weight=0, maximum=10)))
    odd = [
        criterion(weight="1.00", maximum=Decimal("5.0")),
        criterion(criterion_id="b", weight=Decimal("-0.0"), maximum=Decimal("1E+1")),
    ]
    assert content(rubric(*odd)) == plain


def test_every_mistake_of_a_rubric_is_named() -> None:
    sent = {
        "criteria": [
            criterion(maximum=0, colour="red", title=" "),
            criterion(weight="x", critical="yes"),
            criterion(criterion_id=" b", maximum=None),
            "tone",
        ],
        "owner": "me",
    }
    assert faults_of_rubric(sent, name=" written") == [
        ("rubric_id", "bad_value"),
        ("owner", "unknown_field"),
        ("title", "missing_required"),
        ("criteria[0].colour", "unknown_field"),
        ("criteria[0].title", "bad_value"),
        ("criteria[0].maximum", "out_of_range"),
        ("criteria[1].weight", "bad_value"),
        ("criteria[1].critical", "bad_value"),
        ("criteria[2].criterion_id", "bad_value"),
        ("criteria[2].maximum", "missing_required"),
        ("criteria[3]", "bad_value"),
        ("criteria[1].criterion_id", "duplicate_id"),
    ]


@pytest.mark.parametrize(
    "criteria",
    [
        [],
        [criterion(weight=0)],
        [criterion(criterion_id=str(index)) for index in range(51)],
        [criterion(criterion_id=str(index), maximum=index + 1) for index in range(11)],
    ],
    ids=["none", "no weight", "too many", "too many maxima"],
)
def test_a_rubric_must_be_of_use(criteria: list[object]) -> None:
    [(place, _)] = faults_of_rubric({"title": "t", "criteria": criteria})
    assert place == "criteria"


def test_every_mistake_of_every_review_is_named() -> None:
    rows: list[dict[str, object]] = [
        review(sampling="by hand", reviewer="me", rubric_version=0, source_account="x" * 65),
        review(review_id="ok"),
        {"review_id": "ok", "scores": {"tone": "five", "wit": -1, "pace": None}},
        review(review_id="a", scores=[4], comment="\0", reviewed_at="2026-09-21T14:18:21Z"),
        review(review_id="b", colour=1, reviewed_at="2026-02-30T00:00:00Z", interaction_id=7),
    ]
    assert faults_of(read_reviews(rows, now=NOW)) == [
        (1, "source_account", "bad_value"),
        (1, "rubric_version", "bad_value"),
        (1, "reviewer", "bad_value"),
        (1, "sampling", "bad_value"),
        (3, "interaction_id", "missing_required"),
        (3, "rubric_id", "missing_required"),
        (3, "sampling", "missing_required"),
        (3, "scores.tone", "bad_value"),
        (3, "scores.wit", "out_of_range"),
        (3, "scores.pace", "bad_value"),
        (3, "review_id", "duplicate_id"),
        (4, "scores", "bad_value"),
        (4, "comment", "illegal_character"),
        (4, "reviewed_at", "future_timestamp"),
        (5, "colour", "unknown_field"),
        (5, "interaction_id", "bad_value"),
        (5, "reviewed_at", "bad_timestamp"),
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2026-09-21T14:18:20Z", None),  # five minutes ahead
        ("2026-09-21T14:18:20.000001Z", "future_timestamp"),
        ("2026-09-21t21:13:20.5+07:00", None),
        ("2026-09-21T14:13:20", "bad_timestamp"),
        ("2026-09-21", "bad_timestamp"),
        ("2026-09-21T14:13:20.1234567Z", "bad_timestamp"),
        ("2026-09-21T14:13:60Z", "bad_timestamp"),
        ("2026-09-21T14:13:20+24:00", "bad_timestamp"),
        ("1969-12-31T23:59:59Z", "out_of_range"),
        ("0001-01-01T00:00:00+14:00", "out_of_range"),
        (1_790_000_000, "bad_timestamp"),
    ],
)
def test_an_instant_is_exact_and_not_in_the_future(text: object, code: str | None) -> None:
    found = faults_of(read_reviews([review(reviewed_at=text)], now=NOW))
    assert found == ([(1, "reviewed_at", code)] if code else [])


def test_ids_are_the_same_however_they_were_typed() -> None:
    [(_, typed)] = read_reviews(
        [review(review_id="e\u0301", scores={"e\u0301": 1})], now=NOW
    ).entries
    assert (typed.review_id, list(typed.scores)) == ("\u00e9", ["\u00e9"])
    doubled = read_reviews([review(scores={"e\u0301": 1, "\u00e9": 2})], now=NOW)
    assert faults_of(doubled) == [(1, "scores.\u00e9", "duplicate_id")]


@pytest.mark.parametrize("count", [0, MOST_REVIEWS + 1])
def test_there_is_a_bound_to_a_request(count: int) -> None:
    assert faults_of(read_reviews([review()] * count, now=NOW)) == [(None, None, "out_of_range")]
