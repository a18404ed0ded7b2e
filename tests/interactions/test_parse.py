"""A file of any kind becomes accepted, refused and skipped rows; or one error for all of it."""

import csv
import gzip
import io
import json
import os
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from mapped_cells import CALL, CALLS
from vendorwatch.errors import VendorwatchError
from vendorwatch.interactions.formats.faults import (
    BadEncoding,
    BadHeader,
    DecompressedTooLarge,
    RowTooLarge,
    TooManyRows,
    UnreadableFormat,
    UnsupportedCharset,
    UnsupportedEncoding,
)
from vendorwatch.interactions.instants import parse_instant
from vendorwatch.interactions.mapping import parse_mapping
from vendorwatch.interactions.model import Limits, Media
from vendorwatch.interactions.parse import (
    Accepted,
    Outcome,
    Reading,
    ReadOptions,
    Refused,
    Skipped,
    read,
)
from vendorwatch.interactions.refusals import EmptyUpload
from vendorwatch.periods import load_zone
from vendorwatch.resources import FIXTURES

NOW = parse_instant("2026-11-02T08:00:00Z")
HEADER = b"interaction_id,channel,status,opened_at\n"
MEDIA: tuple[Media, ...] = ("ndjson", "csv", "json")


def good(number: int = 1, **fields: object) -> dict[str, object]:
    return {
        "interaction_id": f"T-{number}",
        "channel": "email",
        "status": "open",
        "opened_at": "2026-10-01T09:00:00Z",
    } | fields


def line(number: int = 1, **fields: object) -> bytes:
    return json.dumps(good(number, **fields)).encode()


def reading(data: bytes, media: Media = "ndjson", **options: object) -> Reading:
    return read(io.BytesIO(data), ReadOptions(now=NOW, media=media, **options))  # type: ignore[arg-type]  # named there


def outcomes(data: bytes, media: Media = "ndjson", **options: object) -> list[Outcome]:
    return list(reading(data, media, **options))


def written(rows: list[dict[str, object]], media: Media) -> bytes:
    if media == "json":
        return json.dumps(rows).encode()
    if media == "ndjson":
        return b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(dict.fromkeys(name for row in rows for name in row)))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def summary(found: list[Outcome]) -> list[str]:
    """The id of an accepted row, the codes of a refused one."""
    return [
        row.interaction.interaction_id
        if isinstance(row, Accepted)
        else ",".join(fault.code for fault in row.faults)
        if isinstance(row, Refused)
        else row.rule
        for row in found
    ]


@pytest.mark.parametrize("media", MEDIA)
def test_the_same_rows_are_the_same_interactions_in_every_format(media: Media) -> None:
    rows = [good(n, csat=5, topic="đổi trả", note="x") for n in range(3)]
    cells = [row | {"csat": "5"} for row in rows] if media == "csv" else rows
    found = outcomes(written(cells, media), media)
    expected = outcomes(written(rows, "json"), "json")
    assert [row.row for row in found] == [1, 2, 3]
    accepted = [row.interaction for row in found if isinstance(row, Accepted)]
    whole = [row.interaction for row in expected if isinstance(row, Accepted)]
    if media == "csv":  # which has no column for these, so that their absence says nothing
        assert not any(row.first_reply_known or row.resolution_known for row in accepted)
        assert [(r.csat, r.topic, r.extra) for r in accepted] == [
            (r.csat, r.topic, r.extra) for r in whole
        ]
    else:
        assert accepted == whole


