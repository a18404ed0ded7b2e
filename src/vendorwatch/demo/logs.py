"""The vendors' log files, each in the vendor's own form, with the mistakes that real ones have."""

import csv
import json
import random
from collections.abc import Callable, Mapping, Sequence
from io import StringIO
from zoneinfo import ZoneInfo

from vendorwatch.demo.handling import INSTANTS, Record
from vendorwatch.periods import SECOND, Micros, to_datetime

Row = dict[str, object]
Written = tuple[bytes, list[int]]
"""A log, and which of its records nobody can read in it."""

_TIMES = (*INSTANTS, "source_updated_at")
_SPOILED_EACH = 2  # rows a log for each kind of mistake


def ndjson(records: Sequence[Record], zone: ZoneInfo, rng: random.Random) -> Written:
    rows = [_with_offsets(record, zone) for record in records]
    lines, spoiled = _lines(rows, _json_line, _MISTAKES, rng)
    return "\n".join([*lines, ""]).encode(), spoiled


def csv_log(records: Sequence[Record], zone: ZoneInfo, rng: random.Random) -> Written:
    rows = [_in_cells(_with_offsets(record, zone)) for record in records]
    header = ",".join(rows[0])
    lines, spoiled = _lines(rows, _comma_line, _MISTAKES, rng)
    return "\r\n".join([header, *lines, ""]).encode(), spoiled


def help_desk(records: Sequence[Record], zone: ZoneInfo, rng: random.Random) -> Written:
    """Columns, dates and words of its own; fixtures/demo/mapping.toml explains them."""
    rows = [_help_desk_row(record, zone) for record in records]
    header = ";".join(rows[0])
    lines, spoiled = _lines(rows, _semicolon_line, _HELP_DESK_MISTAKES, rng)
    return "\r\n".join([header, *lines, ""]).encode(), spoiled


def _lines(
    rows: Sequence[Row],
    line: Callable[[Row], str],
    mistakes: Sequence[Callable[[Row], Row]],
    rng: random.Random,
) -> tuple[list[str], list[int]]:
    """A few rows with each mistake, and a few that are cut off; and the places of all these."""
    made = list(rows)
    places = rng.sample(range(len(rows)), _SPOILED_EACH * (len(mistakes) + 1))
    for number, mistake in enumerate(mistakes):
        for place in places[number :: len(mistakes) + 1]:
            made[place] = mistake(made[place])
    lines = [line(row) for row in made]
    for place in places[len(mistakes) :: len(mistakes) + 1]:
        lines[place] = _cut_off(lines[place])
    return lines, places


