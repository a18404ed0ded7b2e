"""Any bytes whatever give rows, refusals or one of our errors: never a crash, never a lost byte."""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator

from backports import zstd
from hypothesis import example, given, reject
from hypothesis import strategies as st

from fuzz.profiles import effort
from vendorwatch.errors import VendorwatchError
from vendorwatch.interactions.formats.delimited import Dialect, cell_splitter, split_records
from vendorwatch.interactions.formats.faults import BadEncoding, RowTooLarge, UnsupportedEncoding
from vendorwatch.interactions.formats.inflate import inflate
from vendorwatch.interactions.formats.lines import json_lines, split_lines
from vendorwatch.interactions.formats.rows import RawRow
from vendorwatch.interactions.model import Encoding, Limits, Media
from vendorwatch.interactions.parse import Accepted, ReadOptions, Refused, read

ROW_BYTES = 64
NOW = 1_793_600_000_000_000
SMALL = Limits(wire_bytes=2**16, decoded_bytes=2**21, ratio=200, row_bytes=ROW_BYTES, rows=50)
# Bytes that mean something to one of the readers, more often than chance would have them.
alphabet = st.sampled_from(list(b"\n\r,\";'{}[]:\\ \t\0\xef\xbb\xbf\xff\xc3\xa9ab01-eE.+"))
texts = st.one_of(st.lists(alphabet, max_size=200).map(bytes), st.binary(max_size=200))
cuts = st.lists(st.integers(0, 200), max_size=8)
# A lone CR in a cell without quotes is an end of line to Python, and not well formed.
cells = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=12),
    st.just("two\r\nlines"),
)
HEADER = b"interaction_id,channel,status,opened_at\n"


def pieces(data: bytes, places: list[int]) -> Iterator[bytes]:
    start = 0
    for place in [*sorted(places), len(data)]:
        if place > start:
            yield data[start:place]
            start = place


@given(texts, cuts)
@effort(300, 20_000)
def test_lines_do_not_depend_on_how_the_bytes_came(data: bytes, places: list[int]) -> None:
    whole = list(split_lines(iter([data] if data else []), 0))
    assert list(split_lines(pieces(data, places), 0)) == whole
    assert b"\n".join(line for _, _, line in whole) == data.removesuffix(b"\n")
    for number, (line, offset, piece) in enumerate(whole, start=1):
        assert line == number
        assert data[offset : offset + len(piece)] == piece


@given(texts, cuts)
@effort(300, 20_000)
def test_rows_of_json_lines_are_all_that_is_not_blank(data: bytes, places: list[int]) -> None:
    rows = list(json_lines(pieces(data, places), 0, ROW_BYTES))
    told = {row.offset: row for row in rows}
    assert len(told) == len(rows)
    for _, offset, piece in split_lines(iter([data] if data else []), 0):
        raw = piece.removesuffix(b"\r")
        if raw and not raw.isspace():
            assert told.pop(offset).raw == raw[:ROW_BYTES]
    assert told == {}


def check_conserved(data: bytes, rows: list[RawRow]) -> None:
    """Rows lie in the file where they say, in order; between them is nothing but line ends."""
    end = 0
    for row in rows:
        assert data[row.offset : row.offset + len(row.raw)] == row.raw
        between = data[end : row.offset]
        assert between.strip(b"\r\n") == b"", between
        end = row.offset + len(row.raw)
        if row.fault is not None and row.fault.code == "row_too_large":
            following = data.find(b"\n", end)
            end = len(data) if following < 0 else following
    assert data[end:].strip(b"\r\n") == b""


@given(texts, cuts, st.sampled_from(['"', "'", ""]), st.sampled_from([",", ";", "\t", "|"]))
@example(b'"' * 65 + b"\n", [], '"', ",")
@example(b'a,"b\n"c",d\n', [], '"', ",")
@effort(500, 50_000)
def test_csv_conserves_every_byte(
    data: bytes, places: list[int], quote: str, delimiter: str
) -> None:
    dialect = Dialect(delimiter, quote)
    rows = list(split_records(pieces(data, places), 0, dialect, ROW_BYTES))
    assert list(split_records(iter([data] if data else []), 0, dialect, ROW_BYTES)) == rows
    check_conserved(data, rows)


