"""What is read of a fixed set of logs, row by row: a change of it is a new READING."""

import hashlib
import io
import json

import pytest

from sample_logs import row
from vendorwatch.interactions.batches import READING
from vendorwatch.interactions.instants import parse_instant
from vendorwatch.interactions.intake import REJECT_COLUMNS, STAGED_COLUMNS, Intake
from vendorwatch.interactions.mapping import parse_mapping
from vendorwatch.interactions.model import Media
from vendorwatch.interactions.parse import ReadOptions, read
from vendorwatch.periods import load_zone

# By READING. When this test fails although nothing about reading was to be changed, something was.
# When it was: raise READING by one, and put the new hash here.
HASHES = {
    2: "56d55ac82af05a24a556971c2283d427bae1e7bcfe7a746ab3a094242b60794b",
    3: "d0338f9723aff6eb20c0b435206ea1e70e58faa42e8e0ab51c420829f269db61",
    4: "d7b2038e62b1d04f54114c31cff53ade810f35b9c27de399448d8f636f1fd9fa",
}

NOW = parse_instant("2026-11-02T08:00:00Z")
EVENTS = [
    {"at": "2026-10-01T09:01:00Z", "type": "message", "actor": "customer"},
    {"at": "2026-10-01T09:04:00Z", "type": "message", "actor": "agent", "agent_id": "Tha\u0309o"},
    {"at": "2026-10-01T10:00:00Z", "type": "message", "actor": "customer", "mood": "sad"},
    {"at": "2026-10-01T11:00:00Z", "type": "status", "actor": "agent", "to": "resolved"},
    {"at": "2026-10-01T12:00:00Z", "type": "status", "actor": "customer", "to": "open"},
]
ROWS: list[dict[str, object]] = [
    row(1),
    row(
        2, interaction_id="007", source_system="custom", direction="outbound", resolved_by="unknown"
    ),
    row(
        3, source_account="a", customer_ref="Hoà", order_ref="1", tags=["x", "y"], team={"b": 1.50}
    ),
    row(4, events=EVENTS, first_reply_at="2026-10-01T09:30:00Z", reopens=0),
    row(5, vendor_quality=87.50, csat=5, nps=0, language="pt-BR", handle_seconds=0, status="spam"),
    row(6, opened_at="2026-10-01 09:00:00", first_reply_at=None, resolved_at=None),
    row(
        7,
        opened_at="2026-10-01T09:00:00.123456+07:00",
        agent_id="Tha\u0309o",
        topic="\u0111\u1ed5i",
    ),
    row(8, channel="fax", csat=6, opened_at="2026-13-01T00:00:00Z"),
    row(9, first_reply_at="2026-01-01T00:00:00Z", agent_id=" x"),
    row(10, opened_at="2026-11-02T09:00:00Z", first_reply_at=None, resolved_at=None),
    row(11, topic="a\0", product="\ud800", csat="5", agent_replies=1.5),
    {"interaction_id": "12"},
    row(14, topic="refund to 4111 1111 1111 1111", tags=["4111-1111-1111-1111"]),
    row(15, product="for a@shop.example", agent_id="an\u202e", x="+84 912 345 678", tags=["a"]),
    row(16, topic="returns", x="4111111111111111", agent_id="an@vendor.example"),
]
# With digits that Python's own numbers would not keep.
PRICED = json.dumps(row(13, paid="?")).replace('"?"', "0.10").encode()
MAPPING = """
[file]
delimiter = ";"

[times]
format = "%d/%m/%Y %H:%M"
zone = "Asia/Ho_Chi_Minh"

[fields]
interaction_id = "No"
channel = { constant = "email" }
status = { column = "State", values = { Done = "resolved", New = "open" } }
opened_at = "Opened"
"""
EXPORT = (
    b'No;State;Opened;Shop\r\n007;Done;1/10/2026 9:00;A\r\n8;Lost;1/10/2026 9:05;"A;B"\r\n;;;\r\n'
)


def _json(rows: list[dict[str, object]]) -> list[bytes]:
    return [json.dumps(each).encode() for each in rows]


def _csv(rows: list[dict[str, object]]) -> bytes:
    names = ("interaction_id", "channel", "status", "opened_at", "resolved_at", "csat", "tags", "x")
    lines = [",".join(names)]
    lines += [
        ",".join('"' + str(each.get(name) or "").replace('"', '""') + '"' for name in names)
        for each in rows
    ]
    return "\r\n".join(lines).encode("utf-8", "replace") + b'\r\n"open\r\n1,2\r\n'


BODIES: dict[str, tuple[Media, bytes]] = {
    "lines": (
        "ndjson",
        b"\n".join(
            [*_json(ROWS), b"{", b"[]", b'{"a":1,"a":2}', b'{"a":"\xff"}', b"x" * 70_000, PRICED]
        ),
    ),
    "array": ("json", b"[" + b",\n".join(_json(ROWS)) + b"]"),
    "cells": ("csv", _csv(ROWS)),
    "mapped": ("csv", EXPORT),
}


def _read(name: str, zone: str | None = None) -> str:
    media, body = BODIES[name]
    is_mapped = name == "mapped"
    options = ReadOptions(
        now=NOW,
        media=media,
        format="mapped" if is_mapped else "canonical",
        time_zone=load_zone(zone) if zone else None,
        mapping=parse_mapping(MAPPING) if is_mapped else None,
    )
    reading = read(io.BytesIO(body), options)
    intake = Intake(reading, pseudonym_key=b"k" * 32)
    told: list[object] = []
    for rows in intake.batches(5):
        told += [sorted(zip(STAGED_COLUMNS, cells, strict=True)) for cells in rows.staged]
        told += [sorted(zip(REJECT_COLUMNS, cells, strict=True)) for cells in rows.rejects]
        told.append(sorted(rows.agents))
    told.append([intake.tally, reading.columns, reading.extra_columns, sorted(reading.supplied)])
    return "\n".join(map(repr, told))


def test_what_is_read_changes_only_with_the_number_of_the_code_that_reads() -> None:
    told = [_read(name, zone) for zone in (None, "Asia/Ho_Chi_Minh") for name in BODIES]
    assert hashlib.sha256("\n".join(told).encode()).hexdigest() == HASHES[READING]


@pytest.mark.parametrize("name", BODIES)
def test_the_sample_holds_both_what_is_taken_and_what_is_refused(name: str) -> None:
    told = _read(name)
    assert "T-1" in told or "007" in told
    assert "out_of_range" in told or "missing_required" in told
