"""The demo shop is believable, and the same every time."""

import csv
import json
import subprocess
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from io import StringIO
from itertools import pairwise
from statistics import mean
from typing import Any

import msgspec
import pytest

from vendorwatch.demo.contacts import Crowd
from vendorwatch.demo.description import Description, read_description
from vendorwatch.demo.desk import CLOSES, HOUR, OPENS, Desk, OpeningHours
from vendorwatch.demo.generate import Shop, VendorPart, shop
from vendorwatch.demo.handling import Record
from vendorwatch.interactions.mapping import Mapped, SkipRow, parse_mapping
from vendorwatch.interactions.record import Context, RowRefused, build
from vendorwatch.knowledge.parse import read_document
from vendorwatch.periods import DAY, Micros, Month, load_zone, to_datetime
from vendorwatch.quality.parse import read_reviews, read_rubric
from vendorwatch.resources import FIXTURES
from vendorwatch.scoring.policy_file import parse_policy

ZONE = load_zone("Asia/Ho_Chi_Minh")
_, END = Month(2026, 10).bounds(ZONE)
MINUTE: Micros = 60_000_000
DIGESTS = (
    "import hashlib, msgspec; from vendorwatch.demo.description import read_description;"
    "from vendorwatch.demo.generate import shop; from vendorwatch.resources import FIXTURES;"
    "described = read_description(FIXTURES / 'demo');"
    "made = shop(msgspec.structs.replace(described, months=described.months[:1]));"
    "print([[hashlib.sha256(log.content).hexdigest() for log in part.logs]"
    " + [hashlib.sha256(repr(part.knowledge).encode()).hexdigest()] for part in made.vendors])"
)


@pytest.fixture(scope="module")
def description() -> Description:
    return read_description(FIXTURES / "demo")


@pytest.fixture(scope="module")
def made(description: Description) -> Shop:
    return shop(description)


@pytest.fixture(scope="module")
def vendors(made: Shop) -> dict[str, VendorPart]:
    return {part.code: part for part in made.vendors}


def newest(part: VendorPart) -> list[Record]:
    """The last state of every interaction."""
    records = {record["interaction_id"]: record for log in part.logs for record in log.records}
    return list(records.values())


def events_of(record: Record) -> list[dict[str, Any]]:
    events = record.get("events") or []
    assert isinstance(events, list)
    return events


def instant(record: Record, name: str) -> Micros:
    value = record[name]
    assert isinstance(value, int)
    return value


def waits(records: list[Record], *channels: str) -> list[Micros]:
    return sorted(
        instant(record, "first_reply_at") - instant(record, "opened_at")
        for record in records
        if record["channel"] in channels and record["first_reply_at"]
    )


def share(records: list[Record], holds: Callable[[Record], object]) -> float:
    return mean(bool(holds(record)) for record in records)


