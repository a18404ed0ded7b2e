"""The month of twelve contacts again: next replies, times of day, reviews, withdrawn questions."""

from typing import Any

import pytest

from oracle.by_hand import POLICY, asked, by_hand, here, ten_contacts
from oracle.clock import DAY

Runs = dict[int, list[tuple[str, str | None]]]

NEXT_REPLY = """
[targets.next_reply]
default = { seconds = 3600, clock = "business" }
[dimensions.response]
"""
COUNTS = ("numerator", "denominator", "pending", "missing", "excluded")


def metric(document: dict[str, Any], name: str, agent: str | None = None) -> dict[str, Any]:
    level = document["vendor_scores"]
    if agent is not None:
        level = next(row for row in document["agents"] if row["agent_id"] == agent)
    found: dict[str, Any] = level["metrics"][name]
    return found


def counts(document: dict[str, Any], name: str, agent: str | None = None) -> list[int | None]:
    return [metric(document, name, agent)[key] for key in COUNTS]


def with_runs(runs: Runs, **changes: Any) -> dict[str, Any]:
    records = ten_contacts()
    for number, pairs in runs.items():
        records[number - 1]["next_replies"] = [
            [here(start), None if end is None else here(end)] for start, end in pairs
        ]
    policy = POLICY.replace("[dimensions.response]\n", NEXT_REPLY)
    return by_hand(policy, records=records, **changes)


RUNS: Runs = {
    # An hour, which is the target; then half an hour, the night, half an hour and a microsecond.
    1: [("03T11:00", "03T12:00"), ("03T17:30", "04T09:30:00.000001")],
    # Never answered; then a quarter of an hour before closing on the as-of's day; then after it.
    3: [
        ("30T17:30", None),
        ("2026-10-07T17:45", "2026-10-09T10:00"),
        ("2026-10-08T00:00:00.000001", None),
    ],
    4: [],
}


def test_next_replies_count_runs_of_the_contacts_that_tell_of_them() -> None:
    document = with_runs(RUNS)
    # Contacts 2 and 10 cannot say. 4 had no run; 5 was given up, 8 not replied to; 6, 7, 9 are out.
    assert counts(document, "next_reply_on_time") == [1, 3, 1, 2, 6]
    # Of Ann 1, 2 and 8; of Bob 3, 4 and 10; Cat replied to nobody.
    assert counts(document, "next_reply_on_time", "ann") == [1, 2, 0, 1, 1]
    assert counts(document, "next_reply_on_time", "bob") == [0, 1, 1, 1, 1]
    assert counts(document, "next_reply_on_time", "cat") == [0, 0, 0, 0, 0]


def test_a_run_is_due_when_more_than_the_target_has_passed() -> None:
    # On the 4th at half past nine the second run has waited for exactly an hour, and Bob's
    # contact 3 has not been opened yet. Excluded is nobody: only contact 1 has been opened.
    asks: Runs = {1: [("03T17:30", "04T09:40")]}
    moment = here("04T09:30")
    assert counts(with_runs(asks, as_of=moment), "next_reply_on_time") == [0, 0, 1, 0, 0]
    assert counts(with_runs(asks, as_of=moment + 1), "next_reply_on_time") == [0, 1, 0, 0, 0]
    early = counts(with_runs(asks, as_of=here("03T17:29")), "next_reply_on_time")
    assert early == [0, 0, 0, 0, 1]


@pytest.mark.parametrize(
    ("target", "as_of", "expected", "median"),
    [
        # Contact 1: the 2nd is a holiday, due on the 3rd at twelve, replied at ten. 2 and 3 are
        # due at twelve, replied at one. 4 has the chat's target. 5 given up. 8 due on 1 October.
        ('reply_by = "12:00", clock = "business"', None, [2, 6, 0, 1, 3], "14400.000000"),
        ('reply_by = "12:00", clock = "business"', "10-01T12:00", [2, 5, 1, 1, 3], "14400.000000"),
        (
            'reply_by = "12:00", clock = "business"',
            "10-01T12:00:00.000001",
            [2, 6, 0, 1, 3],
            "14400.000000",
        ),
        # Any day will do: contact 1 was due on the holiday.
        ('reply_by = "12:00"', None, [1, 6, 0, 1, 3], "14400.000001"),
        # In time is the minute itself, and not a microsecond more; strictly after the opening.
        ('reply_by = "13:00"', None, [2, 6, 0, 1, 3], "14400.000001"),
        ('reply_by = "09:00"', None, [3, 6, 0, 1, 3], "14400.000001"),
    ],
)
def test_targets_by_the_time_of_day(
    target: str, as_of: str | None, expected: list[int], median: str
) -> None:
    policy = POLICY.replace(
        'default = { seconds = 14400, clock = "business"', f"default = {{ {target}"
    )
    moment = None if as_of is None else here(f"2026-{as_of}")
    document = by_hand(policy, as_of=moment)
    assert counts(document, "first_reply_on_time") == expected
    assert metric(document, "first_reply_p50")["value"] == median


