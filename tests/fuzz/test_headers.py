"""Headers of an upload: what is written as the standards say is read, all else is refused."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzz.profiles import effort
from vendorwatch.interactions.formats.faults import UnsupportedEncoding
from vendorwatch.interactions.headers import (
    BadContentLength,
    BadDigest,
    BadIdempotencyKey,
    DigestCheck,
    DigestMismatch,
    WeakDigest,
    content_encoding,
    content_length,
    idempotency_key,
    media_type,
)
from vendorwatch.web.problems import UnsupportedMediaType

# What an HTTP server lets through: latin-1 without control characters.
headers = st.text(st.characters(max_codepoint=255, exclude_categories=["Cc"]), max_size=60)
tokens = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=10)
key_characters = "ABCabc019._:~+/=-"
spaces = st.sampled_from(["", " ", "\t", "  "])


def digest(algorithm: str, body: bytes) -> str:
    value = base64.b64encode(hashlib.new(algorithm.replace("-", ""), body).digest()).decode()
    return f"{algorithm}=:{value}:"


@given(headers)
@effort(500, 50_000)
def test_any_digest_header_is_checked_or_refused(header: str) -> None:
    try:
        check = DigestCheck([header])
    except (BadDigest, WeakDigest):
        return
    check.update(b"body")
    with pytest.raises(DigestMismatch):  # nobody guesses a SHA-256
        check.finish()


@given(st.binary(max_size=50), st.lists(tokens, max_size=2), spaces, st.data())
@effort(300, 20_000)
def test_a_right_digest_fits_and_a_wrong_one_does_not(
    body: bytes, others: list[str], space: str, data: st.DataObject
) -> None:
    strong = digest(data.draw(st.sampled_from(["sha-256", "sha-512"])), body)
    members = [*(f"x{name}=:AAAA:" for name in others), strong]
    header = f"{space},{space}".join(data.draw(st.permutations(members)))
    check = DigestCheck([header, None, strong])
    check.update(body[:20])
    check.update(body[20:])
    check.finish()
    other = DigestCheck([header])
    other.update(body + b"x")
    with pytest.raises(DigestMismatch):
        other.finish()


@given(headers)
@effort(500, 50_000)
def test_any_content_type_is_known_or_refused(header: str) -> None:
    for text in (header, f"text/csv{header}", f"text/csv;{header}"):
        try:
            assert media_type(text) in {"ndjson", "csv", "json"}
        except UnsupportedMediaType:
            continue
        charset = text.lower().partition("charset=")[2].strip().strip('"')
        assert (
            charset.startswith(("utf-8", "utf8")) or "charset=" not in text.lower().split(";")[-1]
        )


@given(st.sampled_from(["text/csv", "application/json", "application/x-ndjson"]), tokens, spaces)
@effort(200, 10_000)
def test_parameters_that_mean_nothing_here_are_let_through(
    essence: str, name: str, space: str
) -> None:
    assert media_type(f"{essence}{space};{space}x{name}=1;{space}charset=UTF-8")
    with pytest.raises(UnsupportedMediaType):
        media_type(f"{essence};x{name}=1;charset=iso-8859-1")


@given(st.one_of(headers, st.text(max_size=300)))
@effort(500, 50_000)
def test_any_idempotency_key_is_plain_or_refused(header: str) -> None:
    try:
        key = idempotency_key(header)
    except BadIdempotencyKey:
        return
    assert key is not None
    assert 1 <= len(key) <= 200
    assert key.isascii()
    assert key.isprintable()
    assert key in header


@given(st.text(key_characters, min_size=1, max_size=200), spaces)
@effort(200, 10_000)
def test_quotes_and_blanks_around_a_key_are_not_part_of_it(key: str, space: str) -> None:
    assert (
        idempotency_key(f'{space}"{key}"{space}') == idempotency_key(f"{space}{key}{space}") == key
    )


@given(st.one_of(headers, st.text(max_size=30)))
@effort(300, 20_000)
def test_any_length_is_a_plain_number_or_refused(header: str) -> None:
    try:
        length = content_length(header)
    except BadContentLength:
        return
    assert length is not None
    assert set(header) <= set("0123456789")
    assert length == int(header)


@given(headers)
@effort(300, 20_000)
def test_any_content_encoding_is_known_or_refused(header: str) -> None:
    try:
        encoding = content_encoding(header)
    except UnsupportedEncoding:
        return
    assert encoding in {"identity", "gzip", "zstd"}
