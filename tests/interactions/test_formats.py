"""Bytes are cut into rows in one way only, however they arrive, and nothing gets lost."""

import csv
import gzip
import io
import json
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from decimal import Decimal

import pytest
from backports import zstd
from hypothesis import example, given
from hypothesis import strategies as st
from typing_extensions import override

from vendorwatch.errors import VendorwatchError
from vendorwatch.interactions.formats.delimited import (
    Dialect,
    cell_splitter,
    check_header,
    read_header,
    split_records,
)
from vendorwatch.interactions.formats.elements import split_elements
from vendorwatch.interactions.formats.faults import (
    BadEncoding,
    BadHeader,
    DecompressedTooLarge,
    RowTooLarge,
    TooManyRows,
    UnreadableFormat,
    UnsupportedCharset,
    UnsupportedEncoding,
    UploadTooLarge,
)
from vendorwatch.interactions.formats.inflate import inflate, text_start
from vendorwatch.interactions.formats.lines import MOST_EMPTY, json_lines
from vendorwatch.interactions.formats.rows import ENDLESS, RawRow
from vendorwatch.interactions.formats.strict_json import BadJson, decode
from vendorwatch.interactions.model import Encoding, Limits
from vendorwatch.interactions.refusals import EmptyUpload

ROW = 64
COMMA = Dialect()
SIZES = st.lists(st.integers(1, 7), min_size=1, max_size=5)
NOISE = st.lists(
    st.sampled_from(
        [b'"', b",", b"\n", b"\r\n", b"\r", b"a", b"\xc3\xa9", b"\xff", b" ", b"x" * 70]
    ),
    max_size=40,
).map(b"".join)
JSON_NOISE = st.lists(
    st.sampled_from([b"{", b"}", b"[", b"]", b",", b'"', b"\\", b"1", b" ", b"\n", b'{"a":1}']),
    max_size=40,
).map(b"".join)


def cut(data: bytes, sizes: list[int]) -> Iterator[bytes]:
    at = turn = 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        yield data[at : at + size]
        at, turn = at + size, turn + 1


def records(data: bytes, dialect: Dialect = COMMA, row_bytes: int = ROW) -> list[RawRow]:
    return list(split_records(iter([data]), 0, dialect, row_bytes))


def raws(data: bytes) -> list[bytes | str]:
    """Of faulty records the code, so that the two can be told apart."""
    return [row.fault.code if row.fault else row.raw for row in records(data)]


def elements(data: bytes, sizes: list[int] | None = None) -> list[RawRow]:
    return list(split_elements(cut(data, sizes or [2**16]), 0, ROW))


def gaps(data: bytes, rows: list[RawRow]) -> bytes:
    """What stands between the rows; fails if a row is not where it says, or rows overlap."""
    at, between = 0, b""
    for row in rows:
        assert data[row.offset : row.offset + len(row.raw)] == row.raw
        assert row.offset >= at
        assert row.line == data.count(b"\n", 0, row.offset) + 1
        between += data[at : row.offset]
        at = row.offset + len(row.raw)
        if row.fault and row.fault.code == "row_too_large":  # kept is its beginning
            end = data.find(b"\n", at)
            at = len(data) if end < 0 else end
    return between + data[at:]


# Lines


@given(NOISE, SIZES)
def test_lines_do_not_depend_on_chunks_and_nothing_is_lost(data: bytes, sizes: list[int]) -> None:
    rows = list(json_lines(iter([data]), 0, ROW))
    assert list(json_lines(cut(data, sizes), 0, ROW)) == rows
    assert gaps(data, rows).strip(b" \r\n") == b""


def test_lines_end_with_lf_or_crlf_and_blank_ones_are_no_rows() -> None:
    rows = list(json_lines(iter([b"a\r\n\n  \r\nb\nc"]), 3, ROW))
    assert [(row.line, row.offset, row.raw) for row in rows] == [
        (1, 3, b"a"),
        (4, 11, b"b"),
        (5, 13, b"c"),
    ]


