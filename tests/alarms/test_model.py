"""What is told, when, and how much of it in one mail: tables, and no database."""

from dataclasses import replace

import pytest

from vendorwatch.alarms.model import GATHERED, STALE, Alarm, Kind, State, due, next_mail
from vendorwatch.closing.model import Failure, Overdue
from vendorwatch.db.scope import Scope
from vendorwatch.mailing.model import Delivery
from vendorwatch.mailing.schedule import NEVER
from vendorwatch.periods import DAY, SECOND, Micros, Month

NOW: Micros = 1_795_000_000 * SECOND  # 2026-11-18T11:06:40Z
SCOPE = Scope("merchant", "engagement")
OCTOBER = Month(2026, 10)


def mail(**changes: object) -> Delivery:
    """Queued two days ago."""
    queued = Delivery(
        merchant_id="merchant", delivery_id="mail", engagement_id="engagement", scorecard_id=None,
        subject_key="2026-10/r1", recipient_id="recipient", kind="scorecard", facts=None,
        state="queued", reason=None, message_id=None, attempts=0, next_attempt_at=NOW,
        leased_until=None, lease_token=None, last_reply=None, created_at=NOW - 2 * DAY, sent_at=None,
    )  # fmt: skip
    return replace(queued, **changes)  # type: ignore[arg-type]  # as each test names them


def alarm(subject: str = "a", **changes: object) -> Alarm:
    made = Alarm(
        engagement_id="engagement", subject_key=subject, kind="mail_overdue", since=NOW - DAY,
        reason=None, raised_at=NOW, next_attempt_at=NOW,
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]  # as each test names them


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, "mail_overdue"),
        ({"created_at": NOW - DAY}, "mail_overdue"),
        ({"created_at": NOW - DAY + 1}, None),
        ({"kind": "digest", "created_at": NOW - 2 * DAY + 1}, None),  # it waits for other vendors
        ({"kind": "digest", "created_at": NOW - 2 * DAY}, "mail_overdue"),
        ({"state": "sending", "leased_until": NOW + DAY}, "mail_overdue"),
        ({"state": "unknown", "reason": "unknown"}, "mail_overdue"),
        ({"state": "unknown", "reason": "given-up", "next_attempt_at": NEVER}, "mail_given_up"),
        ({"state": "failed", "reason": "refused", "created_at": NOW}, "mail_given_up"),
        ({"state": "failed", "reason": "given-up", "next_attempt_at": NEVER}, "mail_given_up"),
        ({"state": "sent"}, None),
        ({"state": "cancelled", "next_attempt_at": NEVER}, None),
        ({"state": "skipped", "next_attempt_at": NEVER}, None),
    ],
)
def test_a_mail_is_told_a_day_after_it_was_due_and_when_it_is_given_up(
    changes: dict[str, object], kind: Kind | None
) -> None:
    found = due(State([], [mail(**changes)], ()), NOW)
    assert [each.kind for each in found] == ([kind] if kind else [])


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (None, None),
        (Failure(1, "No.", NOW + 5), "No. (failed once, last on 2026-11-18 11:06 UTC)"),
        (Failure(37, "No.", NOW), "No. (failed 37 times, last on 2026-11-18 11:06 UTC)"),
    ],
)
def test_a_month_is_told_with_its_last_error(failure: Failure | None, reason: str | None) -> None:
    [found] = due(State([Overdue(SCOPE, OCTOBER, NOW - DAY, failure)], [], ()), NOW)
    assert (found.kind, found.subject_key) == ("month_overdue", "2026-10")
    assert (found.since, found.raised_at, found.reason) == (NOW - DAY, NOW, reason)


def test_each_is_told_once() -> None:
    months = [Overdue(SCOPE, OCTOBER, NOW - DAY, None)]
    mails = [mail(), mail(delivery_id="other", created_at=NOW - 9 * DAY)]
    first = due(State(months, mails, ()), NOW)
    assert [each.subject_key for each in first] == ["other", "mail", "2026-10"]  # longest first
    raised = {each.key for each in first}
    assert due(State(months, mails, raised), NOW + 30 * DAY) == []
    # Given up later is another thing, and so is the next month.
    months.append(Overdue(SCOPE, OCTOBER.next(), NOW, None))
    given_up = mail(state="failed", reason="given-up", next_attempt_at=NEVER)
    later = due(State(months, [given_up], raised), NOW + 30 * DAY)
    assert [each.kind for each in later] == ["mail_given_up", "month_overdue"]


def test_what_cannot_be_read_is_told_once_a_month() -> None:
    unreadable = [Overdue(SCOPE, None, None, Failure(1, "ValueError", NOW))]
    [first] = due(State(unreadable, [], ()), NOW)
    assert (first.kind, first.subject_key, first.reason) == (
        "months_unreadable", "2026-11", "ValueError",
    )  # fmt: skip
    assert due(State(unreadable, [], {first.key}), NOW + DAY) == []
    [second] = due(State(unreadable, [], {first.key}), NOW + 20 * DAY)
    assert second.subject_key == "2026-12"


BEGUN = {"state": "queued", "message_id": "<1@x>"}


@pytest.mark.parametrize(
    ("unsent", "last_sent_at", "told"),
    [
        ([], None, ""),
        ([alarm("a"), alarm("b")], None, "ab"),
        ([alarm("a"), alarm("b")], NOW - GATHERED + 1, ""),  # gathered for the next mail
        ([alarm("a"), alarm("b")], NOW - GATHERED, "ab"),
        ([alarm("a", raised_at=NOW - STALE)], None, ""),
        # A mail that was begun stays as it is, and goes first.
        ([alarm("a", **BEGUN), alarm("b")], NOW, "a"),
        ([alarm("a", **BEGUN, raised_at=NOW - STALE)], None, "a"),
        ([alarm("a", **BEGUN | {"next_attempt_at": NOW + 1}), alarm("b")], None, ""),
        (
            [alarm("a", **BEGUN | {"state": "sending", "leased_until": NOW + 1}), alarm("b")],
            None,
            "",
        ),
        ([alarm("a", **BEGUN | {"state": "sending", "leased_until": NOW}), alarm("b")], None, "a"),
        # Whatever became of it, one that was given up holds up no other.
        (
            [alarm("a", **BEGUN | {"state": "unknown", "next_attempt_at": NEVER}), alarm("b")],
            None,
            "b",
        ),
    ],
)
def test_one_mail_tells_all_and_there_is_one_in_an_hour(
    unsent: list[Alarm], last_sent_at: Micros | None, told: str
) -> None:
    found = next_mail(unsent, last_sent_at, NOW)
    assert "".join(each.subject_key for each in found) == told
