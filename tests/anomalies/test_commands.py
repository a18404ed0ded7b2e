"""`vendorwatch contact-counts` and `vendorwatch anomalies`."""

from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from conftest import Ran
from vendorwatch.anomalies.model import BadContactCounts
from vendorwatch.anomalies.parse import read_counts
from vendorwatch.anomalies.service import Examined
from vendorwatch.anomalies.shown import month_anomalies
from vendorwatch.anomalies.summary import lines
from vendorwatch.integrity.log import Log
from vendorwatch.integrity.report import examine
from vendorwatch.periods import Month

Command = Callable[..., Ran]


@pytest.fixture
def engagement_id(command: Command) -> str:
    made = command(
        *("engagement", "create", "--merchant", "Trà Sen", "--vendor", "Hoa Sen BPO"),
        *("--time-zone", "Asia/Ho_Chi_Minh", "--json"),
    )
    return str(made.json["engagement_id"])


def written(folder: Path, source: str) -> str:
    path = folder / "counts.csv"
    path.write_text(source, "utf-8")
    return str(path)


def test_counts_are_set_and_listed(command: Command, engagement_id: str, tmp_path: Path) -> None:
    own = ("--engagement", engagement_id)
    file = written(tmp_path, "day,channel,contacts\n2026-10-02,,7\n2026-10-01,phone, 5\n\n")
    assert command("contact-counts", "set", *own, file).out == "2 counts; 2 days changed.\n"
    again = command("contact-counts", "set", *own, file, "--json")
    assert again.json == {"received": 2, "changed_days": 0}
    listed = command("contact-counts", "list", *own, "--month", "2026-10")
    assert listed.out.splitlines() == [
        "day         channel  contacts",
        "2026-10-01  phone    5",
        "2026-10-02  all      7",
    ]
    as_json = command("contact-counts", "list", *own, "--month", "2026-10", "--json").json
    assert as_json[0] == {"day": "2026-10-01", "channel": "phone", "contacts": 5}
    assert command("contact-counts", "list", *own, "--month", "2026-09", "--json").json == []


def test_an_unknown_engagement_is_told(command: Command, tmp_path: Path) -> None:
    nobody = ("--engagement", "9fc4966b-1e29-4189-8269-780e9f46c5be")
    file = written(tmp_path, "day,contacts\n2026-10-01,5\n")
    assert command("contact-counts", "set", *nobody, file).exit_code == 3
    assert command("anomalies", *nobody, "--month", "2026-10").exit_code == 3


def test_a_file_of_a_spreadsheet_can_be_read() -> None:
    [count] = read_counts("\ufeffday,channel,contacts\r\n2026-10-01,phone,0010000000\r\n")
    assert (str(count.day), count.channel, count.contacts) == ("2026-10-01", "phone", 10_000_000)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("", "line 1: the first line is day,contacts"),
        ("day\n2026-10-01\n", "line 1: the first line is day,contacts"),
        ("day,contacts,vendor\n", "line 1: the first line is day,contacts"),
        ("day;contacts\n", "line 1: the first line is day,contacts"),
        ("day,day,contacts\n", "line 1: the first line is day,contacts"),
        ("day,contacts\n1.10.2026,5\n", 'row 1, day: "1.10.2026" is not a date'),
        ("day,contacts\n2026-10-01,5.5\n", 'row 1, contacts: "5.5" is not a whole number'),
        ("day,contacts\n2026-10-01,-1\n", 'row 1, contacts: "-1" is not a whole number'),
        ("day,contacts\n2026-10-01,²\n", 'row 1, contacts: "²" is not a whole number'),
        (f"day,contacts\n2026-10-01,{'9' * 99}\n", 'row 1, contacts: "9999'),
        (f"day,contacts\n2026-10-01,{'0' * 20}{'9' * 5_000}\n", 'row 1, contacts: "0000'),
        ("day,contacts\n2026-10-01,10000001\n", 'row 1, contacts: "10000001" is not'),
        ("day,contacts\n20261001,5\n", 'row 1, day: "20261001" is not a date'),
        ("day,contacts\n2026-02-30,5\n", 'row 1, day: "2026-02-30" is not a date'),
        ("day,contacts\n2026-10-01\n", "row 1: has 1 cells, the header has 2"),
        ('day,contacts\n"2026-10-01,5\n', "line 2: "),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_its_place(source: str, told: str) -> None:
    with pytest.raises(BadContactCounts) as refused:
        read_counts(source)
    assert str(refused.value.faults[0]).startswith(told)