@pytest.mark.parametrize(
    "split",
    [
        lambda data: json_lines(iter([data]), 0, ROW),
        lambda data: split_records(iter([data]), 0, COMMA, ROW),
    ],
    ids=["ndjson", "csv"],
)
def test_empty_lines_are_looked_at_up_to_a_limit(
    split: Callable[[bytes], Iterator[RawRow]],
) -> None:
    """Ten megabytes on the wire may be two thousand million of them."""
    few, many = b"\n" * MOST_EMPTY, b"\n" * (MOST_EMPTY + 1)
    assert [row.raw for row in split(few + b"a\n")] == [b"a"]
    with pytest.raises(TooManyRows, match="empty lines"):
        list(split(many))


def test_a_long_line_is_refused_with_its_beginning_and_the_next_one_is_read() -> None:
    long, last = json_lines(iter([b"x" * (ROW + 1) + b"\nb"]), 0, ROW)
    assert long.fault is not None
    assert (long.fault.code, long.raw) == ("row_too_large", b"x" * ROW)
    assert last.raw == b"b"
    (fits,) = json_lines(iter([b"x" * ROW + b"\r\n"]), 0, ROW)
    assert fits.fault is None


def test_a_line_without_end_is_given_up_while_streaming() -> None:
    served = 0

    def endless() -> Iterator[bytes]:
        nonlocal served
        while True:
            served += 2**16
            yield b"x" * 2**16

    with pytest.raises(RowTooLarge):
        list(json_lines(endless(), 0, ROW))
    assert served <= ENDLESS + 2**17
    with pytest.raises(RowTooLarge):
        list(split_records(endless(), 0, COMMA, ROW))
    with pytest.raises(RowTooLarge):
        list(split_elements((b"[" if not n else b"x" * 2**16 for n in range(100)), 0, ROW))


# CSV


@given(NOISE, SIZES)
def test_records_do_not_depend_on_chunks_and_nothing_is_lost(data: bytes, sizes: list[int]) -> None:
    rows = records(data)
    assert list(split_records(cut(data, sizes), 0, COMMA, ROW)) == rows
    assert gaps(data, rows).strip(b"\r\n") == b""


CELL = st.text(st.sampled_from('ab",;\n\té'), max_size=6)


@given(
    st.lists(st.lists(CELL, min_size=2, max_size=2), min_size=1, max_size=6),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from([",", ";", "\t"]),
)
@example([["", "\n"]], "\n", csv.QUOTE_MINIMAL, ",")  # the regular expressions of 3.11.2 differ
@example([["a", '"\n""']], "\n", csv.QUOTE_MINIMAL, ",")
def test_what_a_csv_writer_wrote_is_read_back(
    rows: list[list[str]], end: str, quoting: int, delimiter: str
) -> None:
    written = io.StringIO()
    csv.writer(
        written,
        lineterminator=end,
        quoting=quoting,  # type: ignore[arg-type]  # one of its constants
        delimiter=delimiter,
    ).writerows(rows)
    dialect = Dialect(delimiter)
    split = cell_splitter(dialect)
    found = records(written.getvalue().encode(), dialect, row_bytes=1000)
    assert [row.fault for row in found] == [None] * len(rows)
    assert [split(row.raw.decode()) for row in found] == rows


def test_a_quote_after_text_is_text() -> None:
    assert raws(b'19" screen,a "b"\nnext,row') == [b'19" screen,a "b"', b"next,row"]
    assert cell_splitter(COMMA)('19" screen,a "b"') == ['19" screen', 'a "b"']


def test_an_unclosed_quote_spoils_its_own_line_only() -> None:
    assert raws(b'1,"a\n2,b\n3,c') == ["malformed", b"2,b", b"3,c"]
    assert raws(b'1,"a\n2,"b",c\n3,"d"') == ["malformed", b'2,"b",c', b'3,"d"']
    assert raws(b'1,"a\n' + b"2,b\n" * 30) == ["malformed", *[b"2,b"] * 30]
    assert raws(b'1,"a"b\n2,c') == ["malformed", b"2,c"]
    assert records(b'1,"a\r\n2')[0].raw == b'1,"a'


def test_many_unclosed_quotes_cost_no_more_than_their_bytes() -> None:
    data = (b'1,"a\n' + b'""\n' * 20_000) * 5
    before = time.process_time()
    rows = records(data, row_bytes=2**16)
    assert sum(row.fault is not None for row in rows) == 5
    assert time.process_time() - before < 3