ROWS_OF_JSON = [
    (b'{"interaction_id":"T-1"', "malformed"),
    (b"[]", "malformed"),
    (b"null", "malformed"),
    (b'"T-1"', "malformed"),
    (line()[:-1] + b',"csat":NaN}', "malformed"),
    (line()[:-1] + b',"csat":1e400}', "out_of_range"),
    (line()[:-1] + b',"csat":4.0}', "bad_value"),
    (line()[:-1] + b',"csat":1180591620717411303424}', "out_of_range"),
    (line()[:-1] + b',"vendor_quality":1e400}', "out_of_range"),
    (line()[:-1] + b',"status":"open"}', "duplicate_key"),
    (line()[:-1] + b',"x":{"y":1,"y":1}}', "duplicate_key"),
    (line(topic="a\0b"), "illegal_character"),
    (line(topic="\ud83d"), "illegal_character"),
    (line(topic="é").replace(b"\\u00e9", b"\xe9"), "invalid_utf8"),
    (line(topic="é").replace(b"\\u00e9", b"\xed\xa0\x80"), "invalid_utf8"),
    (b"[" * 60_000, "malformed"),
    (line(x="y" * 2**16), "row_too_large"),
    (line(interaction_id=None), "missing_required"),
    (line(channel="fax"), "bad_value"),
    (line(opened_at="now"), "bad_timestamp"),
    (line(opened_at="2026-10-01T09:00:00"), "timezone_required"),
    (line(first_reply_at="2026-10-01T08:00:00Z"), "reply_before_open"),
    (line(resolved_at="2026-10-01T08:00:00Z"), "resolved_before_open"),
    (line(abandoned_at="2026-10-01T08:00:00Z"), "abandoned_before_open"),
    (line(source_updated_at="2027-01-01T00:00:00Z"), "future_timestamp"),
]


@pytest.mark.parametrize(("bad", "code"), ROWS_OF_JSON, ids=lambda value: str(value)[:40])
def test_a_bad_line_is_kept_with_its_reason_and_its_neighbours_are_taken(
    bad: bytes, code: str
) -> None:
    data = b"\n".join([line(1), bad, line(2)])
    first, refused, last = outcomes(data)
    assert summary([first, last]) == ["T-1", "T-2"]
    assert isinstance(refused, Refused)
    assert [fault.code for fault in refused.faults] == [code]
    assert refused.raw == bad[: 2**16]
    assert (refused.row, refused.line, refused.offset) == (2, 2, len(line(1)) + 1)
    assert {(fault.row, fault.line) for fault in refused.faults} == {(2, 2)}


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"opened_at": "2026-03-29T02:30:00"}, "nonexistent_local_time"),
        ({"opened_at": "2025-10-26T02:30:00"}, "ambiguous_local_time"),
    ],
)
def test_the_zone_of_the_file_is_used(options: dict[str, object], code: str) -> None:
    berlin = load_zone("Europe/Berlin")
    data = line(1, **options) + b"\n" + line(2, opened_at="2026-07-01T09:00:00")
    refused, accepted = outcomes(data, time_zone=berlin)
    assert summary([refused]) == [code]
    assert isinstance(accepted, Accepted)
    assert accepted.interaction.opened_at == parse_instant("2026-07-01T07:00:00Z")


def test_the_order_of_dates_is_used() -> None:
    data = HEADER + b"1,email,open,2/10/2026 9:00\n"
    (accepted,) = outcomes(data, "csv", date_order="dmy", time_zone=load_zone("UTC"))
    assert isinstance(accepted, Accepted)
    assert accepted.interaction.opened_at == parse_instant("2026-10-02T09:00:00Z")


def test_a_cut_off_last_line_is_refused_and_one_without_its_end_is_taken() -> None:
    assert summary(outcomes(line(1) + b"\n" + line(2))) == ["T-1", "T-2"]
    assert summary(outcomes(line(1) + b"\n" + line(2)[:-1])) == ["T-1", "malformed"]


def test_csv_rows_are_refused_one_by_one() -> None:
    data = HEADER + (
        b"1,email,open,2026-10-01T09:00:00Z\r\n"
        b"2,email,open\n"
        b"3,email,open,2026-10-01T09:00:00Z,\n"
        b'4,"email,open,2026-10-01T09:00:00Z\n'
        b"\n"
        b"5,e\xffmail,open,2026-10-01T09:00:00Z\n"
        b"a\0b,email,open,2026-10-01T09:00:00Z\n"
        b" 6 ,email,open,2026-10-01T09:00:00Z\n"
        b"007,email,open,2026-10-01T09:00:00Z"
    )
    found = outcomes(data, "csv")
    assert summary(found) == [
        "1",
        "malformed",
        "malformed",
        "malformed",
        "invalid_utf8",
        "illegal_character",
        "bad_value",
        "007",
    ]
    assert [row.line for row in found] == [2, 3, 4, 5, 7, 8, 9, 10]
    for row in found:
        if isinstance(row, Refused):
            assert data[row.offset :].startswith(row.raw)