def test_a_time_of_day_is_never_due_where_nobody_works() -> None:
    text = POLICY.replace(
        'seconds = 64800, clock = "business"', 'reply_by = "12:00", clock = "business"'
    )
    days = ("mon", "tue", "wed", "thu", "fri")
    for day in days:
        text = text.replace(f'{day} = ["09:00-18:00"]', f"{day} = []")
    # Contacts 1, 2, 3 are resolved and so in time, like 4 by its own target; 8 and 10 wait.
    assert counts(by_hand(text), "resolution_on_time") == [4, 4, 2, 0, 4]


def criterion(
    weight: int, score: int, maximum: int, *, applicable: bool = True, critical: bool = False
) -> dict[str, Any]:
    return {
        "weight": weight,
        "score": score,
        "maximum": maximum,
        "applicable": applicable,
        "critical": critical,
    }


def review(number: int, *criteria: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "review_id": f"{number} {len(criteria)}",
        "source_account": "",
        "interaction_id": str(number),
        "reviewer": "merchant",
        "sampling": "random",
        "withdrawn": False,
        "reviewed_at": here("20T10:00"),
        "criteria": list(criteria) or [criterion(1, 1, 1)],
        **changes,
    }


def test_quality_is_the_mean_of_the_merchants_samples() -> None:
    final = here("2026-10-08T00:00")
    reviews = [
        # (3 * 4/5 + 1/2) / 4 = 0.725: what is not applicable has no weight.
        review(
            1,
            criterion(3, 4, 5),
            criterion(1, 1, 2),
            criterion(2, 0, 1, applicable=False, critical=True),
        ),
        # A critical one at exactly a half has not failed: 0.5.
        review(1, criterion(1, 1, 2, critical=True), sampling="stratified", reviewed_at=final),
        # A failed one makes it nothing.
        review(4, criterion(1, 2, 5, critical=True), criterion(9, 1, 1)),
        review(2, sampling="targeted"),
        review(2, sampling="complaint"),
        review(3, reviewer="vendor"),
        review(8, withdrawn=True),
        review(10, reviewed_at=final + 1),
        review(5),  # given up
        review(9),  # spam
        review(11),  # of another month
        review(1, source_account="eu"),  # of nobody
    ]
    document = by_hand(reviews=reviews)
    # 1.225 of 3. Wilson: (1.225 + 1.9207 +- 1.96 sqrt(1.225 * 1.775 / 3 + 0.9604)) / 6.8415.
    found = metric(document, "quality")
    assert (found["kind"], found["value"]) == ("mean", "0.408333")
    assert found["interval"] == ["0.087910", "0.831698"]
    assert counts(document, "quality") == [None, 3, 0, 0, 8]
    # Of Ann 1, 2 and 8, of Cat 4. Contact 3 and 10 are Bob's.
    assert counts(document, "quality", "ann") == [None, 2, 0, 0, 2]
    assert metric(document, "quality", "ann")["value"] == "0.612500"
    assert counts(document, "quality", "cat") == [None, 1, 0, 0, 0]
    assert counts(document, "quality", "bob") == [None, 0, 0, 0, 2]
    assert (found["adjusted"], found["peers"]) == (None, None)


def withdrawing(assignment: dict[str, Any], *numbers: int) -> dict[str, Any]:
    questions = [
        question | {"withdrawn": number in numbers}
        for number, question in enumerate(assignment["questions"])
    ]
    return assignment | {"questions": questions}


def answered(*correct: bool) -> list[dict[str, Any]]:
    return [{"submitted_at": here("13T10:00"), "correct": list(correct)}]