@pytest.mark.parametrize(
    "line",
    [
        b'a,"b\n',  # closes what is open, spoils it, and opens nothing
        b'a","b\n',  # leaves open what is open, and opens what is not: no row of the file ends
        b'a","b\r\n',
    ],
)
def test_rows_that_are_open_at_every_line_are_looked_at_once(line: bytes) -> None:
    lines = 50_000
    started = time.process_time()
    rows = list(split_records(iter([line * lines]), 0, COMMA, 2**16))
    assert time.process_time() - started < 5
    assert sum(row.raw.count(b"\n") + 1 for row in rows) == lines


def test_a_quote_that_is_followed_by_text_is_told_from_one_that_is_not_closed() -> None:
    data = b'a,"b "c"\n"d\\"e\\"",f\n"g\n'
    told = [row.fault.detail for row in split_records(iter([data]), 0, COMMA, ROW) if row.fault]
    assert ["written twice" in each for each in told] == [True, True, False]


def test_an_unclosed_quote_reads_no_further_than_a_row_may_be_long() -> None:
    served = 0

    def endless() -> Iterator[bytes]:
        nonlocal served
        yield b'1,"a\n'
        while True:
            served += 4
            yield b"2,b\n"

    rows = split_records(endless(), 0, COMMA, ROW)
    assert [next(rows).fault is None for _ in range(3)] == [False, True, True]
    assert served <= 2 * ROW


def test_a_quoted_row_may_be_as_long_as_any_row() -> None:
    cell = b"\n".join([b"x"] * 20)
    fits = b'"' + cell + b'"'
    assert [row.raw for row in records(fits + b"\r\nb\n", row_bytes=len(fits))] == [fits, b"b"]
    assert records(fits, row_bytes=len(fits) - 1)[0].fault is not None


def test_without_a_quote_nothing_is_quoted() -> None:
    dialect = Dialect("\t", quote="")
    rows = records(b'a\t"b\n"\tc', dialect)
    assert [cell_splitter(dialect)(row.raw.decode()) for row in rows] == [["a", '"b'], ['"', "c"]]


def test_lines_before_the_header_can_be_left_out() -> None:
    rows = records(b'Report, "x\n\na,b\n1,2', Dialect(skip_lines=2))
    assert [(row.line, row.raw) for row in rows] == [(3, b"a,b"), (4, b"1,2")]


def header(data: bytes) -> tuple[str, ...]:
    return read_header(iter(records(data)), COMMA)


def test_a_header_is_read_without_blanks_and_every_column_has_a_name() -> None:
    assert header(b' a ,"b c",,\xc3\xa9\n1') == ("a", "b c", "column_3", "é")


def test_columns_that_stand_twice_are_all_named() -> None:
    with pytest.raises(BadHeader) as caught:
        header(b"a,b,a,c, b,a")
    assert [(f.code, f.field) for f in caught.value.faults] == [
        ("duplicate_column", "a"),
        ("duplicate_column", "b"),
    ]


def test_a_header_of_very_many_columns_is_read_in_no_time() -> None:
    started = time.process_time()
    rows = records(b"," * 64_000, row_bytes=64_000)
    assert read_header(iter(rows), COMMA)[-1] == "column_64001"
    assert time.process_time() - started < 5  # seconds; it was 40 when each was looked for in all


@pytest.mark.parametrize("data", [b'a,"b', b"a,\xff", b"x" * 70])
def test_a_header_that_cannot_be_read_is_told(data: bytes) -> None:
    with pytest.raises(BadHeader):
        header(data)


@pytest.mark.parametrize("data", [b"", b"\n\r\n", b"  \n"])
def test_no_header_is_an_empty_upload(data: bytes) -> None:
    with pytest.raises(EmptyUpload):
        header(data)


def test_missing_columns_are_all_named_with_a_likely_cause() -> None:
    with pytest.raises(BadHeader) as caught:
        check_header(("a", "x"), ["a", "b", "c"])
    assert [(f.code, f.field) for f in caught.value.faults] == [
        ("missing_column", "b"),
        ("missing_column", "c"),
    ]
    with pytest.raises(BadHeader, match="delimiter"):
        check_header(("a;b;c",), ["a", "b", "c"])
    with pytest.raises(BadHeader, match="CR alone"):
        check_header(("a", "b\r1", "2"), ["a", "b"])
    with pytest.raises(BadHeader, match='it has "sep=", "column_2";'):
        check_header(("sep=", "column_2"), ["a"])
    with pytest.raises(BadHeader, match='"0", "1", "2", "3", "4" and 995 more;'):
        check_header(tuple(map(str, range(1000))), ["a"])


