"""Heads that are taken, and heads that two servers could read differently."""

import pytest

from vendorwatch.web.framing import BadFraming, check_framing

HOST = (b"host", b"scores")
LENGTH = (b"content-length", b"3")
CHUNKED = (b"transfer-encoding", b"chunked")


@pytest.mark.parametrize(
    ("version", "headers"),
    [
        ("1.1", [HOST]),
        ("1.1", [HOST, LENGTH]),
        ("1.1", [HOST, (b"transfer-encoding", b"Chunked")]),
        ("1.0", [LENGTH]),
        ("1.0", [(b"host", b"")]),
        ("1.1", [HOST, (b"x-a", b"1"), (b"x-a", b"2")]),
    ],
)
def test_what_is_clear(version: str, headers: list[tuple[bytes, bytes]]) -> None:
    check_framing(version, headers)


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"host", b"")],
        [HOST, HOST],
        [HOST, LENGTH, LENGTH],
        [HOST, LENGTH, CHUNKED],
        [HOST, CHUNKED, LENGTH],
        [HOST, CHUNKED, CHUNKED],
        [HOST, (b"transfer-encoding", b"gzip, chunked")],
        [HOST, (b"transfer-encoding", b"")],
    ],
)
def test_what_is_not(headers: list[tuple[bytes, bytes]]) -> None:
    with pytest.raises(BadFraming):
        check_framing("1.1", headers)