def test_an_empty_month_is_no_reason_to_ask(command: Command, engagement_id: str) -> None:
    told = command("anomalies", "--engagement", engagement_id, "--month", "2026-10")
    assert told.exit_code == 0
    assert told.out.splitlines() == [
        "2026-10 (Asia/Ho_Chi_Minh), as of 2026-11-07T17:00:00Z",
        "No reason to ask in what was looked at.",
        "Nothing to look at: volume, contact runs, missing numbers, left out.",
        "None of this proves anything, and none of it changes a score.",
        "",
        "  volume            nothing was counted yet (vendorwatch contact-counts set)",
        "  contact runs      0 of 0 interactions in 0 runs",
        "  missing numbers   the ids are in no sequence",
        "  left out          0 of 0 interactions",
    ]
    as_json = command("anomalies", "--engagement", engagement_id, "--month", "2026-10", "--json")
    assert as_json.json["flags"] == []


def test_what_is_told_fits_a_terminal() -> None:
    """The furthest days, the longest runs and gaps, and who left out most."""
    october, zone = Month(2026, 10), ZoneInfo("Asia/Ho_Chi_Minh")
    start, end = october.bounds(zone)
    rows = [
        (f"T-{n}", b"An" if n < 3 else str(n).encode(), "linh", "spam" if n > 34 else None)
        for n in range(40)
        if n not in {8, 9, 20}
    ]
    frame = pl.DataFrame(
        [(*each, "", start, "email") for each in rows],
        schema=(
            "interaction_id",
            "customer_ref",
            "agent_id",
            "excluded",
            "source_account",
            "opened_at",
            "channel",
        ),
        orient="row",
    )
    days = october.days_in(zone)
    counted = {days[0][0]: {"email": 40, "chat": 1}, days[1][0]: {None: 0}}
    log = Log(interactions=frame, days=days, until=end, counted=counted)
    examined = Examined(october, zone.key, end, examine(log))
    assert list(lines(month_anomalies(examined)))[1:] == [
        "Reasons to ask: volume, contact runs, missing numbers, left out.",
        "None of this proves anything, and none of it changes a score.",
        "",
        "! volume            41 counted, 37 in the log: 4 missing, 0 too many",
        "      2026-10-01 email: 40 counted, 37 in the log",
        "      2026-10-01 chat: 1 counted, 0 in the log",
        "! contact runs      3 of 32 interactions in 1 run",
        '      3 from 2026-10-01 00:00 by "linh", "T-0" ...',
        "! missing numbers   3 of 40",
        '      "T-0" to "T-39": 3 missing: "T-8" to "T-9", "T-20"',
        "! left out          5 of 37 interactions: 5 spam",
        '      "linh": 5 of 37',
    ]


def test_what_a_log_says_does_nothing_to_a_terminal() -> None:
    name = "x\n\x1b[2J\u202eNo reason to ask." + "y" * 200
    october, zone = Month(2026, 10), ZoneInfo("Asia/Ho_Chi_Minh")
    start, end = october.bounds(zone)
    frame = pl.DataFrame(
        {
            "source_account": name,
            "interaction_id": [f"{name}{n}" for n in range(40) if n != 7],
            "agent_id": name,
            "customer_ref": b"An",
            "excluded": [None] * 30 + ["spam"] * 9,
            "opened_at": start,
            "channel": "email",
        }
    )
    log = Log(interactions=frame, days=october.days_in(zone), until=end, counted={})
    told = list(lines(month_anomalies(Examined(october, zone.key, end, examine(log)))))
    assert len(told) == 12
    assert all(line.isprintable() and len(line) < 400 for line in told)