# JSON arrays


@given(JSON_NOISE, SIZES)
def test_elements_do_not_depend_on_chunks_and_nothing_is_lost(
    noise: bytes, sizes: list[int]
) -> None:
    data = b"[" + noise + b"]"
    try:
        rows = elements(data, [len(data)])
    except VendorwatchError as error:
        with pytest.raises(type(error)):
            elements(data, sizes)
        return
    assert elements(data, sizes) == rows
    if not any(row.fault for row in rows):
        assert gaps(data, rows).strip(b"[], \r\n") == b""


@given(
    st.lists(st.dictionaries(st.text(max_size=3), st.text(max_size=5) | st.integers(), max_size=3)),
    st.sampled_from([None, 1]),
    SIZES,
)
def test_elements_of_an_array_are_what_was_written(
    rows: list[object], indent: int | None, sizes: list[int]
) -> None:
    data = json.dumps(rows, indent=indent).encode()
    found = list(split_elements(cut(data, sizes), 0, 10_000))
    assert [json.loads(row.raw) for row in found] == rows
    gaps(data, found)


def test_what_stands_between_two_commas_is_a_row() -> None:
    assert [row.raw for row in elements(b'[ 1 ,{"a":"]},"}\n, [2,3],,x y,"\\"" ]')] == [
        b"1",
        b'{"a":"]},"}',
        b"[2,3]",
        b"",
        b"x y",
        b'"\\""',
    ]
    assert [row.raw for row in elements(b'[{"a":1],}x,]')] == [b'{"a":1]', b"}x", b""]


def test_an_empty_array_has_no_rows() -> None:
    assert elements(b" [ \n] \n") == []


@pytest.mark.parametrize("data", [b"", b" \n\t "])
def test_white_space_alone_is_an_empty_upload(data: bytes) -> None:
    with pytest.raises(EmptyUpload):
        elements(data, [2])


@pytest.mark.parametrize(
    "data", [b"{}", b"x[]", b"[", b"[{}", b"[{},", b'[{"a":"]', b"[] {}", b"[1]]"]
)
def test_what_is_not_one_whole_array_is_unreadable(data: bytes) -> None:
    with pytest.raises(UnreadableFormat):
        elements(data, [3])


def test_a_large_element_is_refused_with_its_beginning() -> None:
    data = b'["' + b"x" * ROW + b'", 2]'
    large, small = elements(data)
    assert large.fault is not None
    assert (large.fault.code, large.raw) == ("row_too_large", data[1 : 1 + ROW])
    assert small.raw == b"2"


# Encodings


def inflated(data: bytes, encoding: Encoding, limits: Limits | None = None) -> bytes:
    return b"".join(inflate(io.BytesIO(data), encoding, limits or Limits()))