def test_columns_stand_in_any_order_and_unknown_ones_are_kept() -> None:
    data = (
        b"\xef\xbb\xbfmood, opened_at ,status,channel,interaction_id,vendorwatch_code,first_reply_at\n"
        b'"a, b",2026-10-01T09:00:00Z,open,email,1,bad_value,\n'
    )
    rows = reading(data, "csv")
    (row,) = rows
    assert isinstance(row, Accepted)
    assert row.interaction.extra == {"mood": "a, b"}
    assert (row.interaction.first_reply_known, row.interaction.resolution_known) == (True, False)
    assert row.offset == data.index(b'"a')
    assert rows.columns[:2] == ("mood", "opened_at")
    assert rows.extra_columns == ("mood",)
    assert rows.supplied == {"opened_at", "status", "channel", "interaction_id", "first_reply_at"}


def test_another_delimiter_can_be_named() -> None:
    data = HEADER.replace(b",", b";") + b"1;email;open;2026-10-01T09:00:00Z"
    assert summary(outcomes(data, "csv", delimiter=";")) == ["1"]
    with pytest.raises(BadHeader, match="delimiter"):
        outcomes(data, "csv")


def test_a_json_file_tells_what_it_carries() -> None:
    event = {"at": "2026-10-01T09:00:00Z", "type": "note", "actor": "agent", "mood": "x"}
    rows = reading(b"\n".join([line(1, csat=None, z=1), line(2, a=2, events=[event])]))
    assert len(list(rows)) == 2
    assert rows.columns == ()
    assert rows.extra_columns == ("a", "events.mood", "z")
    assert rows.supplied == {*good(), "csat", "events"}


def test_what_is_told_of_extra_keys_is_bounded() -> None:
    data = b"\n".join(line(n, **{f"k{n}": 1, "x" * 5000: 1, "csat": 5}) for n in range(1500))
    rows = reading(data)
    assert all(isinstance(row, Accepted) for row in rows)
    assert len(rows.extra_columns) == 1001  # the last one only tells that there are more
    assert max(map(len, rows.extra_columns)) == 200
    assert "csat" in rows.supplied


def call(**cells: str) -> bytes:
    return "\t".join((CALL | cells).values()).encode()


def test_a_mapping_reads_skips_and_refuses_rows() -> None:
    mapping = parse_mapping(CALLS)
    refused = call(entry=" 25:00:00", outcome="AGENT")
    data = b"\n".join(
        ["\t".join(CALL).encode(), call(), call(outcome="PHANTOM"), refused, call(call_id="\0")]
    )
    rows = reading(data, "csv", format="mapped", mapping=mapping)
    found = list(rows)
    first, skipped, bad_time, bad_id = found
    assert isinstance(first, Accepted)
    assert first.interaction.interaction_id == "AA0101/33116/990101"
    assert first.interaction.first_reply_known
    assert (first.row, first.line) == (1, 2)
    assert isinstance(skipped, Skipped)
    assert (skipped.rule, skipped.raw) == ("phantom calls", call(outcome="PHANTOM"))
    assert isinstance(bad_time, Refused)
    assert bad_time.raw == refused
    assert "mapping line" in bad_time.faults[0].detail
    assert isinstance(bad_id, Refused)
    assert [(fault.code, fault.field) for fault in bad_id.faults] == [
        ("illegal_character", "interaction_id")
    ]
    assert "mapping line" in bad_id.faults[0].detail
    assert rows.supplied == mapping.supplied
    assert rows.columns == tuple(CALL)
    assert rows.extra_columns == tuple(sorted(first.interaction.extra))


def test_a_mapping_reads_tables_only_and_needs_its_columns() -> None:
    mapping = parse_mapping(CALLS)
    with pytest.raises(UnreadableFormat):
        outcomes(line(), format="mapped", mapping=mapping)
    with pytest.raises(BadHeader):
        outcomes(b"line\tcall_id\n", "csv", format="mapped", mapping=mapping)


def test_a_mapping_may_name_another_character_set() -> None:
    source = CALLS.replace("[file]", '[file]\nencoding = "windows-1252"', 1)
    data = "\t".join(CALL).encode() + b"\n" + call(type="\u00e9").decode().encode("cp1252")
    (row,) = outcomes(data, "csv", format="mapped", mapping=parse_mapping(source))
    assert isinstance(row, Accepted)
    assert row.interaction.topic == "é"


