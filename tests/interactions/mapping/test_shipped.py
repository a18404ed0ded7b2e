"""The mappings that ship, and the pages that explain mappings, are right."""

import re
from pathlib import Path

import pytest

from mapped_cells import OPENED, STATUS, frame
from vendorwatch.interactions.formats.faults import BadHeader
from vendorwatch.interactions.mapping import BadMapping, Mapped, parse_mapping
from vendorwatch.interactions.record import FIELDS, Context, build
from vendorwatch.resources import FIXTURES

_DOCS = Path(__file__).resolve().parents[3] / "docs"

_SHIPPED = sorted((FIXTURES / "mappings").glob("*.toml"))
_ROWS: dict[str, tuple[dict[str, str], dict[str, str | None]]] = {
    "zendesk": (
        {
            "Id": "35436",
            "Status": "Solved",
            "Via": "Web form",
            "Created at": "2026-02-01 10:00",
            "Solved at": "2026-02-01 12:30",
            "First reply time in minutes": "17",
            "Assignee stations": "3",
            "Priority": "Normal",
            "Satisfaction Score": "Offered",
            "Tags": "returns vip",
            "Requester email": "ann@example.org",
        },
        {
            "status": "resolved",
            "channel": "web_form",
            "first_reply_at": "2026-02-01T10:17:00Z",
            "resolved_at": "2026-02-01T12:30:00Z",
            "handovers": "2",
            "priority": "normal",
            "csat": None,
            "direction": "inbound",
            "tags": '["returns", "vip"]',
        },
    ),
    "freshdesk": (
        {
            "Ticket ID": "7",
            "Status": "Waiting on Customer",
            "Priority": "Medium",
            "Source": "Outbound Email",
            "Created time": "2026-02-01 10:00:05",
            "Closed time": "2026-02-02 10:00:05",
            "Agent": "No Agent",
            "Survey results": "Happy",
        },
        {
            "status": "pending",
            "priority": "normal",
            "direction": "outbound",
            "resolved_at": "2026-02-02T10:00:05Z",
            "agent_id": None,
            "csat": "4",
        },
    ),
    "gorgias": (
        {
            "Ticket id": "9",
            "Initial channel": "email",
            "Creation date": "2026-02-01T10:00:00+00:00",
            "Closed date": "",
            "First response time (s)": "120",
            "Number of agent messages": "0",
            "Created by an agent": "False",
        },
        {"status": "open", "first_reply_at": None, "direction": "inbound"},
    ),
    "intercom": (
        {
            "Conversation ID": "1",
            "Current conversation state": "closed",
            "Channel": "Email",
            "Conversation started at (America/New_York)": "2026-02-01 10:00:00",
            "Handling time (seconds)": "61.5",
            "Last teammate rating": "4",
        },
        {
            "status": "closed",
            "opened_at": "2026-02-01T15:00:00Z",
            "handle_seconds": "62",
            "csat": "4",
        },
    ),
    "servicenow": (
        {
            "number": "INC1",
            "incident_state": "Awaiting User Info",
            "opened_at": "29/2/2016 01:16",
            "contact_type": "Phone",
            "subcategory": "?",
            "category": "c",
        },
        {"status": "pending", "topic": "c", "opened_at": "2016-02-29T01:16:00Z"},
    ),
}


def test_there_is_a_row_for_every_shipped_mapping() -> None:
    assert {path.stem for path in _SHIPPED} == _ROWS.keys()


@pytest.mark.parametrize("path", _SHIPPED, ids=lambda path: path.stem)
def test_shipped_mappings(path: Path) -> None:
    mapping = parse_mapping(path.read_text("utf-8"))
    with pytest.raises(BadHeader) as caught:
        mapping.check_header([])
    cells, expected = _ROWS[path.stem]
    row = {str(fault.field): "" for fault in caught.value.faults} | cells
    mapping.check_header(list(row))
    mapped = mapping.apply(row)
    assert isinstance(mapped, Mapped)
    assert {name: mapped.fields[name] for name in expected} == expected
    assert not mapped.extra
    interaction = build(mapped.fields, Context(now=10**17, supplied=mapping.supplied), text=True)
    assert interaction.source_system == path.stem


@pytest.mark.parametrize("page", ["howto/map-your-csv.md", "reference/mapping.md"])
def test_every_mapping_on_the_pages_is_right(page: str) -> None:
    blocks = re.findall(r"```toml\n(.*?)```", (_DOCS / page).read_text("utf-8"), re.DOTALL)
    assert blocks
    for block in blocks:
        source = block
        if "interaction_id" not in block:  # an excerpt: the rest of a mapping is put around it
            rest = (
                block if re.search(r"^opened_at\b", block, re.MULTILINE) else OPENED + "\n" + block
            )
            rest = rest if re.search(r"status\b", rest) else STATUS + "\n" + rest
            source = frame(rest=rest)
        assert parse_mapping(source).supplied >= {"interaction_id", "opened_at"}


def test_the_reference_names_every_key_and_every_field() -> None:
    page = (_DOCS / "reference" / "mapping.md").read_text("utf-8")
    others = [name for name in FIELDS if name not in {"topic", "csat"}]
    rules = [f"{name} = {{ zz = 1, add = [] }}\n" for name in others]
    tables = "zz = 1\n[file]\nzz = 1\n[times]\nzz = 1\n[[skip]]\nwhen = { zz = 1 }\n[fields]\n"
    joined = 'topic = { join = ["a"], zz = 1 }\ncsat = { sum = ["a"], zz = 1 }\n'
    known = set[str]()
    for rule in (*rules, joined):  # one at a time, as only so many mistakes are told
        with pytest.raises(BadMapping) as caught:
            parse_mapping(tables + rule)
        for fault in caught.value.faults:
            if "known here: " in fault.detail:
                known |= set(fault.detail.partition("known here: ")[2].split(", "))
    assert {"delimiter", "zone", "when", "separator", "split", "scale", "if_empty", "like"} <= known
    for word in (known | FIELDS.keys()) - {"zz"}:
        assert re.search(rf"`\[*{word}\]*`", page), word
