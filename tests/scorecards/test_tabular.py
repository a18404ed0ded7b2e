import csv
from io import StringIO

import pytest

from scorecards import sample
from vendorwatch.scorecards.render.tabular import COLUMNS, csv_text


def rows_of(document: sample.Json) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(csv_text(document), newline="")))


def test_one_row_a_metric_for_the_vendor_and_then_for_each_agent() -> None:
    document = sample.document()
    rows = rows_of(document)

    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == (1 + len(document["agents"])) * len(sample.ORDER)
    assert [row["metric"] for row in rows[: len(sample.ORDER)]] == list(sample.ORDER)
    assert {row["level"] for row in rows[: len(sample.ORDER)]} == {"vendor"}


def test_figures_are_the_documents_own_text() -> None:
    document = sample.document()
    figures = document["vendor_scores"]["metrics"]["csat"]
    [row] = [row for row in rows_of(document)[:15] if row["metric"] == "csat"]

    assert row["value"] == figures["value"]
    assert [row["interval_low"], row["interval_high"]] == figures["interval"]
    assert row["numerator"] == str(figures["numerator"])
    assert row["target"] == figures["target"]


def test_who_stands_out_is_in_the_file_too() -> None:
    document = sample.with_peers(sample.document())
    rows = [row for row in rows_of(document) if row["metric"] == "first_contact_resolution"]
    by_name = {row["agent_name"]: row for row in rows}

    assert by_name["Bùi Ngọc Ánh"]["outside"] == "99.8"
    assert by_name["Đỗ Thuỳ Dương"]["adjusted"] == "0.640000"
    assert by_name["Chi"]["estimate"] == by_name["Chi"]["value"]
    assert by_name["Mai Anh"]["outside"] == ""


def test_what_is_not_there_is_empty_and_not_reached_is_said() -> None:
    rows = rows_of(sample.document())
    unreached = [row for row in rows if row["value"] == "not_reached"]

    assert [row["agent_id"] for row in unreached] == ["a007"]
    assert unreached[0]["interval_high"] == "not_reached"
    assert unreached[0]["numerator"] == ""


@pytest.mark.parametrize(
    ("name", "defused"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("+84 9", "'+84 9"),
        ("-x", "'-x"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("\uff20x", "'\uff20x"),
        ("  =1", "  '=1"),
        ("a;=1", "a;'=1"),
        ('a"=1', "a\"'=1"),
        ("a\n-x", "a\n'-x"),
    ],
)
def test_no_cell_starts_a_formula(name: str, defused: str) -> None:
    rows = rows_of(sample.document(names=[name]))

    assert rows[-1]["agent_name"] == defused
    assert f'"{defused.replace(chr(34), chr(34) * 2)}"' in csv_text(sample.document(names=[name]))


@pytest.mark.parametrize("name", ["Anna-Mária", "a@b.example", "1+1", "Nguyễn, Bảo", 'said "x"'])
def test_harmless_names_are_kept(name: str) -> None:
    assert rows_of(sample.document(names=[name]))[-1]["agent_name"] == name


def test_negative_numbers_stay_numbers() -> None:
    document = sample.document(names=[])
    document["vendor_scores"]["metrics"]["csat"]["floor"] = "-0.5"

    assert ",-0.5," in csv_text(document)
