"""When a month is due, late, overdue, revisable or full of holes: tables, and no database."""

import itertools
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from vendorwatch.closing.gaps import gaps
from vendorwatch.closing.issuing import to_mail
from vendorwatch.closing.model import (
    Due,
    Issuance,
    Rules,
    State,
    due,
    is_late,
    overdue,
    revisable,
)
from vendorwatch.closing.refusals import MOST_MONTHS_BACK, BadClosingRequest, check_rules
from vendorwatch.db.scope import Scope
from vendorwatch.periods import DAY, SECOND, Micros, Month, load_zone, to_micros
from vendorwatch.policies.service import default_policy
from vendorwatch.scoring.policy import Policy
from vendorwatch.scoring.policy_file import parse_policy

DEFAULT = parse_policy(default_policy().source)
HANOI = load_zone("Asia/Ho_Chi_Minh")
OCTOBER = Month(2026, 10)


def at(text: str) -> Micros:
    return to_micros(datetime.fromisoformat(text))


def policy(first: Month, settling_days: int) -> Policy:
    return replace(DEFAULT, effective_from=first, settling_days=settling_days)


def state(
    zone: ZoneInfo = HANOI,
    *,
    created: str = "2026-10-05T00:00:00Z",
    frozen: tuple[Issuance, ...] = (),
    policies: tuple[Policy, ...] = (),
    noticed: tuple[tuple[Month, str], ...] = (),
    **rules: object,
) -> State:
    return State(
        zone=zone,
        created_at=at(created),
        rules=Rules(**rules),  # type: ignore[arg-type]  # as each test names them
        policies=policies,
        default=DEFAULT,
        newest={each.month: each for each in frozen},
        noticed=noticed,  # type: ignore[arg-type]  # literals
    )


