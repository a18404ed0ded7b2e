"""What is told of a month's log: by hand, and against a reading of the same rules in plain Python."""

import random
import re
from collections import Counter
from collections.abc import Iterable
from datetime import date
from itertools import pairwise, product
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from vendorwatch.integrity.left_out import REASONS
from vendorwatch.integrity.log import CountedDay, Log
from vendorwatch.integrity.measure import is_material
from vendorwatch.integrity.report import Anomalies, examine
from vendorwatch.periods import Micros, Month
from vendorwatch.scoring.facts import EXCLUSIONS

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
OCTOBER = Month(2026, 10)
DAYS = OCTOBER.days_in(ZONE)
START, END = OCTOBER.bounds(ZONE)
MINUTE: Micros = 60_000_000
DAY = 1_440 * MINUTE
SCHEMA = {
    "source_account": pl.String,
    "interaction_id": pl.String,
    "opened_at": pl.Int64,
    "customer_ref": pl.Binary,
    "channel": pl.String,
    "agent_id": pl.String,
    "excluded": pl.String,
}
Row = dict[str, Any]


def row(number: int, **changes: object) -> Row:
    return {
        "source_account": "",
        "interaction_id": f"T-{number}",
        "opened_at": START + number * MINUTE,
        "customer_ref": f"customer {number}".encode(),
        "channel": "email",
        "agent_id": "linh",
        "excluded": None,
        **changes,
    }


def examined(
    rows: list[Row], counted: dict[date, CountedDay] | None = None, until: Micros = END
) -> Anomalies:
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    return examine(Log(interactions=frame, days=DAYS, until=until, counted=counted or {}))