PACK: dict[Encoding, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zstd": zstd.compress,
    "identity": bytes,
}


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "identity"])
@given(data=st.binary(max_size=3000), times=st.integers(1, 200))
def test_what_was_packed_is_unpacked(encoding: Encoding, data: bytes, times: int) -> None:
    if data.startswith((b"\x1f\x8b", b"\x28\xb5\x2f\xfd")):
        return  # not taken as it is, nor compressed once more
    assert inflated(PACK[encoding](data * times), encoding) == data * times


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_much_from_few_bytes_is_unpacked_whole(encoding: Encoding) -> None:
    limits = Limits(ratio=100_000)
    for size in (2**18, 2**18 + 1, 2**22, 2**22 + 2**18 - 1):
        assert inflated(PACK[encoding](bytes(size)), encoding, limits) == bytes(size)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_several_members_follow_each_other(encoding: Encoding) -> None:
    pack = PACK[encoding]
    assert inflated(pack(b"one") + pack(b"") + pack(b"two"), encoding) == b"onetwo"


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_a_damaged_body_is_never_taken_as_whole(encoding: Encoding) -> None:
    whole = PACK[encoding](json.dumps(list(range(2000))).encode())
    for end in (*range(1, 30), len(whole) // 2, *range(len(whole) - 9, len(whole))):
        with pytest.raises(BadEncoding):
            inflated(whole[:end], encoding)
    for damaged in (whole + b"garbage", whole + b"\0", b"plain text"):
        with pytest.raises(BadEncoding):
            inflated(damaged, encoding)


@pytest.mark.parametrize(
    ("encoding", "member"),
    [
        ("gzip", gzip.compress(b"")),
        ("zstd", zstd.compress(b"")),
        ("zstd", b"\x50\x2a\x4d\x18\0\0\0\0"),  # a frame that is to be skipped
    ],
    ids=["gzip", "zstd", "skippable"],
)
def test_a_body_of_very_many_members_is_refused(encoding: Encoding, member: bytes) -> None:
    with pytest.raises(BadEncoding, match="more than 100000 pieces"):
        inflated(member * 100_001, encoding)


@pytest.mark.parametrize("inner", ["gzip", "zstd"])
@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_what_is_compressed_twice_is_told_so(encoding: Encoding, inner: Encoding) -> None:
    with pytest.raises(UnsupportedEncoding, match=f"{inner} data again"):
        inflated(PACK[encoding](PACK[inner](b"a row")), encoding)


def test_a_window_that_is_too_large_is_told_with_what_to_do() -> None:
    options = {zstd.CompressionParameter.window_log: 27}
    packer = zstd.ZstdCompressor(options=options)
    with pytest.raises(BadEncoding, match="without --long"):
        inflated(packer.compress(b"a row") + packer.flush(), "zstd")


def test_a_wrong_checksum_or_length_is_damage() -> None:
    whole = gzip.compress(b"a" * 1000)
    for at in (-8, -4):
        damaged = bytearray(whole)
        damaged[at] ^= 1
        with pytest.raises(BadEncoding):
            inflated(bytes(damaged), "gzip")


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_a_bomb_is_stopped_at_the_ratio(encoding: Encoding) -> None:
    bomb = PACK[encoding](bytes(64 * 2**20))
    served = 0
    before = time.process_time()
    chunks = inflate(io.BytesIO(bomb), encoding, Limits())
    with suppress(DecompressedTooLarge):
        for chunk in chunks:
            assert len(chunk) <= 2**18
            served += len(chunk)
    assert 0 < served <= max(200 * len(bomb), 2**20)
    assert time.process_time() - before < 1


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "identity"])
def test_decoded_bytes_are_capped(encoding: Encoding) -> None:
    limits = Limits(decoded_bytes=1000)
    assert len(inflated(PACK[encoding](b"ab" * 500), encoding, limits)) == 1000
    with pytest.raises(DecompressedTooLarge):
        inflated(PACK[encoding](b"ab" * 500 + b"c"), encoding, limits)


def test_wire_bytes_are_capped() -> None:
    with pytest.raises(UploadTooLarge):
        inflated(b"a" * 1001, "identity", Limits(wire_bytes=1000))


def test_a_zstd_frame_may_not_ask_for_a_large_window() -> None:
    wide = zstd.compress(
        bytes(2**25),
        options={
            zstd.CompressionParameter.window_log: 24,
            zstd.CompressionParameter.content_size_flag: 0,
        },
    )
    with pytest.raises(BadEncoding):
        inflated(wide, "zstd")


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
@pytest.mark.parametrize("size", [1, 3, 100])
def test_compressed_bytes_without_their_header_are_not_taken_as_text(
    encoding: Encoding, size: int
) -> None:
    class Trickle(io.BytesIO):
        @override
        def read(self, wanted: int | None = -1, /) -> bytes:
            return super().read(size)

    with pytest.raises(UnsupportedEncoding, match=encoding):
        list(inflate(Trickle(PACK[encoding](b"{}")), "identity", Limits()))


@given(st.binary(max_size=200), st.sampled_from(["gzip", "zstd"]))
def test_no_bytes_raise_anything_but_a_bad_encoding(data: bytes, encoding: Encoding) -> None:
    head = gzip.compress(b"")[:10] if encoding == "gzip" else b"\x28\xb5\x2f\xfd"
    for body in (data, head + data):
        with suppress(BadEncoding):
            inflated(body, encoding)