def _cut_off(line: str) -> str:
    """In CSV a quote that stays open would swallow the rows after it: cut before it, then."""
    cut = line[: len(line) * 2 // 3]
    if not line.startswith("{") and cut.count('"') % 2:
        cut = cut.partition('"')[0]
        cut = cut[: len(cut) * 2 // 3]
    return cut


def _json_line(row: Row) -> str:
    filled = {name: value for name, value in row.items() if value not in (None, [])}
    return json.dumps(filled, ensure_ascii=False, separators=(",", ":"))


def _comma_line(row: Row) -> str:
    return _separated(row, ",")


def _semicolon_line(row: Row) -> str:
    return _separated(row, ";")


def _separated(row: Row, delimiter: str) -> str:
    text = StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="").writerow(row.values())
    return text.getvalue()


def _in_cells(row: Row) -> Row:
    cells: Row = {"tags": _joined(row["tags"])}
    if row.get("events"):
        cells["events"] = json.dumps(row["events"], separators=(",", ":"))
    return row | cells


def _joined(tags: object) -> str:
    return ";".join(map(str, tags)) if isinstance(tags, list) else ""


def _with_offsets(record: Record, zone: ZoneInfo) -> Row:
    row = dict(record)
    for name in _TIMES:
        if isinstance(instant := row[name], int):
            row[name] = _written(instant, zone)
    if isinstance(events := row.get("events"), list):
        row["events"] = [each | {"at": _written(each["at"], zone)} for each in events]
    return row


def _written(instant: Micros, zone: ZoneInfo) -> str:
    return to_datetime(instant).astimezone(zone).isoformat()


def _without_offset(row: Row) -> Row:
    return row | {"opened_at": str(row["opened_at"])[: len("2026-10-01T08:00:00")]}


def _reply_before_open(row: Row) -> Row:
    return row | {"first_reply_at": "2026-01-01T00:00:00+07:00"}


def _unknown_channel(row: Row) -> Row:
    return row | {"channel": "fax"}


_MISTAKES = (_without_offset, _reply_before_open, _unknown_channel)

_CHANNELS = {
    "email": "E-mail",
    "messaging": "LINE",
    "chat": "Live chat",
    "phone": "Phone call",
    "social": "Facebook",
}
_STATES = {
    "open": "In progress",
    "pending": "Waiting for customer",
    "on_hold": "On hold",
    "resolved": "Solved",
    "closed": "Closed",
    "abandoned": "Hung up",
    "merged": "Merged",
    "spam": "Junk",
    "withdrawn": "Recalled",
}
_URGENCIES = {"urgent": "1 - Urgent", "high": "2 - High", "normal": "3 - Normal", "low": "4 - Low"}
_SOLVERS = {"agent": "Agent", "customer": "Customer", "automation": "Timer", "unknown": "-"}
_LANGUAGES = {"vi": "Tiếng Việt", "en": "English"}


def _help_desk_row(record: Record, zone: ZoneInfo) -> Row:
    created_date, created_time = _local(record["opened_at"], zone).split(" ")
    return {
        "Ticket No": record["interaction_id"],
        "Created date": created_date,
        "Created time": created_time,
        "First response": _elapsed(record["opened_at"], record["first_reply_at"]),
        "Solved": _local(record["resolved_at"], zone),
        "Hung up": _local(record["abandoned_at"], zone),
        "Channel": _word(_CHANNELS, record["channel"]),
        "Type": str(record["direction"]).capitalize(),
        "State": _word(_STATES, record["status"]),
        "Urgency": _word(_URGENCIES, record["priority"]),
        "Owner": record["agent_id"] or "-",
        "First responder": record["first_reply_agent_id"] or "-",
        "Solver": record["resolved_by_agent_id"] or "-",
        "Solved by": _word(_SOLVERS, record["resolved_by"]),
        "Customer type": str(record["customer_ref"]).partition("-")[0],
        "Customer No": str(record["customer_ref"]).partition("-")[2],
        "Order No": record["order_ref"] or "-",
        "Reason": str(record["topic"]).replace("_", " ").capitalize(),
        "Item": record["product"] or "-",
        "Language": _word(_LANGUAGES, record["language"]),
        "Replies": record["agent_replies"],
        "Messages": record["customer_messages"],
        "Reopened": record["reopens"],
        "Transfers": record["handovers"],
        "Survey sent": _local(record["csat_invited_at"], zone),
        "Survey answered": _local(record["csat_at"], zone),
        "Stars": record["csat"] or "-",
        "Updated": _local(record["source_updated_at"], zone),
        "Shift note": "",
    }


def _word(words: Mapping[str, str], value: object) -> str:
    return words[str(value)]


def _local(instant: object, zone: ZoneInfo) -> str:
    if not isinstance(instant, int):
        return "-"
    return to_datetime(instant).astimezone(zone).strftime("%d/%m/%Y %H:%M:%S")


def _elapsed(start: object, end: object) -> str:
    if not isinstance(start, int) or not isinstance(end, int):
        return "-"
    span: Micros = end - start
    minutes, seconds = divmod(span // SECOND, 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"


def _no_such_day(row: Row) -> Row:
    return row | {"Created date": "31/02/2026"}


def _unknown_word(row: Row) -> Row:
    return row | {"Channel": "Fax"}


def _negative_response(row: Row) -> Row:
    return row | {"First response": "-0:05:00"}


def _test_ticket(row: Row) -> Row:
    return row | {"Reason": "TEST"}


_HELP_DESK_MISTAKES = (_no_such_day, _unknown_word, _negative_response, _test_ticket)