@given(
    st.lists(st.lists(cells, min_size=2, max_size=5), min_size=1, max_size=6),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
@effort(120, 20_000)
def test_well_formed_csv_is_read_as_python_reads_it(
    table: list[list[str]], end: str, quoting: int
) -> None:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator=end, quoting=quoting).writerows(table)  # type: ignore[arg-type]  # one of its constants
    data = buffer.getvalue()
    expected = [row for row in csv.reader(io.StringIO(data, newline="")) if row]
    rows = list(split_records(iter([data.encode()]), 0, Dialect(), 2**16))
    split = cell_splitter(Dialect())
    assert [row.fault for row in rows] == [None] * len(rows)
    assert [split(row.raw.decode()) for row in rows] == expected


media = st.sampled_from(["ndjson", "csv", "json"])
prefixes = st.sampled_from([b"", HEADER, b"[", b"\xef\xbb\xbf", b"\xef\xbb\xbf" + HEADER])


@given(media, prefixes, texts, cuts)
@effort(500, 50_000)
def test_reading_any_bytes_ends_in_rows_or_in_one_of_our_errors(
    kind: Media, prefix: bytes, data: bytes, places: list[int]
) -> None:
    body = prefix + data
    outcomes: list[object] = []
    try:
        outcomes += read(io.BytesIO(body), ReadOptions(now=NOW, media=kind, limits=SMALL))
    except VendorwatchError:
        return
    for number, outcome in enumerate(outcomes, start=1):
        assert isinstance(outcome, Accepted | Refused)
        assert outcome.row == number
        if isinstance(outcome, Refused):
            assert outcome.faults
            assert body[outcome.offset : outcome.offset + len(outcome.raw)] == outcome.raw


def compressed(encoding: Encoding, data: bytes) -> bytes:
    return gzip.compress(data, mtime=0) if encoding == "gzip" else zstd.compress(data, options={
        zstd.CompressionParameter.checksum_flag: 1
    })  # fmt: skip


@given(
    st.sampled_from(["gzip", "zstd"]),
    st.lists(st.binary(max_size=300), min_size=1, max_size=3),
    st.data(),
)
@effort(300, 20_000)
def test_damaged_compression_is_told_or_changes_nothing(
    encoding: Encoding, members: list[bytes], data: st.DataObject
) -> None:
    body, plain = b"".join(compressed(encoding, each) for each in members), b"".join(members)
    try:
        assert b"".join(inflate(io.BytesIO(body), encoding, SMALL)) == plain
    except UnsupportedEncoding:
        reject()  # what was compressed happens to begin as compressed data do
    ends = {
        len(b"".join(compressed(encoding, m) for m in members[:n])) for n in range(len(members))
    }
    cut = data.draw(st.integers(0, len(body) - 1), "cut at")
    flipped = bytearray(body)
    flipped[data.draw(st.integers(0, len(body) - 1), "changed at")] ^= data.draw(
        st.integers(1, 255), "by"
    )
    for damaged in (body[:cut], bytes(flipped)):
        got = b""
        try:
            for piece in inflate(io.BytesIO(damaged), encoding, SMALL):
                got += piece
        except (BadEncoding, UnsupportedEncoding):
            continue
        # Whole members less are a whole file, too: that is what Content-Digest is for.
        whole = len(damaged) in ends if damaged == body[:cut] else got == plain
        assert whole, got


BOMBS = {encoding: compressed(encoding, bytes(2**22)) for encoding in ("gzip", "zstd")}


@given(st.sampled_from(["gzip", "zstd"]), st.binary(max_size=400))
@effort(100, 20_000)
def test_no_compressed_bytes_inflate_without_a_bound(encoding: Encoding, tail: bytes) -> None:
    size = 0
    body = BOMBS[encoding] + tail
    try:
        for piece in inflate(io.BytesIO(body), encoding, SMALL):
            size += len(piece)
            assert len(piece) <= 2**18
    except VendorwatchError:
        assert size <= SMALL.decoded_bytes
        return
    raise AssertionError("four megabytes came through a limit of two")


@given(st.binary(max_size=400), st.sampled_from(["gzip", "zstd", "identity"]))
@effort(300, 20_000)
def test_garbage_for_compressed_data_is_one_of_our_errors(body: bytes, encoding: Encoding) -> None:
    try:
        got = b"".join(inflate(io.BytesIO(body), encoding, SMALL))
    except VendorwatchError:
        return
    if encoding == "gzip" and body:
        assert (
            zlib.decompressobj(31).decompress(body) == got[: len(got)]
            or body.count(b"\x1f\x8b") > 1
        )
    if encoding == "identity":
        assert got == body


def test_an_endless_line_is_given_up() -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 2**16

    try:
        list(split_lines(endless(), 0))
    except RowTooLarge:
        return
    raise AssertionError("a line without an end has an end")