def test_the_same_description_makes_the_same_bytes_in_any_process() -> None:
    digests = {
        subprocess.run(
            [sys.executable, "-c", DIGESTS],
            env={"PYTHONHASHSEED": seed, "TZ": zone},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed, zone in (("1", "UTC"), ("2", "America/New_York"))
    }

    assert len(digests) == 1


def test_another_seed_makes_another_shop(description: Description) -> None:
    small = msgspec.structs.replace(description, months=description.months[:1])

    logs = [
        shop(msgspec.structs.replace(small, seed=seed)).vendors[0].logs[0].content
        for seed in (1, 2)
    ]

    assert logs[0] != logs[1]


def test_three_vendors_send_about_5000_interactions_a_month_each(made: Shop) -> None:
    assert made.months == ("2026-08", "2026-09", "2026-10")
    assert len(made.vendors) == 3
    for part in made.vendors:
        opened = Counter(
            f"{to_datetime(instant(record, 'opened_at')).astimezone(ZONE):%Y-%m}"
            for record in newest(part)
        )
        assert set(opened) == set(made.months)
        assert all(4_500 <= count <= 5_500 for count in opened.values()), opened


def test_rosters_have_vietnamese_hungarian_and_thai_names_whole(
    vendors: dict[str, VendorPart],
) -> None:
    names = {code: "".join(a.name for a in part.agents) for code, part in vendors.items()}

    assert set("ễ") & set("".join(names["hs"])) or "Nguyễn" in names["hs"]
    assert set("őűáéíóöüú") & set(names["dc"].lower())
    assert all("\u0e00" <= letter <= "\u0e7f" or letter == " " for letter in names["sa"])
    for part in vendors.values():
        assert 14 <= len(part.agents) <= 24
        assert len({agent.name for agent in part.agents}) == len(part.agents)
        assert all(unicodedata.is_normalized("NFC", agent.name) for agent in part.agents)


def test_nothing_happens_before_the_contact_or_after_the_last_export(made: Shop) -> None:
    for part in made.vendors:
        for record in newest(part):
            opened_at = instant(record, "opened_at")
            for name in ("first_reply_at", "resolved_at", "abandoned_at", "csat_at"):
                value = record[name]
                assert value is None or opened_at <= instant(record, name) <= END + 7 * DAY
            if record["resolved_at"]:
                assert instant(record, "first_reply_at") <= instant(record, "resolved_at")


def test_the_fast_and_sloppy_one_answers_first_and_solves_least(
    vendors: dict[str, VendorPart],
) -> None:
    records = {code: newest(part) for code, part in vendors.items()}
    resolved = {
        code: [record for record in each if record["resolved_at"]] for code, each in records.items()
    }
    median = {
        code: written[len(written) // 2]
        for code, written in (
            (code, waits(each, "email", "web_form", "messaging", "social"))
            for code, each in records.items()
        )
    }
    reopened = {code: share(each, lambda r: r["reopens"]) for code, each in resolved.items()}
    again = {code: share(each, lambda r: r["tags"]) for code, each in records.items()}
    pleased = {
        code: share([r for r in each if r["csat"]], lambda r: int(str(r["csat"])) >= 4)
        for code, each in records.items()
    }

    assert median["hs"] * 2 < median["dc"]
    for better in ("dc", "sa"):
        assert reopened["hs"] > 2 * reopened[better]
        assert again["hs"] > 2 * again[better]
        assert pleased["hs"] < pleased[better] - 0.05


def test_the_thorough_one_takes_longest(vendors: dict[str, VendorPart]) -> None:
    median = {}
    for code, part in vendors.items():
        chats = waits(newest(part), "chat")
        median[code] = chats[len(chats) // 2]

    assert median["dc"] == max(median.values())


def test_the_understaffed_one_is_late_at_its_peak_only(vendors: dict[str, VendorPart]) -> None:
    def is_peak(record: Record) -> bool:
        local = to_datetime(instant(record, "opened_at")).astimezone(ZONE)
        return 19 <= local.hour <= 21 or local.day >= 28

    late = {}
    for code in ("sa", "hs"):
        chats = [r for r in newest(vendors[code]) if r["channel"] == "chat" and r["first_reply_at"]]
        for peak in (True, False):
            some = [r for r in chats if is_peak(r) is peak]
            late[code, peak] = share(
                some, lambda r: instant(r, "first_reply_at") - instant(r, "opened_at") > MINUTE
            )

    assert late["sa", False] < 0.1
    assert late["sa", True] > 5 * late["sa", False]
    assert abs(late["hs", True] - late["hs", False]) < 0.03


def test_somebody_at_every_vendor_is_clearly_worse_than_the_others(
    vendors: dict[str, VendorPart], description: Description
) -> None:
    for vendor in description.vendors:
        resolved = [r for r in newest(vendors[vendor.code]) if r["resolved_at"]]
        total, reopened = Counter[str](), Counter[str]()
        for record in resolved:
            agent = str(record["resolved_by_agent_id"])
            total[agent] += 1
            reopened[agent] += bool(record["reopens"])
        pooled = reopened.total() / total.total()
        # how many standard deviations above what all together do
        above = {
            agent: (reopened[agent] / n - pooled) / (pooled * (1 - pooled) / n) ** 0.5
            for agent, n in total.items()
        }
        assert sum(each > 4 for each in above.values()) == vendor.character.trouble, above


def test_customers_come_again_about_the_same_thing_also_at_another_vendor(made: Shop) -> None:
    visits: dict[tuple[object, object], list[tuple[Micros, str]]] = {}
    for part in made.vendors:
        for record in newest(part):
            key = (record["customer_ref"], record["topic"])
            visits.setdefault(key, []).append((instant(record, "opened_at"), part.code))
    soon = [
        (first, second)
        for each in visits.values()
        for first, second in pairwise(sorted(each))
        if second[0] - first[0] <= 9 * DAY
    ]

    assert len(soon) > 1000
    assert 0.05 < mean(first[1] != second[1] for first, second in soon) < 0.4


def test_people_write_in_the_evening_and_not_at_four_in_the_morning(made: Shop) -> None:
    hours = Counter(
        to_datetime(instant(record, "opened_at")).astimezone(ZONE).hour
        for part in made.vendors
        for record in newest(part)
    )

    assert hours[20] > 10 * hours[4]


def test_logs_hold_what_real_ones_hold(made: Shop) -> None:
    for part in made.vendors:
        records = newest(part)
        seen = {str(record["status"]) for record in records}
        assert {"open", "pending", "on_hold", "closed", "spam", "merged", "abandoned"} <= seen
        assert {record["language"] for record in records} == {"vi", "en"}
        assert share(records, lambda r: r["direction"] == "outbound") > 0.01
        assert share(records, lambda r: r["handovers"]) > 0.02
        assert share(records, lambda r: r["csat_invited_at"] and not r["csat"]) > 0.1
        assert len({record["channel"] for record in records}) >= 5


def test_a_later_log_repeats_rows_and_revises_some(made: Shop) -> None:
    for part in made.vendors:
        for before, after in pairwise(part.logs):
            old = {record["interaction_id"]: record for record in before.records}
            again = [record for record in after.records if record["interaction_id"] in old]
            same = [record for record in again if record == old[record["interaction_id"]]]
            assert len(same) == 12
            assert len(again) - len(same) >= 3
            for record in again:
                updated = instant(record, "source_updated_at")
                assert updated >= instant(old[record["interaction_id"]], "source_updated_at")


def read_rows(part: VendorPart, content: bytes) -> tuple[list[Any], Counter[str], int]:
    """(interactions, fault codes, skipped rows), read by the parts that a server reads with."""
    context = Context(now=END + 30 * DAY)
    found, codes, skipped = [], Counter[str](), 0
    for row in fields_of(part, content):
        if isinstance(row, str):
            codes[row] += 1
        elif isinstance(row, SkipRow):
            skipped += 1
        else:
            try:
                found.append(build(row, context, text=part.code != "hs"))
            except RowRefused as refused:
                codes.update(fault.code for fault in refused.faults)
    return found, codes, skipped


def fields_of(part: VendorPart, content: bytes) -> list[Any]:
    text = content.decode()
    if part.code == "hs":
        return [json_or_code(line) for line in text.splitlines()]
    delimiter = ";" if part.mapping else ","
    header, *rows = csv.reader(StringIO(text, newline=""), delimiter=delimiter)
    whole = [dict(zip(header, row, strict=True)) for row in rows if len(row) == len(header)]
    ragged = ["ragged"] * (len(rows) - len(whole))
    if part.mapping is None:
        return whole + ragged
    return [mapped_or_code(part.mapping, row) for row in whole] + ragged


def json_or_code(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return "malformed"


def mapped_or_code(source: str, row: dict[str, str]) -> Any:
    mapping = cached_mapping(source)
    try:
        found = mapping.apply(row)
    except RowRefused as refused:
        return refused.faults[0].code
    return found.fields if isinstance(found, Mapped) else found


cached_mapping = cache(parse_mapping)
MISTAKES = {
    "hs": {"timezone_required": 2, "reply_before_open": 2, "bad_value": 2, "malformed": 2},
    "dc": {"timezone_required": 2, "reply_before_open": 2, "bad_value": 2, "ragged": 2},
    "sa": {"bad_timestamp": 2, "bad_value": 2, "out_of_range": 2, "ragged": 2},
}


@pytest.mark.parametrize("code", ["hs", "dc", "sa"])
def test_each_log_is_what_its_records_say_but_for_a_few_bad_rows(
    vendors: dict[str, VendorPart], code: str
) -> None:
    part = vendors[code]
    log = part.logs[1]

    found, codes, skipped = read_rows(part, log.content)

    assert dict(codes) == MISTAKES[code]
    assert skipped == (2 if part.mapping else 0)
    assert len(found) + codes.total() + skipped == len(log.records)
    wanted = {record["interaction_id"]: record for record in log.records}
    names = set(log.records[0]) - {"tags", "events"}
    if part.mapping:
        names -= {"source_url", "handle_seconds", "vendor_quality"}  # the export has no such thing
    for interaction in found:
        record = wanted[interaction.interaction_id]
        assert not interaction.claims  # what the events say is what the record says
        assert len(interaction.events or ()) == len(events_of(record))
        assert {name: getattr(interaction, name) for name in names} == {
            name: record[name] for name in names
        }


def test_policy_and_knowledge_are_accepted_by_those_who_read_them(made: Shop) -> None:
    for part in made.vendors:
        parse_policy(part.policy)
        document = read_document(msgspec.json.encode(part.knowledge))
        assert {check.check_id for check in document.checks} == {
            f"product-knowledge-{month}" for month in made.months
        }
        assert len(document.assignments) == 3 * len(part.agents)
        assert any(assignment.excused for assignment in document.assignments)
        assert any(attempt.number == 2 for attempt in document.attempts)
    assert len({repr(part.knowledge["checks"]) for part in made.vendors}) == 1


def test_the_sloppy_vendors_agents_know_least(vendors: dict[str, VendorPart]) -> None:
    right = {}
    for code, part in vendors.items():
        correct = {str(q["question_id"]): q["correct"] for q in part.knowledge["questions"]}
        answers = [
            answer
            for attempt in part.knowledge["attempts"]
            if attempt["number"] == 1 and isinstance(attempt["answers"], list)
            for answer in attempt["answers"]
        ]
        right[code] = mean(
            list(correct[answer["question_id"]]) == answer["chosen"]  # type: ignore[call-overload]  # a list of positions
            for answer in answers
        )

    assert right["hs"] < right["sa"] - 0.05 < right["dc"]


def test_work_rests_while_the_desk_is_closed(description: Description) -> None:
    hours = OpeningHours(description)
    start, _ = Month(2026, 8).bounds(ZONE)
    evening = start + (CLOSES - 1) * HOUR

    assert hours.after(evening, HOUR // 2) == evening + HOUR // 2
    assert hours.after(evening, 2 * HOUR) == start + DAY + (OPENS + 1) * HOUR
    # the last evening before two days off
    eve = Month(2026, 9).bounds(ZONE)[0] - 3 * HOUR
    assert hours.after(eve, 2 * HOUR) == eve + 3 * HOUR + 2 * DAY + (OPENS + 1) * HOUR


def test_a_vendor_is_drawn_alike_whatever_the_others_are_like(description: Description) -> None:
    alone = msgspec.structs.replace(description, vendors=description.vendors[1:2])
    contacts = []
    for each, number in ((description, 1), (alone, 0)):
        desk = Desk(each, each.vendors[number])
        contacts.append([replace(c, vendor=0) for c in Crowd(each).newcomers(number, desk)])

    assert contacts[0] == contacts[1]


def test_two_vendors_tell_who_wrote_when_and_one_does_not(vendors: dict[str, VendorPart]) -> None:
    asked = {
        code: sum(
            1
            for record in newest(part)
            for event in events_of(record)[1:]
            if (event["type"], event["actor"]) == ("message", "customer")
        )
        for code, part in vendors.items()
    }

    assert asked["hs"] > 5_000
    assert asked["dc"] > 5_000
    assert asked["sa"] == 0


def test_an_export_shows_no_message_that_was_written_after_it(made: Shop) -> None:
    for part in made.vendors:
        for log in part.logs[:-1]:
            _, end = Month.parse(log.month).bounds(ZONE)
            written = [event["at"] for record in log.records for event in events_of(record)]
            assert all(at <= end + DAY for at in written)


def test_reviews_are_of_contacts_that_the_log_holds_in_a_form_that_can_be_read(
    made: Shop, description: Description
) -> None:
    for part in made.vendors:
        for log in part.logs[:2]:
            there = {interaction.interaction_id for interaction in read_rows(part, log.content)[0]}
            reading = read_reviews(log.reviews, now=END + 30 * DAY)
            assert reading.faults == ()
            assert len(reading.entries) == description.reviews
            assert {entry.interaction_id for _, entry in reading.entries} <= there


def test_the_rubric_is_one_and_reviews_tell_the_sloppy_vendor_from_the_others(made: Shop) -> None:
    sent = {name: value for name, value in made.rubric.items() if name != "rubric_id"}
    rubric = read_rubric(str(made.rubric["rubric_id"]), sent)
    assert isinstance(rubric, tuple), rubric
    right = {
        part.code: mean(
            review["scores"]["answer"] == 5  # type: ignore[index]  # scores by criterion
            for log in part.logs
            for review in log.reviews
        )
        for part in made.vendors
    }

    assert right["hs"] < right["sa"] - 0.1 < right["dc"]


def test_one_vendor_has_promised_more_than_the_others(vendors: dict[str, VendorPart]) -> None:
    named = {
        code: {
            metric
            for dimension in parse_policy(part.policy).dimensions.values()
            for metric in dimension.metrics
        }
        for code, part in vendors.items()
    }
    more = {"next_reply_on_time", "quality", "knowledge_coverage"}

    assert more <= named["hs"]
    assert named["dc"] == named["sa"]
    assert not more & named["dc"]
