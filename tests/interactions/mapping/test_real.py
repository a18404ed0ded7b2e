"""The mapping that ships for ServiceNow, over a real log, against figures computed elsewhere."""

import csv
import os
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from vendorwatch.interactions.instants import parse_instant
from vendorwatch.interactions.mapping import Mapped, parse_mapping
from vendorwatch.periods import SECOND
from vendorwatch.resources import FIXTURES

pytestmark = pytest.mark.real_data

_BESIDE = Path(__file__).resolve().parents[3].parent / "shared" / "data"
_HERE = Path(os.environ.get("VENDORWATCH_REAL_DATA", _BESIDE)) / "servicenow"


def _rows(name: str) -> Iterator[dict[str, str]]:
    if not _HERE.is_dir():
        pytest.skip(f"the real log is not at {_HERE}")
    with (_HERE / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


@pytest.fixture(scope="module")
def cases() -> dict[str, Mapped]:
    """Of each incident the row in force: the newest state, the later row of two in one minute."""
    mapping = parse_mapping((FIXTURES / "mappings" / "servicenow.toml").read_text("utf-8"))
    rows = list(_rows("incident_event_log_396.csv"))
    mapping.check_header(list(rows[0]))
    newest: dict[str, tuple[tuple[str, int], Mapped]] = {}
    for number, row in enumerate(rows):
        mapped = mapping.apply(row)
        assert isinstance(mapped, Mapped)
        key = (str(mapped.fields["source_updated_at"]), number)
        case = str(mapped.fields["interaction_id"])
        if case not in newest or key > newest[case][0]:
            newest[case] = (key, mapped)
    return {case: mapped for case, (_, mapped) in newest.items()}


def _resolution_seconds(mapped: Mapped) -> int | None:
    resolved_at = mapped.fields["resolved_at"]
    if resolved_at is None:
        return None
    return (parse_instant(resolved_at) - parse_instant(mapped.fields["opened_at"])) // SECOND


def test_every_case_has_the_expected_figures(cases: dict[str, Mapped]) -> None:
    expected = {row["number"]: row for row in _rows("expected_cases.csv")}
    assert len(expected) == 396
    assert cases.keys() == expected.keys()
    for number, row in expected.items():
        mapped = cases[number]
        told = int(float(row["resolution_s"])) if row["resolution_s"] else None
        assert _resolution_seconds(mapped) == told, number
        assert mapped.fields["reopens"] == row["reopen_count"], number
        assert mapped.fields["handovers"] == row["reassignment_count"], number
        assert (mapped.fields["agent_id"] or "?") == row["assigned_to"], number
        assert mapped.fields["status"] == "closed", number
        opened = datetime.fromisoformat(row["opened"] + "+00:00")
        assert datetime.fromisoformat(str(mapped.fields["opened_at"])) == opened, number


def test_every_resolver_has_the_expected_figures(cases: dict[str, Mapped]) -> None:
    """Their median lies between the two middle values and their 90th percentile between two ranks;
    ours are ranks, so that only the neighbourhood can be compared, and the exact counts.
    """
    by_resolver: dict[str, list[Mapped]] = defaultdict(list)
    for mapped in cases.values():
        by_resolver[mapped.fields["resolved_by_agent_id"] or "?"].append(mapped)
    expected = {row["resolved_by"]: row for row in _rows("expected_by_resolver.csv")}
    assert by_resolver.keys() == expected.keys()
    for resolver, row in expected.items():
        mine = by_resolver[resolver]
        spans = sorted(s for s in map(_resolution_seconds, mine) if s is not None)
        assert len(mine) == int(row["n"]), resolver
        assert len(spans) == int(row["n_resolved"]), resolver
        reopened = sum(int(mapped.fields["reopens"] or 0) > 0 for mapped in mine)
        assert reopened == int(row["reopened_n"]), resolver
        if spans:
            _near(spans, 5, float(row["res_median_s"]))
            _near(spans, 9, float(row["res_p90_s_interp"]))


def _near(spans: list[int], tenths: int, theirs: float) -> None:
    """Interpolated as pandas does, exactly; and our nearest rank is one of the two neighbours."""
    place = (len(spans) - 1) * tenths
    low, rest = divmod(place, 10)
    high = min(low + 1, len(spans) - 1)
    assert theirs == pytest.approx(spans[low] + (spans[high] - spans[low]) * rest / 10)
    nearest_rank = spans[-(-len(spans) * tenths // 10) - 1]
    assert spans[max(low - 1, 0)] <= nearest_rank <= spans[high]


def test_a_row_does_not_know_the_future() -> None:
    """The log repeats the final resolution on rows of incidents that were still open."""
    mapping = parse_mapping((FIXTURES / "mappings" / "servicenow.toml").read_text("utf-8"))
    for row in _rows("incident_event_log_396.csv"):
        mapped = mapping.apply(row)
        assert isinstance(mapped, Mapped)
        if mapped.fields["status"] not in {"resolved", "closed"}:
            assert mapped.fields["resolved_at"] is None
            assert mapped.fields["resolved_by_agent_id"] is None