@pytest.mark.real_data
def test_a_real_log_is_read_whole() -> None:
    beside = Path(__file__).resolve().parents[2].parent / "shared" / "data"
    home = Path(os.environ.get("VENDORWATCH_REAL_DATA", beside)) / "servicenow"
    if not home.is_dir():
        pytest.skip(f"the real log is not at {home}")
    mapping = parse_mapping((FIXTURES / "mappings" / "servicenow.toml").read_text("utf-8"))
    data = (home / "incident_event_log_396.csv").read_bytes()
    found = outcomes(data, "csv", format="mapped", mapping=mapping)
    assert len(found) == 3217
    assert all(isinstance(row, Accepted) for row in found)


def test_a_header_without_rows_is_no_error() -> None:
    rows = reading(HEADER, "csv")
    assert list(rows) == []
    assert rows.supplied == {"interaction_id", "channel", "status", "opened_at"}
    assert outcomes(b"[]", "json") == []


@pytest.mark.parametrize("media", MEDIA)
@pytest.mark.parametrize("data", [b"", b"\n \r\n", b"\xef\xbb\xbf"])
def test_nothing_is_an_empty_upload(media: Media, data: bytes) -> None:
    with pytest.raises(EmptyUpload):
        outcomes(data, media)
    with pytest.raises(EmptyUpload):
        outcomes(gzip.compress(data), media, encoding="gzip")


def test_a_bad_header_names_all_its_columns() -> None:
    with pytest.raises(BadHeader) as caught:
        outcomes(b"interaction_id,chanel,opened_at\n", "csv")
    assert [fault.field for fault in caught.value.faults] == ["channel", "status"]


FILE_FAULTS: list[tuple[type[VendorwatchError], Callable[[], list[Outcome]]]] = [
    (UnsupportedCharset, lambda: outcomes(line().decode().encode("utf-16"))),
    (UnsupportedEncoding, lambda: outcomes(gzip.compress(line()))),
    (BadEncoding, lambda: outcomes(gzip.compress(line())[:-1], encoding="gzip")),
    (BadEncoding, lambda: outcomes(line(), encoding="zstd")),
    (
        DecompressedTooLarge,
        lambda: outcomes(gzip.compress(b"\n" * 2**24), encoding="gzip"),
    ),
    (RowTooLarge, lambda: outcomes(line(x="y" * 2**21))),
    (TooManyRows, lambda: outcomes((line() + b"\n") * 3, limits=Limits(rows=2))),
    (UnreadableFormat, lambda: outcomes(line(), "json")),
    (UnreadableFormat, lambda: outcomes(b"[" + line(), "json")),
]


@pytest.mark.parametrize(("error", "run"), FILE_FAULTS)
def test_what_is_wrong_with_the_whole_file_is_one_error(
    error: type[VendorwatchError], run: Callable[[], list[Outcome]]
) -> None:
    with pytest.raises(error):
        run()


def test_as_many_rows_as_allowed_are_taken() -> None:
    assert len(outcomes((line() + b"\n") * 3, limits=Limits(rows=3))) == 3


@pytest.mark.parametrize("media", MEDIA)
@given(data=st.binary(max_size=300), rows=st.lists(st.just(line()) | st.binary(max_size=20)))
def test_no_bytes_raise_anything_but_our_errors(
    media: Media, data: bytes, rows: list[bytes]
) -> None:
    for body in (data, b"\n".join(rows), b"[" + b",".join(rows) + b"]", HEADER + data):
        with suppress(VendorwatchError):
            found = outcomes(body, media)
            assert [row.row for row in found] == list(range(1, len(found) + 1))


class Made(io.RawIOBase):
    """A long file of which no more exists than was asked for."""

    def __init__(self, blocks: int) -> None:
        self._left = blocks

    @override
    def read(self, size: int = -1, /) -> bytes:
        self._left -= 1
        return (line() + b"\n") * 500 if self._left >= 0 else b""


def test_memory_does_not_grow_with_the_file() -> None:
    peaks = []
    for blocks in (2, 30):
        tracemalloc.start()
        try:
            rows = read(cast("BinaryIO", Made(blocks)), ReadOptions(now=NOW, media="ndjson"))
            assert sum(isinstance(row, Accepted) for row in rows) == blocks * 500
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    assert peaks[1] < peaks[0] + 100_000