def test_of_a_clean_log_nothing_is_told() -> None:
    found = examined([row(n, opened_at=START + n * DAY // 8) for n in range(240)])
    assert found.flags == []
    assert (found.contact_runs.interactions, found.contact_runs.of) == (0, 240)
    assert (found.missing_numbers.present, found.missing_numbers.missing) == (240, 0)
    assert (found.left_out.interactions, found.left_out.of) == (0, 240)


def test_of_no_log_nothing_is_told() -> None:
    assert examined([]).flags == []


@pytest.mark.parametrize(
    ("some", "of", "is_told"),
    [(0, 0, False), (1, 0, True), (1, 51, False), (1, 50, True), (20, 1_001, False)],
)
def test_two_in_a_hundred_are_told_exactly(some: int, of: int, is_told: bool) -> None:
    assert is_material(some, of) is is_told


def test_a_conversation_that_was_cut_in_ten_is_one_run() -> None:
    cut = [
        row(n, customer_ref=b"An", opened_at=START + 10 * n * MINUTE, agent_id=f"a{n % 2}")
        for n in range(10)
    ]
    others = [row(100 + n) for n in range(90)]
    found = examined([*others, *cut]).contact_runs
    assert (found.flagged, found.runs, found.interactions, found.of) == (True, 1, 10, 100)
    [run] = found.longest
    assert [each.interaction_id for each in run.begins_with] == [f"T-{n}" for n in range(10)]
    assert (run.agent_ids, run.interactions) == (["a0", "a1"], 10)
    assert (run.first_opened_at, run.last_opened_at) == (START, START + 90 * MINUTE)


def test_who_began_a_run_is_named_first() -> None:
    rows = [
        row(
            n,
            customer_ref=b"An",
            agent_id=f"z{25 - n:02}",
            source_account="hn",
            opened_at=START + n,
        )
        for n in range(25)
    ]
    [run] = examined(rows).contact_runs.longest
    assert run.agent_ids == [f"z{n:02}" for n in range(25, 5, -1)]
    [first, *_] = run.begins_with
    assert (first.source_account, first.interaction_id) == ("hn", "T-0")


def test_an_hour_after_the_one_before_is_still_in_the_run() -> None:
    def three(last: Micros) -> int:
        opened = [START, START + 60 * MINUTE, START + last]
        rows = [row(n, customer_ref=b"An", opened_at=at) for n, at in enumerate(opened)]
        return examined(rows).contact_runs.interactions

    assert three(120 * MINUTE) == 3
    assert three(120 * MINUTE + 1) == 0


def test_what_enters_no_metric_and_nobody_is_in_no_run() -> None:
    opened = {"opened_at": START, "customer_ref": b"An"}
    spam = [row(n, **opened, excluded="spam") for n in range(3)]
    nobody = [row(10 + n, opened_at=START, customer_ref=None) for n in range(3)]
    found = examined([*spam, *nobody]).contact_runs
    assert (found.runs, found.of) == (0, 0)


def test_numbers_that_never_came_are_named() -> None:
    gone = {7, 40, 41, 42, 77}
    kept = [n for n in range(1, 101) if n not in gone]
    found = examined([row(n) for n in kept]).missing_numbers
    assert (found.flagged, found.present, found.missing) == (True, 95, 5)
    [sequence] = found.sequences
    assert (sequence.first, sequence.last, sequence.jumps) == ("T-1", "T-100", 0)
    told = [(gap.first, gap.last, gap.numbers) for gap in sequence.gaps]
    assert told == [("T-40", "T-42", 3), ("T-7", "T-7", 1), ("T-77", "T-77", 1)]
    assert not any(gap.is_jump for gap in sequence.gaps)


def test_an_id_from_elsewhere_hides_no_gap() -> None:
    rows = [row(n) for n in range(100) if n not in {50, 51, 52}]
    found = examined([*rows, row(0, interaction_id="T-999999999999999999")]).missing_numbers
    assert (found.present, found.missing, found.flagged) == (98, 3, True)
    [sequence] = found.sequences
    told = [(gap.first, gap.is_jump) for gap in sequence.gaps]
    assert told == [("T-50", False), ("T-100", True)]
    assert (sequence.jumps, sequence.last) == (1, "T-999999999999999999")


def test_a_week_that_was_left_out_is_no_jump_among_many() -> None:
    found = examined([row(n) for n in range(10_000) if not 5_000 <= n < 5_330]).missing_numbers
    assert (found.present, found.missing, found.flagged) == (9_670, 330, True)


def test_a_long_block_in_the_middle_is_no_jump() -> None:
    found = examined([row(n) for n in range(2_000) if not 800 <= n < 1_200]).missing_numbers
    assert (found.present, found.missing, found.flagged) == (1_600, 400, True)
    [gap] = found.sequences[0].gaps
    assert (gap.first, gap.last, gap.is_jump) == ("T-800", "T-1199", False)


def test_leading_zeros_are_part_of_an_id() -> None:
    kept = [n for n in range(1, 61) if n not in {9, 10}]
    [padded] = examined([row(n, interaction_id=f"A{n:04}") for n in kept]).missing_numbers.sequences
    assert [(gap.first, gap.last) for gap in padded.gaps] == [("A0009", "A0010")]
    [plain] = examined([row(n, interaction_id=f"A{n}") for n in kept]).missing_numbers.sequences
    assert [(gap.first, gap.last) for gap in plain.gaps] == [("A9", "A10")]
    grown = [row(n, interaction_id=f"A{n:04}") for n in range(9_900, 10_100) if n != 9_942]
    [padded] = examined([*grown, row(0, interaction_id="A0042")]).missing_numbers.sequences
    assert (padded.first, padded.last) == ("A0042", "A10099")
    assert [gap.first for gap in padded.gaps] == ["A9942", "A0043"]


def test_a_number_is_there_once_however_it_is_written() -> None:
    rows = [row(n, interaction_id=f"{n:0{width}}") for n in range(40) for width in (1, 3)]
    assert examined(rows).missing_numbers.present == 40


@pytest.mark.parametrize(
    ("kept", "present", "missing"),
    [
        ([*range(400), 500], 401, 100),
        ([*range(400), 501], 401, 0),  # a hundred and one, and then one: a jump
        ([0, *range(102, 500)], 399, 0),
        ([*range(2_000), 2_200], 2_001, 200),
        ([*range(2_000), 2_201], 2_001, 0),  # among more, more are
        ([*range(901), *range(1_101, 1_200)], 1_000, 0),  # a hundred beyond it are a tenth
        ([*range(900), *range(1_100, 1_200)], 1_000, 200),
        (range(29), 0, 0),
        (range(30), 30, 0),
        ([*range(31), 39], 32, 8),  # a fifth of them
        ([*range(31), 40], 0, 0),
        ([*range(39), 10_000], 40, 0),
        ([*range(31), 10_000, 20_000, 30_000], 34, 0),
        ([*range(31), 10_000, 20_000, 30_000, 40_000], 0, 0),  # no few ids any more
    ],
)
def test_where_a_sequence_begins_and_ends(kept: Iterable[int], present: int, missing: int) -> None:
    found = examined([row(n, interaction_id=f"{n}") for n in kept]).missing_numbers
    assert (found.present, found.missing) == (present, missing)


@pytest.mark.parametrize(
    "ids",
    [
        [f"{n * 2}" for n in range(5_000)],
        [f"{n}" for n in range(5_000) if n % 10 < 7],
        [f"{n * 150}" for n in range(5_000)],
        [f"case-{n}-x" for n in range(0, 200, 2)],
        [f"{random.Random(n).randrange(10**9)}" for n in range(5_000)],
        [f"{random.Random(n).randrange(10**25)}" for n in range(5_000)],
        [f"call-{1_790_000_000 + 97 * n + n % 13}" for n in range(5_000)],
        [f"202611{day:02}{n:04}" for day in range(1, 31) for n in range(38)],
    ],
    ids=[
        "half",
        "seven of ten",
        "one of many",
        "not at the end",
        "drawn",
        "long",
        "seconds",
        "days",
    ],
)
def test_what_is_no_sequence_has_no_gaps(ids: list[str]) -> None:
    found = examined([row(n, interaction_id=each) for n, each in enumerate(ids)])
    assert found.missing_numbers.sequences == []
    assert "missing_numbers" not in found.flags


def test_numbers_that_somebody_drew_hide_no_gap() -> None:
    dice = random.Random(7)
    rows = [row(n) for n in range(400) if n % 10]
    drawn = [row(n, interaction_id=f"{dice.randrange(10**12)}") for n in range(10_000)]
    found = examined([*rows, *drawn]).missing_numbers
    assert (found.present, found.missing, found.flagged) == (360, 39, True)


def test_of_many_only_the_first_are_named() -> None:
    """So that an answer has an end, whatever the log is like."""
    alike = {"customer_ref": b"An", "opened_at": START}
    rows = [row(n, agent_id=f"a{n:02}", **alike) for n in range(60)]
    [run] = examined(rows).contact_runs.longest
    assert (len(run.agent_ids), len(run.begins_with), run.interactions) == (20, 20, 60)
    out = examined([each | {"excluded": "spam"} for each in rows]).left_out
    assert (len(out.agents), out.interactions) == (50, 60)
    dense = [
        row(0, source_account=f"{account:03}", interaction_id=f"{number}")
        for account, number in product(range(51), range(300))
        if number % 5 != 1
    ]
    numbered = examined(dense).missing_numbers
    assert (len(numbered.sequences), len(numbered.sequences[0].gaps)) == (50, 50)
    assert (numbered.present, numbered.missing) == (51 * 240, 51 * 60)
    many = [
        row(n, customer_ref=f"{customer}".encode(), opened_at=START)
        for n, customer in enumerate(sorted([*range(21)] * 3))
    ]
    runs_found = examined(many).contact_runs
    assert (len(runs_found.longest), runs_found.runs) == (20, 21)


def test_accounts_and_prefixes_are_sequences_of_their_own() -> None:
    kept = [n for n in range(1, 61) if n % 10]
    rows = [
        row(n, source_account=account, interaction_id=f"{prefix}{n:04}")
        for account, prefix in (("hcm", "A"), ("hcm", "B"), ("hn", "A"))
        for n in kept
    ]
    found = examined(rows).missing_numbers
    told = [(each.source_account, each.first, each.missing) for each in found.sequences]
    assert told == [("hcm", "A0001", 5), ("hcm", "B0001", 5), ("hn", "A0001", 5)]


def test_what_the_log_calls_spam_is_counted_by_agent() -> None:
    rows = [row(n, agent_id="an" if n % 2 else None, excluded="spam") for n in range(6)]
    rows += [row(10, excluded="short_abandoned"), row(11, excluded="outbound"), row(12)]
    found = examined(rows).left_out
    assert (found.flagged, found.interactions, found.of) == (True, 8, 9)
    told_why = {"outbound": 1, "spam": 6, "merged": 0, "withdrawn": 0, "short_abandoned": 1}
    assert found.reasons == told_why
    told = [(each.agent_id, each.left_out, each.of) for each in found.agents]
    assert told == [("an", 3, 3), ("linh", 2, 3)]


def test_the_reasons_are_those_of_the_scorecard() -> None:
    assert REASONS == EXCLUSIONS


def test_a_tenth_is_many() -> None:
    def flagged(of: int) -> bool:
        rows = [row(n, excluded="merged" if n == 0 else None) for n in range(of)]
        return examined(rows).left_out.flagged

    assert flagged(10)
    assert not flagged(11)


def test_a_full_day_does_not_make_up_for_an_empty_one() -> None:
    first, second, third = (day for day, *_ in DAYS[:3])
    rows = [row(n) for n in range(8)]
    rows += [row(20 + n, opened_at=START + DAY) for n in range(12)]
    rows += [row(40, channel="phone", opened_at=START + 2 * DAY)]
    counted: dict[date, CountedDay] = {
        first: {None: 10},
        second: {None: 10},
        third: {"phone": 1, "chat": 0},
    }
    found = examined(rows, counted).volume
    assert (found.counted, found.logged, found.missing, found.surplus) == (21, 21, 2, 2)
    assert found.flagged
    told = [(each.day, each.channel, each.counted, each.logged) for each in found.days]
    assert told == [
        (first, None, 10, 8),
        (second, None, 10, 12),
        (third, "chat", 0, 0),
        (third, "phone", 1, 1),
    ]


def test_more_than_was_counted_is_told_like_less() -> None:
    found = examined([row(n) for n in range(12)], {DAYS[0][0]: {None: 10}})
    assert (found.volume.missing, found.volume.surplus) == (0, 2)
    assert "volume" in found.flags


def test_a_day_begins_at_midnight_of_the_engagements_zone() -> None:
    first, second = (day for day, *_ in DAYS[:2])
    edges = [START, START + DAY - 1, START + DAY]
    rows = [row(n, opened_at=at) for n, at in enumerate(edges)]
    found = examined(rows, {first: {None: 2}, second: {None: 1}}).volume
    assert [(each.counted, each.logged) for each in found.days] == [(2, 2), (1, 1)]


def test_days_that_are_not_over_are_not_compared() -> None:
    first, second = (day for day, *_ in DAYS[:2])
    counted: dict[date, CountedDay] = {first: {None: 5}, second: {None: 5}}
    found = examined([], counted, until=START + 2 * DAY - 1).volume
    assert [each.day for each in found.days] == [first]


def test_outbound_ones_reached_nobody_and_spam_did() -> None:
    first = DAYS[0][0]
    rows = [row(1, excluded="outbound"), row(2, excluded="spam"), row(3, excluded="merged")]
    assert examined(rows, {first: {None: 2}}).volume.flagged is False


def test_what_was_never_counted_is_not_flagged() -> None:
    found = examined([row(1)]).volume
    assert (found.flagged, found.days) == (False, [])


def test_runs_that_are_alike_come_in_one_order() -> None:
    rows = [
        row(n, source_account=account, customer_ref=account.encode(), opened_at=START + n)
        for account in "abcd"
        for n in range(3)
    ]
    for each in rows:
        each["agent_id"] = each["source_account"]
    found = examined(rows)
    for seed in range(20):
        random.Random(seed).shuffle(rows)
        assert examined(rows) == found


@pytest.mark.parametrize("seed", range(60))
def test_plain_python_finds_the_same(seed: int) -> None:
    dice = random.Random(seed)
    rows, counted = a_log(dice), a_count(dice)
    found = examined(rows, counted)
    assert in_runs(rows) == (found.contact_runs.interactions, found.contact_runs.runs)
    assert missing(rows) == (found.missing_numbers.present, found.missing_numbers.missing)
    assert apart(rows, counted) == (found.volume.missing, found.volume.surplus)
    by_word = Counter(each["excluded"] for each in rows)
    assert found.left_out.reasons == {why: by_word[why] for why in found.left_out.reasons}
    dice.shuffle(rows)
    assert examined(rows, counted) == found


def a_log(dice: random.Random) -> list[Row]:
    least, jump = dice.choice([1, 500]), dice.choice([0, 0, 50, 90, 110, 10**6])
    step = dice.choice([3, 25, 150, 260, 290])

    def prefix() -> str:
        return dice.choice(["", "", "", "", "", "x-"]) if mixed else ""

    mixed, kept = dice.random() < 0.3, dice.choice([0.78, 0.82, 0.9, 1])
    return [
        row(
            number,
            source_account=dice.choice(["", "b"]) if mixed else "",
            interaction_id=f"{prefix()}{least + number + jump * (number > step)}",
            opened_at=START + dice.randrange(4 * 1_440) * MINUTE,
            customer_ref=dice.choice([None, b"a" * 32, b"b" * 32, dice.randbytes(32)]),
            channel=dice.choice(["email", "phone"]),
            agent_id=dice.choice([None, "an", "linh"]),
            excluded=dice.choice([None, None, None, "spam", "outbound", "short_abandoned"]),
        )
        for number in range(dice.choice([0, 1, 40, 300]))
        if dice.random() < kept
    ]


def a_count(dice: random.Random) -> dict[date, CountedDay]:
    return {
        day: dice.choice([{None: dice.randrange(90)}, {"email": dice.randrange(40), "sms": 0}])
        for day, *_ in dice.sample(DAYS[:5], 3)
    }


def in_runs(rows: list[Row]) -> tuple[int, int]:
    """Interactions and runs."""
    by_customer: dict[bytes, list[Micros]] = {}
    for each in rows:
        if each["customer_ref"] and each["excluded"] is None:
            by_customer.setdefault(each["customer_ref"], []).append(each["opened_at"])
    lengths = []
    for opened in by_customer.values():
        last = None
        for at in sorted(opened):
            if last is None or at - last > 3_600_000_000:
                lengths.append(0)
            lengths[-1] += 1
            last = at
    long = [length for length in lengths if length >= 3]
    return sum(long), len(long)


def missing(rows: list[Row]) -> tuple[int, int]:
    """Numbers that are there, and that are not, in sequences."""
    sequences: dict[tuple[str, str], set[int]] = {}
    for each in rows:
        digits = re.search(r"[0-9]+$", each["interaction_id"])
        assert digits is not None
        prefix = each["interaction_id"][: digits.start()]
        sequences.setdefault((each["source_account"], prefix), set()).add(int(digits[0]))
    there = gone = 0
    for found in sequences.values():
        ordered = sorted(found)
        gaps = [b - a - 1 for a, b in pairwise(ordered)]
        longest = max(100, len(found) // 10)
        out = sum(
            gap
            for before, gap in enumerate(gaps, start=1)
            if gap <= longest or 10 * min(before, len(found) - before) >= len(found)
        )
        if len(found) >= 30 and 4 * out <= len(found):
            there, gone = there + len(found), gone + out
    return there, gone


def apart(rows: list[Row], counted: dict[date, CountedDay]) -> tuple[int, int]:
    """Missing and surplus."""
    below = above = 0
    for day, cells in counted.items():
        for channel, count in cells.items():
            logged = sum(
                each["excluded"] != "outbound"
                and channel in {None, each["channel"]}
                and START + (day.day - 1) * DAY <= each["opened_at"] < START + day.day * DAY
                for each in rows
            )
            below, above = below + max(0, count - logged), above + max(0, logged - count)
    return below, above
