"""What makes reading fast changes nothing about what is read."""

import csv
import gzip
import hashlib
import hmac
import io
import json
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sample_logs import ndjson, row
from vendorwatch.interactions.fields import show
from vendorwatch.interactions.formats.faults import DecompressedTooLarge
from vendorwatch.interactions.formats.strict_json import BadJson, decode, decode_slowly
from vendorwatch.interactions.instants import BadInstant, parse_instant
from vendorwatch.interactions.intake import STAGED_COLUMNS, Intake
from vendorwatch.interactions.model import Media
from vendorwatch.interactions.parse import Accepted, Outcome, ReadOptions, Refused, read
from vendorwatch.interactions.record import FIELDS, Context, Interaction, RowRefused, build

NOW = parse_instant("2026-11-02T08:00:00Z")
KEY = b"k" * 32
EVENT = {
    "at": "2026-10-01T09:01:00Z",
    "type": "message",
    "actor": "agent",
    "agent_id": "Tha\u0309o",
}
GOOD: dict[str, list[object]] = {
    "interaction_id": ["T-1", "007", "đơn 1"],
    "source_system": ["custom", "zendesk"],
    "channel": ["email", "chat"],
    "status": ["open", "resolved"],
    "opened_at": ["2026-10-01T09:00:00Z", "2026-10-01T09:00:00.123456+07:00"],
    "first_reply_at": ["2026-10-01T09:05:00Z", None],
    "resolved_at": ["2026-10-01 15:00:00+07:00", None],
    "agent_id": ["linh", "Tha\u0309o", "Thảo", None],
    "customer_ref": ["c@example.org", None],
    "vendor_quality": [87, "87.50", None],
    "csat": [5, None],
    "tags": [["vip"], [], None],
    "topic": ["returns", 'a "b" \\ c', "đổi trả"],
    "events": [None, None, [EVENT]],
    "team": ["Nhóm 1", {"a": [1, 2.5]}, None],
}
ODD: tuple[object, ...] = (
    *("", " x", "x ", "\0", "\ud800", "x" * 129, "\u00a0", "null", '":', "true"),
    *("2026-10-01T09:00:00", "2026-10-01T09:00:60Z", "20261001T090000Z", "2030-01-01T00:00:00Z"),
    *("0001-01-01T00:00:00+14:00", "2026-10-01T09:00:00.1234567Z", "2026-09-01T00:00:00Z"),
    *(None, True, 0, -1, 7.5, -0.0, 10**20, 2**53 + 1, [], {}, ["", 1], [EVENT, {}], {"a": "b"}),
)
Row = dict[str, object]


@st.composite
def rows(draw: st.DrawFn) -> Row:
    sent: Row = {name: draw(st.sampled_from(values)) for name, values in GOOD.items()}
    for name in draw(st.lists(st.sampled_from([*FIELDS, "vendorwatch_code"]), max_size=3)):
        sent[name] = draw(st.sampled_from(ODD))
    left_out = draw(st.sets(st.sampled_from(sorted(GOOD)), max_size=2))
    return {name: value for name, value in sent.items() if name not in left_out}


separators = st.sampled_from([(",", ":"), (", ", ": "), (" , ", "\t: ")])


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    """A row of JSON, as likely as not with something done to its keys or bytes."""
    sent = draw(rows())
    text = json.dumps(sent, ensure_ascii=draw(st.booleans()), separators=draw(separators))
    if draw(st.booleans()) and sent:
        key = json.dumps(draw(st.sampled_from(sorted(sent))))
        value = draw(st.sampled_from(["1", '"x"', "null", '"a\\"b"', "[]", '{"":""}']))
        text = f"{text[:-1]},{key}{draw(st.sampled_from(['', ' ']))}:{value}}}"
    raw = bytearray(text.encode("utf-8", "surrogatepass"))
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        at = draw(st.integers(0, len(raw) - 1))
        raw[at : at + draw(st.integers(0, 2))] = draw(
            st.sampled_from(
                [b'"', b"\\", b"\\\\", b":", b",", b"{", b"}", b"\0", b"\xed\xa0", b" "]
            )
        )
    return bytes(raw)


def strictly(raw: bytes) -> Interaction | list[str]:
    """The row on its own, without anything that was known or assumed before."""
    try:
        value = decode_slowly(raw.decode())
        if not isinstance(value, dict):
            return [f"malformed None The row is {show(value)}, not a JSON object"]
        return build(value, Context(NOW), text=False)
    except UnicodeDecodeError as error:
        return [f"invalid_utf8 None Byte {error.start + 1} of the row is not utf-8"]
    except BadJson as bad:
        return [f"{bad.code} {bad.key} {bad.detail}"]
    except RowRefused as refused:
        return [f"{fault.code} {fault.field} {fault.detail}" for fault in refused.faults]


def told(outcome: Outcome) -> Interaction | list[str]:
    if isinstance(outcome, Accepted):
        return outcome.interaction
    assert isinstance(outcome, Refused)
    return [f"{fault.code} {fault.field} {fault.detail}" for fault in outcome.faults]


