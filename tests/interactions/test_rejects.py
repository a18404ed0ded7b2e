"""Refused rows go round: what comes back as it was is refused for the same, with the same bytes."""

import io
import json

import pytest

from vendorwatch.interactions.formats.delimited import Dialect
from vendorwatch.interactions.mapping import parse_mapping
from vendorwatch.interactions.model import Media, StoredReject
from vendorwatch.interactions.parse import Accepted, ReadOptions, Refused, read
from vendorwatch.interactions.rejects import CsvRejects

NOW = 1_790_000_000_000_000  # 2026-09-21
OPENED = "2026-09-01T09:00:00+0000"
MAPPING = """
[file]
{file}
[fields]
interaction_id = "id"
channel = "channel"
status = "status"
opened_at = {{ column = "opened", format = "%Y-%m-%dT%H:%M:%S%z" }}
topic = "topic"
"""
DIALECTS = {
    "quoted": "delimiter = ';'",
    "below a title": "delimiter = ';'\nencoding = 'utf-8-sig'\nskip_lines = 2",
    "windows-1252": "delimiter = ';'\nencoding = 'windows-1252'",
    "not quoted": "delimiter = ';'\nquote = ''",
}
START = f"x;email;open;{OPENED};".encode()
ROWS = [
    b"x;fax;open;2026-09-01T09:00:00+0000;=1",
    b"x;email;open;;a",
    b"x;email;fine;2026-09-01T09:00:00+0000;\r",
    START + b"a\rb;",
    START + b"\x81\xc3",
    START + b'\x81;\xc3,"',
    START + b"\\xff\\n;" + "ị".encode(),
    START + b'a;b;c,"d"',
    START + b'"never closed;',
    START + b'"a"b;',
    START + b"\0;",
    b"x;email",
    b'"q;q";"email"',
    b";;;;;;;;",
    b'"',
]


def options(file: str | None, media: Media = "csv") -> ReadOptions:
    if file is None:
        return ReadOptions(now=NOW, media=media)
    mapping = parse_mapping(MAPPING.format(file=file))
    return ReadOptions(now=NOW, media=media, format="mapped", mapping=mapping)


def refusals(body: bytes, how: ReadOptions) -> tuple[list[StoredReject], tuple[str, ...], int]:
    """With the header, and how many rows were not refused."""
    reading = read(io.BytesIO(body), how)
    outcomes = list(reading)
    refused = [each for each in outcomes if isinstance(each, Refused)]
    for each in refused:
        assert body[each.offset :].startswith(each.raw)
    rejects = [
        StoredReject(
            row=each.row,
            line=each.line,
            offset=each.offset,
            outcome="rejected",
            field=each.faults[0].field,
            code=each.faults[0].code,
            message=each.faults[0].detail,
            errors=(),
            raw=each.raw,
        )
        for each in refused
    ]
    return rejects, reading.columns, len(outcomes) - len(refused)


def table(rejects: list[StoredReject], columns: tuple[str, ...], dialect: Dialect) -> bytes:
    made = CsvRejects(columns, dialect)
    return made.header() + made.rows(rejects)


@pytest.mark.parametrize("file", DIALECTS.values(), ids=DIALECTS)
def test_a_row_of_a_table_goes_round(file: str) -> None:
    how = options(file)
    assert how.mapping is not None
    dialect = how.mapping.dialect
    above = b"Export\n\n" if dialect.skip_lines else b""
    sent = above + b"id;channel;status;opened;topic\r\n" + b"".join(r + b"\r\n" for r in ROWS)
    first, columns, taken = refusals(sent, how)
    assert len(first) + taken == len(ROWS)

    once = table(first, columns, dialect)
    second, columns, taken = refusals(once, how)
    assert taken == 0
    assert [(r.code, r.field) for r in second] == [(r.code, r.field) for r in first]
    quote = dialect.quote.encode()
    for reject in first:
        assert reject.raw in (once.replace(quote * 2, quote) if quote else once)

    twice = table(second, columns, dialect)
    third, _, taken = refusals(twice, how)
    assert taken == 0
    assert [(r.code, r.field) for r in third] == [(r.code, r.field) for r in first]
    for reject in first:
        assert reject.raw.replace(b'"', b"") in twice.replace(b'"', b"")


def test_a_row_of_json_goes_round() -> None:
    good = {"interaction_id": "x", "channel": "email", "status": "open", "opened_at": OPENED}
    rows = [
        json.dumps(good | {"channel": "fax", "topic": 'a"\n,;'}).encode(),
        b'{"half": ',
        b"\xff{}",
        b'{"a": 1, "a": 2}',
        b"[1]",
        b'"text"',
    ]
    first, columns, _ = refusals(b"\n".join(rows), options(None, "ndjson"))
    once = table(first, columns, Dialect())
    second, columns, _ = refusals(once, options(None))
    assert [r.code for r in second] == [r.code for r in first]
    twice = table(second, columns, Dialect())
    for row in rows:
        assert row in twice.replace(b'""', b'"')


@pytest.mark.parametrize(
    ("whole", "code"),
    [
        ("T-1,email,open,2026-09-01T09:00:00Z", None),
        ('"T-1","email","open","2026-09-01T09:00:00Z"', None),
        ("T-1,email,open,2026-09-01T09:00:00Z\r\n", None),
        ("T-1,email,open", "malformed"),
        ('"T-1,email,open,2026-09-01T09:00:00Z', "malformed"),
        ("T-1,email,open,2026-09-01T09:00:00Z\nT-2,email,open,2026-09-01T09:00:00Z", "malformed"),
        ("T-1,fax,open,2026-09-01T09:00:00Z", "bad_value"),
        ("\n", "malformed"),
    ],
)
def test_a_whole_row_is_mended_where_it_stands(whole: str, code: str | None) -> None:
    quoted = whole.replace('"', '""')
    body = "interaction_id,channel,status,opened_at,vendorwatch_code,vendorwatch_raw\n"
    (outcome,) = read(io.BytesIO(f'{body},,,,malformed,"{quoted}"\n'.encode()), options(None))
    if code is None:
        assert isinstance(outcome, Accepted)
        assert outcome.interaction.interaction_id == "T-1"
        assert not outcome.interaction.extra
    else:
        assert isinstance(outcome, Refused)
        assert outcome.faults[0].code == code


def test_the_senders_columns_count_before_the_whole_row() -> None:
    body = (
        "interaction_id,channel,status,opened_at,vendorwatch_raw\n"
        'T-1,email,open,2026-09-01T09:00:00Z,"T-2,email"\n'
    )
    (outcome,) = read(io.BytesIO(body.encode()), options(None))
    assert isinstance(outcome, Accepted)
    assert outcome.interaction.interaction_id == "T-1"