def issuance(month: Month = OCTOBER, **changes: object) -> Issuance:
    made = Issuance(
        month=month,
        revision=1,
        scorecard_id="card",
        due_at=at("2026-11-07T17:00:00Z"),
        frozen_at=at("2026-11-07T17:00:01Z"),
        state="issued",
        issued_at=at("2026-11-07T17:00:01Z"),
        decided_by="rule",
        reason=None,
        is_late=False,
        changes=None,
        uploads=3,
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # as each test names them


def to_close(state: State, now: str) -> list[str]:
    return [str(each.month) for each in due(state, at(now)) if each.action == "close"]


@pytest.mark.parametrize(
    ("zone", "month", "instant"),
    [
        ("Asia/Ho_Chi_Minh", "2026-10", "2026-11-08T00:00:00+07:00"),
        # The clock changed between the month's start and the end of its settling: elapsed days.
        ("Europe/Budapest", "2026-10", "2026-11-08T00:00:00+01:00"),
        ("Europe/Budapest", "2026-03", "2026-04-08T00:00:00+02:00"),
        (
            "America/New_York",
            "2026-10",
            "2026-11-07T23:00:00-05:00",
        ),  # its clock goes back on the 1st
        ("America/New_York", "2027-02", "2027-03-08T00:00:00-05:00"),
        ("Pacific/Kiritimati", "2026-12", "2027-01-08T00:00:00+14:00"),
        ("Pacific/Pago_Pago", "2026-12", "2027-01-08T00:00:00-11:00"),
        ("Asia/Kolkata", "2028-02", "2028-03-08T00:00:00+05:30"),  # 29 days
        ("Asia/Bangkok", "2027-02", "2027-03-08T00:00:00+07:00"),  # 28 days
        ("Asia/Bangkok", "2026-04", "2026-05-08T00:00:00+07:00"),  # 30 days
        ("Africa/Cairo", "2026-04", "2026-05-08T00:00:00+03:00"),
    ],
)
def test_a_month_is_due_when_it_has_settled_and_not_a_microsecond_before(
    zone: str, month: str, instant: str
) -> None:
    found = state(load_zone(zone), first_month=Month.parse(month))
    assert found.due_at(Month.parse(month)) == at(instant)
    assert due(found, at(instant))[-1] == Due(Month.parse(month), "close", at(instant))
    assert to_close(found, instant) == [month]
    assert [each.action for each in due(found, at(instant) - 1)] == ["notice"]


@pytest.mark.parametrize(
    ("settling", "instant"),
    [(0, "2026-10-31T17:00:00Z"), (1, "2026-11-01T17:00:00Z"), (31, "2026-12-01T17:00:00Z")],
)
def test_the_policy_that_counts_for_the_month_says_how_long_it_settles(
    settling: int, instant: str
) -> None:
    versions = (policy(Month(2026, 9), 3), policy(OCTOBER, settling), policy(Month(2026, 11), 9))
    assert state(policies=versions).due_at(OCTOBER) == at(instant)


def test_before_the_first_version_of_a_policy_the_default_counts() -> None:
    later = state(policies=(policy(Month(2026, 11), 2),))
    assert later.due_at(OCTOBER) == at("2026-11-07T17:00:00Z")


@pytest.mark.parametrize(
    ("created", "zone", "first"),
    [
        ("2026-10-31T16:59:59Z", "Asia/Ho_Chi_Minh", "2026-10"),
        ("2026-10-31T17:00:00Z", "Asia/Ho_Chi_Minh", "2026-11"),
        ("2026-10-31T10:00:00Z", "Pacific/Kiritimati", "2026-11"),
        ("2026-11-01T10:59:59Z", "Pacific/Pago_Pago", "2026-10"),
    ],
)
def test_the_first_month_is_that_of_the_engagement_in_its_own_zone(
    created: str, zone: str, first: str
) -> None:
    assert str(state(load_zone(zone), created=created).first_month) == first


def test_after_downtime_every_month_is_due_in_order() -> None:
    months = ["2026-08", "2026-09", "2026-10", "2026-11"]
    down = state(first_month=Month(2026, 8))
    assert to_close(down, "2026-12-20T00:00:00Z") == months
    frozen = replace(down, newest={Month(2026, 9): issuance(Month(2026, 9))})
    assert to_close(frozen, "2026-12-20T00:00:00Z") == ["2026-08", "2026-10", "2026-11"]


def test_months_outside_the_rule_are_not_due() -> None:
    ended = state(first_month=Month(2026, 9), last_month=OCTOBER)
    assert to_close(ended, "2027-06-01T00:00:00Z") == ["2026-09", "2026-10"]
    assert [ended.covers(month) for month in (Month(2026, 8), OCTOBER, Month(2026, 11))] == [
        False,
        True,
        False,
    ]
    assert to_close(state(created="2026-11-02T00:00:00Z"), "2026-12-01T00:00:00Z") == []


@pytest.mark.parametrize(
    ("seconds", "late"), [(0, False), (3_600, False), (3_601, True), (90 * 86_400, True)]
)
def test_late_is_more_than_an_hour(seconds: int, late: bool) -> None:
    assert (
        is_late(at("2026-11-07T17:00:00Z"), at("2026-11-07T17:00:00Z") + seconds * SECOND) is late
    )


@pytest.mark.parametrize(
    ("now", "months"),
    [
        ("2026-11-07T17:00:00Z", []),
        ("2026-11-08T16:59:59Z", []),
        ("2026-11-08T17:00:00Z", ["2026-10"]),
        ("2026-12-31T00:00:00Z", ["2026-10", "2026-11"]),
    ],
)
def test_a_day_past_due_is_overdue(now: str, months: list[str]) -> None:
    assert [str(each) for each in overdue(state(), at(now))] == months
    held = state(frozen=(issuance(state="held"),))
    assert [str(each) for each in overdue(held, at(now))] == [m for m in months if m != "2026-10"]


def test_revisable_is_what_was_found_to_differ() -> None:
    later = [Month(2026, n) for n in (9, 10, 11, 12)]
    found = [None, (), ("records",), ("policy",)]
    frozen = tuple(
        issuance(month, differs=differs) for month, differs in zip(later, found, strict=True)
    )
    assert revisable(state(frozen=frozen)) == later[2:]


def actions(state: State, now: str) -> list[str]:
    return [each.action for each in due(state, at(now)) if each.month == OCTOBER]


def test_a_held_month_is_reminded_of_once_after_three_days() -> None:
    held = issuance(state="held", compared_at=at("2026-11-30T00:00:00Z"))
    assert actions(state(frozen=(held,)), "2026-11-10T17:00:00Z") == []
    assert actions(state(frozen=(held,)), "2026-11-10T17:00:01Z") == ["remind"]
    told = state(frozen=(held,), noticed=((OCTOBER, "approval_reminder"),))
    assert actions(told, "2026-11-20T00:00:00Z") == []
    issued = replace(held, state="issued")
    assert actions(state(frozen=(issued,)), "2026-11-20T00:00:00Z") == []


def test_a_frozen_month_is_compared_once_a_day_for_a_year() -> None:
    fresh = state(frozen=(issuance(),))
    assert actions(fresh, "2026-11-08T17:00:00Z") == []
    assert actions(fresh, "2026-11-08T17:00:01Z") == ["compare"]
    compared = state(frozen=(issuance(compared_at=at("2026-11-20T00:00:00Z")),))
    assert actions(compared, "2026-11-20T23:59:59Z") == []
    assert actions(compared, "2026-11-21T00:00:00Z") == ["compare"]
    month, frozen = Month(2025, 10), []
    while month <= OCTOBER:
        frozen.append(issuance(month))
        month = month.next()
    old = [issuance(Month(2025, 9)), *frozen]
    asked = due(state(frozen=tuple(old)), at("2026-11-09T00:00:00Z"))
    assert [each.month for each in asked if each.action == "compare"] == [m.month for m in frozen]


@pytest.mark.parametrize(
    ("settling", "notice"),
    [
        (7, "2026-11-03T00:00:00+07:00"),
        (3, "2026-11-03T00:00:00+07:00"),
        (2, "2026-11-02T00:00:00+07:00"),
        (1, "2026-11-01T00:00:00+07:00"),
        (0, None),
    ],
)
def test_holes_are_looked_for_on_the_third_or_a_day_before_closing(
    settling: int, notice: str | None
) -> None:
    found = state(policies=(policy(OCTOBER, settling),))
    assert found.notice_at(OCTOBER) == (None if notice is None else at(notice))
    if notice is not None:
        assert actions(found, notice) == ["notice"]
        noticed = replace(found, noticed={(OCTOBER, "missing_data")})
        assert actions(noticed, notice) == []
        # Too late for a warning: the month closes now.
        assert next(each.action for each in due(found, found.due_at(OCTOBER))) == "close"


@pytest.mark.parametrize(
    ("states", "replaces"),
    [
        (["issued"], None),
        (["issued", "issued"], 1),
        (["held", "issued"], None),  # the first one has reached nobody
        (["issued", "held", "issued"], 1),
        (["issued", "issued", "issued"], 2),
    ],
)
def test_a_revision_replaces_what_went_out(states: list[str], replaces: int | None) -> None:
    revisions = [
        issuance(revision=n, state=each, scorecard_id=f"card {n}")
        for n, each in enumerate(states, start=1)
    ]
    told = to_mail(Scope("merchant", "engagement"), revisions[-1], revisions)
    assert (told.revision, told.month) == (len(states), OCTOBER)
    assert told.replaces == (f"card {replaces}" if replaces else None)


DAYS = {date(2026, 10, n) for n in range(1, 32)}


@pytest.mark.parametrize(
    ("busy", "upload", "now", "days", "no_upload"),
    [
        (DAYS, "2026-11-01T01:00:00Z", "2026-11-03T00:00:00Z", [], False),
        (DAYS, "2026-10-31T16:59:59Z", "2026-11-03T00:00:00Z", [], True),
        (DAYS - {date(2026, 10, 31)}, "2026-11-01T01:00:00Z", "2026-11-03T00:00:00Z", [31], False),
        (set(), None, "2026-10-08T17:00:00Z", [5, 6, 7, 8], False),  # so far, since it began
        (set(), None, "2026-10-08T16:59:59Z", [5, 6, 7], False),  # the 8th is not over
        (set(), None, "2026-10-01T00:00:00Z", [], False),
    ],
)
def test_a_day_that_is_over_without_an_interaction_is_a_hole(
    busy: set[date], upload: str | None, now: str, days: list[int], no_upload: bool
) -> None:
    found = gaps(
        OCTOBER,
        HANOI,
        since=state(created="2026-10-04T17:00:00Z").asked_since(OCTOBER),
        busy=busy,
        newest_upload_at=None if upload is None else at(upload),
        now=at(now),
    )
    assert [day.day for day in found.days] == days
    assert found.no_upload is no_upload
    assert bool(found) is bool(days or no_upload)


def test_a_day_that_a_zone_skips_is_no_hole() -> None:
    apia = load_zone("Pacific/Apia")
    december = Month(2011, 12)
    listed = [day.day for day, _, _ in december.days_in(apia)]
    assert listed == [n for n in range(1, 32) if n != 30]
    start, end = december.bounds(apia)
    assert end - start == 30 * DAY
    found = gaps(december, apia, since=start, busy=set(), newest_upload_at=end, now=end)
    assert [day.day for day in found.days] == listed


@pytest.mark.parametrize("zone", ["Europe/Budapest", "Asia/Beirut", "America/New_York", "UTC"])
def test_days_follow_each_other_without_a_hole(zone: str) -> None:
    month = Month(2026, 1)
    for _ in range(12):
        days = month.days_in(load_zone(zone))
        start, end = month.bounds(load_zone(zone))
        assert (days[0][1], days[-1][2]) == (start, end)
        assert all(one[2] == other[1] for one, other in itertools.pairwise(days))
        month = month.next()


NOW = "2026-11-02T00:00:00Z"


@pytest.mark.parametrize(
    ("rules", "refused"),
    [
        (Rules(), None),
        (Rules(first_month=Month(2024, 11)), None),
        (Rules(first_month=Month(2024, 10)), "more than 24 months"),
        (Rules(first_month=OCTOBER, last_month=Month(2026, 9)), "before the first"),
        (Rules(first_month=OCTOBER, last_month=OCTOBER), None),
        (Rules(first_month=Month(2027, 3)), None),
    ],
)
def test_rules_that_cannot_be_meant_are_refused(rules: Rules, refused: str | None) -> None:
    assert MOST_MONTHS_BACK == 24
    if refused is None:
        assert check_rules(rules, HANOI, at(NOW)) == rules
        return
    with pytest.raises(BadClosingRequest, match=refused):
        check_rules(rules, HANOI, at(NOW))