def test_deflate_without_its_gzip_header_is_damage() -> None:
    with pytest.raises(BadEncoding):
        inflated(zlib.compress(b"abc"), "gzip")


def test_a_byte_order_mark_is_left_out_and_counted() -> None:
    offset, chunks = text_start(iter([b"\xef", b"\xbb\xbf", b"{}", b"x"]))
    assert (offset, b"".join(chunks)) == (3, b"{}x")
    offset, chunks = text_start(iter([b"a"]))
    assert (offset, b"".join(chunks)) == (0, b"a")


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_utf_16_and_32_are_refused(codec: str) -> None:
    with pytest.raises(UnsupportedCharset):
        text_start(iter(["[{}]".encode(codec)]))
    with pytest.raises(UnsupportedCharset):
        text_start(iter([b"\xfe\xff", b"\0{"]))


# JSON values


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**80), 2**80) | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    ),
    st.booleans(),
)
def test_json_is_read_as_it_was_written(value: object, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    assert decode(text) == value


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":1}',
        '{"a":1,"b":{"c":[{"d":"x","d":"y"}]}}',
        '{"a":"\\"","b":1,"a":"\\\\"}',
        '{"a":"x","\\u0061":2}',
        '{"é":"\\n","é":""}',
        '[{"":1,"":2}]',
        '{"a":1,"b":"\\\\","c":"\\\\","a":2}',
        '{"a":"\\"\\"","a":""}',
    ],
)
def test_a_key_that_stands_twice_is_found_wherever_it_is(text: str) -> None:
    with pytest.raises(BadJson) as caught:
        decode(text)
    assert caught.value.code == "duplicate_key"
    assert caught.value.key is not None


TOKENS = st.lists(st.sampled_from(['"', "\\", "a", "u0061", ":", ",", "{", "}", "1", "[", "]"]))


@given(TOKENS.map("".join))
def test_the_quick_way_and_the_strict_way_agree(text: str) -> None:
    seen: list[bool] = []

    def pairs(found: list[tuple[str, object]]) -> object:
        seen.append(len(dict(found)) < len(found))
        return dict(found)

    try:
        expected = json.loads(text, object_pairs_hook=pairs)
    except ValueError:
        with pytest.raises(BadJson):
            decode(text)
        return
    if any(seen):
        with pytest.raises(BadJson):
            decode(text)
    else:
        assert decode(text) == expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "malformed"),
        ("{", "malformed"),
        ("{} {}", "malformed"),
        ('{"a":NaN}', "malformed"),
        ("[Infinity]", "malformed"),
        ("[-Infinity]", "malformed"),
        ("[01]", "malformed"),
        ("{'a':1}", "malformed"),
        ('{"a":1,}', "malformed"),
        ('["\t"]', "malformed"),
        ("[" * 50_000, "malformed"),
        ('{"a":' * 20_000, "malformed"),
        ("[" + "9" * 10_000 + "]", "out_of_range"),
        ("[1e99999999999999999999]", "out_of_range"),
    ],
    ids=lambda value: value[:20],
)
def test_liberties_of_json_are_refused(text: str, code: str) -> None:
    with pytest.raises(BadJson) as caught:
        decode(text)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("\ufeff{}", r'character 1, where "\ufeff{}" stands'),
        ("interaction_id,channel,status", 'character 1, where "interaction_id,chann…" stands'),
        ('{"a":1}\r{"b":2}', 'character 9, where "{"b":2}" stands'),
        ('{"a":"b', "Unterminated string at character 6"),
        ('{"a":', "character 6, where it ends"),
    ],
)
def test_where_json_breaks_is_shown(text: str, told: str) -> None:
    with pytest.raises(BadJson) as caught:
        decode(text)
    assert told in caught.value.detail


def test_numbers_keep_all_their_digits() -> None:
    assert decode("[9007199254740993, 9223372036854775808, 1180591620717411303424]") == [
        2**53 + 1,
        2**63,
        2**70,
    ]
    assert repr(decode("[87.50]")) == repr([Decimal("87.50")])


def test_lone_surrogates_are_left_for_the_field_to_be_named() -> None:
    assert decode('{"a":"\\ud800"}') == {"a": "\ud800"}