def test_withdrawn_questions_count_for_nobody() -> None:
    ann, bob = asked("ann", answered(True, False, True)), asked("bob", answered(True, True, False))
    cat = asked("cat", answered(True, True, True), excused=True)
    # Without the first question Ann has 1 of 2 and Bob too; the pass mark is 75.
    document = by_hand(knowledge=[withdrawing(one, 0) for one in (ann, bob, cat)])
    assert counts(document, "knowledge_score") == [2, 4, 0, 0, 1]
    assert counts(document, "knowledge_pass_rate") == [0, 2, 0, 0, 1]
    assert counts(document, "knowledge_pass_rate", "cat") == [0, 0, 0, 0, 1]
    # Without all but the second, Bob passes; Ann and Bob were asked one question each.
    document = by_hand(knowledge=[withdrawing(one, 0, 2) for one in (ann, bob)])
    assert counts(document, "knowledge_pass_rate") == [1, 2, 0, 0, 0]
    assert not metric(document, "knowledge_score")["rated"]
    document = by_hand(knowledge=[withdrawing(one, 0, 1, 2) for one in (ann, bob)])
    assert counts(document, "knowledge_score") == [0, 0, 0, 0, 2]
    assert counts(document, "knowledge_coverage") == [0, 4, 0, 3, 0]


@pytest.mark.parametrize(("past", "known"), [(0, 0), (1, 2)])
def test_answers_are_remembered_for_180_days(past: int, known: int) -> None:
    moment = here("2026-10-08T00:00") - 180 * DAY + past
    attempt = {"submitted_at": moment, "correct": [True, True, False]}
    check = asked("ann", [attempt]) | {"due_at": moment}
    document = by_hand(knowledge=[check])
    # Ann's topics are returns and sizing; Bob and Cat have answered nothing about theirs.
    assert counts(document, "knowledge_coverage", "ann") == [known, 2, 0, 1, 0]
    assert counts(document, "knowledge_coverage") == [known, 4, 0, 3, 0]
    assert metric(document, "knowledge_coverage", "ann")["rated"] is bool(past)
    assert metric(document, "knowledge_coverage", "bob")["rated"] is False
    assert counts(document, "knowledge_score") == [0, 0, 0, 0, 0]


def test_answers_after_the_due_date_or_the_as_of_instant_cover_nothing() -> None:
    attempt = {"submitted_at": here("13T10:00"), "correct": [True, True, True]}
    late = asked("ann", [attempt]) | {"due_at": here("13T09:59")}
    assert counts(by_hand(knowledge=[late]), "knowledge_coverage") == [0, 4, 0, 3, 0]
    early = by_hand(knowledge=[asked("ann", [attempt])], as_of=here("13T09:59"))
    assert counts(early, "knowledge_coverage", "ann") == [0, 2, 0, 0, 0]
    # Of the open check that is due later, what is submitted already counts.
    open_check = by_hand(knowledge=[asked("ann", [attempt])], as_of=here("13T10:00"))
    assert counts(open_check, "knowledge_coverage", "ann") == [2, 2, 0, 0, 0]
    assert counts(open_check, "knowledge_score", "ann") == [0, 0, 0, 0, 0]


def test_what_is_excluded_of_an_agent() -> None:
    document = by_hand()
    # Nobody's row is missing: contacts 7, 9 are credited to "nobody", who has no scored ones.
    assert [row["agent_id"] for row in document["agents"]] == ["ann", "bob", "cat"]
    # Bob's by reply: 3, 4 and 10, of which only 4 is a chat; by resolution: 3 and 10, not 4.
    assert counts(document, "abandon_rate", "bob") == [0, 1, 0, 0, 2]
    assert counts(document, "reopen_rate", "bob") == [0, 0, 0, 1, 1]
    records = ten_contacts()
    records[4]["resolved_by_agent_id"] = "cat"  # the chat that was given up
    assert counts(by_hand(records=records), "resolution_rate", "cat") == [1, 1, 0, 0, 1]


def test_keys_stand_in_their_order() -> None:
    document = by_hand()
    keys = "kind value numerator denominator pending missing excluded interval rated target floor"
    keys += " points contract evidence adjusted peers"
    for name, found in document["vendor_scores"]["metrics"].items():
        more = ["survey"] if name == "csat" else []
        assert list(found) == keys.split() + more
    # Rates of contacts have peers, of knowledge not. The three agents replied to 2, 3 and none.
    replies = metric(document, "first_reply_on_time")["peers"]
    assert replies["agents"] == 2
    assert metric(document, "knowledge_score")["peers"] is None
    assert metric(document, "first_reply_p50")["peers"] is None
    assert metric(document, "first_reply_on_time", "cat")["peers"] is None
