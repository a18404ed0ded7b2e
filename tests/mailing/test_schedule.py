"""Which mail is next, and what comes of an attempt: a table, without a database or a clock."""

import random
from dataclasses import replace
from typing import Any

import pytest

from vendorwatch.mailing.keys import message_id
from vendorwatch.mailing.model import Delivery
from vendorwatch.mailing.schedule import (
    DIGEST_PATIENCE,
    NEVER,
    STOPS,
    Ending,
    Mark,
    Waiting,
    after,
    due,
)
from vendorwatch.periods import DAY, SECOND

NOW = 1_794_000_000 * SECOND


def row(name: str = "a", **changes: Any) -> Delivery:
    values: dict[str, Any] = {
        "merchant_id": "m", "delivery_id": name, "engagement_id": f"e-{name}", "scorecard_id": "s",
        "subject_key": "2026-10/r1", "recipient_id": "r", "kind": "scorecard", "facts": None,
        "state": "queued", "reason": None, "message_id": None, "attempts": 0,
        "next_attempt_at": NOW, "leased_until": None, "lease_token": None, "last_reply": None,
        "created_at": NOW, "sent_at": None,
    }  # fmt: skip
    return Delivery(**values | changes)


@pytest.mark.parametrize(
    ("changes", "is_due"),
    [
        ({}, True),
        ({"next_attempt_at": NOW + 1}, False),
        ({"state": "unknown"}, True),
        ({"state": "unknown", "next_attempt_at": NEVER}, False),
        ({"state": "sending", "leased_until": NOW + 1}, False),
        ({"state": "sending", "leased_until": NOW}, True),
        *[({"state": each}, False) for each in ("sent", "failed", "cancelled", "skipped")],
    ],
)
def test_what_is_due(changes: dict[str, Any], is_due: bool) -> None:
    assert bool(due([row(**changes)], {}, NOW)) is is_due


def test_the_longest_wait_comes_first() -> None:
    rows = [row(str(n), next_attempt_at=NOW - n) for n in range(5)]
    random.Random(1).shuffle(rows)
    assert [mail[0].delivery_id for mail in due(rows, {}, NOW)] == ["4", "3", "2", "1", "0"]


def digest(name: str, **changes: Any) -> Delivery:
    return row(name, kind="digest", **changes)


@pytest.mark.parametrize(
    ("issued", "every", "age", "is_due"),
    [
        ({"e-a"}, {"e-a"}, 0, True),
        ({"e-a"}, {"e-a", "e-b"}, 0, False),
        ({"e-a"}, {"e-a", "e-b"}, DIGEST_PATIENCE - 1, False),
        ({"e-a"}, {"e-a", "e-b"}, DIGEST_PATIENCE, True),
        ({"e-a", "e-b"}, {"e-a", "e-b"}, 0, True),
        ({"e-a", "e-new"}, {"e-a"}, 0, True),
    ],
)
def test_a_digest_waits_for_the_other_vendors(
    issued: set[str], every: set[str], age: int, is_due: bool
) -> None:
    rows = [digest("a", created_at=NOW - age)]
    assert bool(due(rows, {("r", "2026-10"): Waiting(issued, every)}, NOW)) is is_due


def test_digests_of_one_reader_and_month_are_one_mail() -> None:
    complete = Waiting({"e"}, {"e"})
    rows = [
        digest("a"),
        digest("b"),
        digest("c", subject_key="2026-11/r1"),
        digest("d", recipient_id="other"),
        digest("e", message_id="fixed"),
        row("f"),
    ]
    keys = [("r", "2026-10"), ("r", "2026-11"), ("other", "2026-10")]
    mails = due(rows, dict.fromkeys(keys, complete), NOW)
    assert sorted("".join(each.delivery_id for each in mail) for mail in mails) == [
        "ab", "c", "d", "e", "f",
    ]  # fmt: skip


def test_a_digest_of_which_a_part_may_not_start_waits_for_it() -> None:
    rows = [digest("a"), digest("b", next_attempt_at=NOW + 1)]
    assert due(rows, {("r", "2026-10"): Waiting({"e"}, {"e"})}, NOW) == []


@pytest.mark.parametrize(
    ("ending", "expected"),
    [
        (Ending.SENT, Mark("sent", None, NOW, 1)),
        (Ending.REFUSED, Mark("failed", "refused", NOW, 1)),
        (Ending.TOO_LARGE, Mark("failed", "too-large", NOW, 1)),
        (Ending.DEFERRED, Mark("queued", "deferred", NOW + 300 * SECOND, 1)),
        (Ending.NOT_COMPOSED, Mark("queued", "not-composed", NOW + 300 * SECOND, 1)),
        (Ending.UNKNOWN, Mark("unknown", "unknown", NOW + 300 * SECOND, 1)),
        (Ending.UNREACHABLE, Mark("queued", "unreachable", NOW + 300 * SECOND, 0)),
        (Ending.INSECURE, Mark("queued", "insecure", NOW + 3_600 * SECOND, 0)),
        (Ending.LOGIN, Mark("queued", "login", NOW + 3_600 * SECOND, 0)),
    ],
)
def test_what_comes_of_an_attempt(ending: Ending, expected: Mark) -> None:
    assert after(ending, 1, NOW) == expected


@pytest.mark.parametrize(
    "ending", [e for e in Ending if e not in {Ending.SENT, Ending.REFUSED, Ending.TOO_LARGE}]
)
def test_a_doubt_stays_until_the_server_says_something_clear(ending: Ending) -> None:
    found = after(ending, 2, NOW, doubtful=True)
    assert (found.state, found.reason) == ("unknown", "unknown")


def test_pauses_grow_to_four_days_and_end() -> None:
    pauses, attempts = [], 1
    while (found := after(Ending.DEFERRED, attempts, NOW)).state == "queued":
        pauses.append(found.next_attempt_at - NOW)
        attempts += 1
    assert pauses == sorted(pauses)
    assert 3.6 * DAY < sum(pauses) <= 4 * DAY
    assert (found.state, found.reason, found.next_attempt_at) == ("failed", "given-up", NEVER)
    assert after(Ending.UNKNOWN, attempts, NOW).state == "unknown"


def test_a_server_that_is_down_uses_up_no_attempt() -> None:
    for ending in STOPS:
        assert after(ending, 1_000, NOW).state == "queued"


def test_the_message_id_follows_from_what_the_rows_are_about() -> None:
    one, other = row("a"), row("b")
    made = message_id([one.unique_key, other.unique_key], "example.org")
    assert made == message_id([other.unique_key, one.unique_key], "example.org")
    assert made.endswith("@example.org>")
    assert made != message_id([one.unique_key], "example.org")
    changed = replace(one, attempts=3, state="unknown", delivery_id="z")
    assert message_id([changed.unique_key], "h") == message_id([one.unique_key], "h")
    for name in ("engagement_id", "subject_key", "recipient_id", "kind"):
        moved = replace(one, **{name: "x"})
        assert message_id([moved.unique_key], "h") != message_id([one.unique_key], "h")