def outcomes(body: bytes, media: Media) -> list[Outcome]:
    return list(read(io.BytesIO(body), ReadOptions(now=NOW, media=media)))


@settings(max_examples=400)
@given(sent=st.lists(lines(), min_size=1, max_size=4))
@example(sent=[b'{"interaction_id":"a","interaction_id" :"b","channel":":"}'])
@example(sent=[ndjson([row(1, team=1)]).strip(), ndjson([row(2, team="\0")]).strip()])
def test_rows_of_json_are_read_as_each_would_be_alone(sent: Sequence[bytes]) -> None:
    one = ndjson([row(1)]).strip()  # no mark of another encoding begins the file
    body = [one, *(raw for raw in sent if raw and not raw.isspace())] * 2
    assert [told(each) for each in outcomes(b"\n".join(body), "ndjson")] == [*map(strictly, body)]


@settings(max_examples=200)
@given(sent=st.lists(rows(), min_size=1, max_size=4))
def test_rows_of_cells_are_read_as_each_would_be_alone(sent: Sequence[Row]) -> None:
    needed = ["interaction_id", "channel", "status", "opened_at"]
    columns = list(dict.fromkeys([*needed, *(name for each in sent for name in each)]))
    cells = [{name: _cell(each.get(name)) for name in columns} for each in sent]
    text = io.StringIO(newline="")
    csv.writer(text).writerows([columns, *([each[n] for n in columns] for each in cells)])
    found = outcomes(text.getvalue().encode(), "csv")
    context = Context(NOW, supplied=frozenset(columns) & FIELDS.keys())
    assert [told(each) for each in found] == [_built(each, context) for each in cells]


def _cell(value: object) -> str:
    text = value if isinstance(value, str) else "" if value is None else json.dumps(value)
    return text.replace("\ud800", "�")


def _built(cells: dict[str, str], context: Context) -> Interaction | list[str]:
    try:
        return build(cells, context, text=True)
    except RowRefused as refused:
        return [f"{fault.code} {fault.field} {fault.detail}" for fault in refused.faults]


@settings(max_examples=400)
@given(raw=lines())
def test_json_is_decoded_as_by_the_parser_that_shows_every_key(raw: bytes) -> None:
    with suppress(UnicodeDecodeError):
        text = raw.decode()
        assert _decoded(decode, text) == _decoded(decode_slowly, text)


def _decoded(read_json: Callable[[str], object], text: str) -> str:
    """As text, which tells 1 from 1.0 and from true."""
    try:
        return repr(read_json(text))
    except BadJson as bad:
        return f"{bad.code} {bad.key} {bad.detail}"


@settings(max_examples=300)
@given(
    st.datetimes(),
    st.sampled_from(["T", " "]),
    st.sampled_from(["", ".5", ".123456", ".000001"]),
    st.sampled_from(["Z", "+07:00", "-00:00", "+23:59", "-14:00", "+24:00", "+07:60"]),
)
def test_plain_instants_are_those_that_the_slow_way_reads(
    moment: object, mark: str, fraction: str, offset: str
) -> None:
    date = f"{str(moment)[:10]}{mark}{str(moment)[11:19]}{fraction}"
    # A blank before the offset is allowed, and not plain.
    assert _instant(date + offset) == _instant(f"{date} {offset}")


def _instant(text: str) -> int | str:
    try:
        return parse_instant(text)
    except BadInstant as bad:
        return bad.code


@pytest.mark.parametrize("key", [b"", b"short", KEY, b"x" * 64, b"long" * 40])
def test_pseudonyms_are_hmacs_with_a_label(key: bytes) -> None:
    reading = read(
        io.BytesIO(ndjson([row(1, customer_ref="Hoà", order_ref="1"), row(2, order_ref="1")])),
        ReadOptions(now=NOW, media="ndjson"),
    )
    (batch,) = Intake(reading, pseudonym_key=key).batches(10)
    staged = [dict(zip(STAGED_COLUMNS, cells, strict=True)) for cells in batch.staged]
    expected = hmac.digest(key, "customer_ref:Hoà".encode(), hashlib.sha256)
    assert staged[0]["customer_ref"] == expected
    assert [each["order_ref"] for each in staged] == [
        hmac.digest(key, b"order_ref:1", "sha256")
    ] * 2


@pytest.mark.parametrize("media", ["ndjson", "csv", "json"])
@pytest.mark.parametrize("filler", [b"\n", b"\r\n", b'{"a":1}\n', b"{}\n", b"x,y\n"])
def test_a_bomb_costs_less_than_a_second(media: Media, filler: bytes) -> None:
    head = b"[" if media == "json" else b"interaction_id,channel,status,opened_at\n"
    bomb = gzip.compress(head + filler * (2**24 // len(filler)))
    started = time.process_time()
    with pytest.raises(DecompressedTooLarge):
        for _ in read(io.BytesIO(bomb), ReadOptions(now=NOW, media=media, encoding="gzip")):
            pass
    assert time.process_time() - started < 1
