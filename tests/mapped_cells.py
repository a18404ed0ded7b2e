"""A small mapping file around the rules that a test is about."""

import re

import pytest

from vendorwatch.interactions.mapping import BadMapping, Mapped, parse_mapping
from vendorwatch.interactions.record import RowRefused

_FRAME = """
[file]
{file}
[times]
format = "%d/%m/%Y %H:%M"
zone = "UTC"
[fields]
interaction_id = {{ constant = "1" }}
channel = {{ constant = "phone" }}
{rest}
"""
STATUS = 'status = { constant = "open" }'
OPENED = 'opened_at = "opened"'


def frame(rest: str, file: str = "") -> str:
    """A mapping whose tenth line is the first of `rest`."""
    return _FRAME.format(file=file, rest=rest)


def apply(rule: str, /, file: str = "", **cells: str) -> dict[str, str | None]:
    rest = rule
    rest = rest if re.search(r"^opened_at\b", rest, re.MULTILINE) else f"{OPENED}\n{rest}"
    rest = rest if re.search(r"^status\b", rest, re.MULTILINE) else f"{STATUS}\n{rest}"
    mapping = parse_mapping(frame(file=file, rest=rest))
    row = {"opened": "1/2/2026 10:00", **cells}
    mapping.check_header(list(row))
    mapped = mapping.apply(row)
    assert isinstance(mapped, Mapped)
    return mapped.fields


def refusal(rule: str, /, file: str = "", **cells: str) -> tuple[str, str]:
    with pytest.raises(RowRefused) as caught:
        apply(rule, file=file, **cells)
    (fault,) = caught.value.faults
    return fault.code, fault.detail


def mistakes(source: str) -> list[tuple[int | None, str]]:
    with pytest.raises(BadMapping) as caught:
        parse_mapping(source)
    return [(fault.line, f"{fault.field}: {fault.detail}") for fault in caught.value.faults]


CALLS = """
[file]
delimiter = "\\t"
trim = true
null = ["NO_SERVER"]

[times]
format = "%y%m%d %H:%M:%S"
zone = "Asia/Jerusalem"

[fields]
interaction_id = { join = ["line", "call_id", "date"], separator = "/" }
channel = { constant = "phone" }
opened_at = { join = ["date", "entry"] }
customer_ref = { column = "customer_id", null = ["0"] }
agent_id = "server"
handle_seconds = "ser_time"
topic = { column = "type", values = { PS = "regular", NW = "new customer" }, keep_other = true }

[fields.first_reply_at]
join = ["date", "ser_start"]
next_day_if_before = "opened_at"
when = { column = "outcome", equals = "AGENT" }

[fields.resolved_at]
join = ["date", "ser_exit"]
next_day_if_before = "opened_at"
when = { column = "outcome", equals = "AGENT" }

[fields.abandoned_at]
field = "opened_at"
add = ["vru_time", "q_time"]
unit = "seconds"
unless = { column = "outcome", equals = "AGENT" }

[fields.status]
column = "outcome"
values = { AGENT = "resolved", HANG = "abandoned" }

[[skip]]
rule = "phantom calls"
when = { column = "outcome", equals = "PHANTOM" }
"""
CALL = {
    "line": "AA0101",
    "call_id": "33116",
    "customer_id": "9664491",
    "type": "PS",
    "date": "990101",
    "entry": " 23:59:31",
    "vru_time": "5",
    "q_time": "153",
    "outcome": "HANG",
    "ser_start": "0:00:00",
    "ser_exit": "0:00:00",
    "ser_time": "0",
    "server": "NO_SERVER",
}
