"""The decoded body of an upload, chunk by chunk, never more of it than the limits allow."""

import zlib
from collections.abc import Iterator
from typing import BinaryIO, Protocol

from backports.zstd import DecompressionParameter, ZstdDecompressor, ZstdError

from vendorwatch.interactions.formats.faults import (
    BadEncoding,
    DecompressedTooLarge,
    UnsupportedCharset,
    UnsupportedEncoding,
    UploadTooLarge,
)
from vendorwatch.interactions.model import Encoding, Limits

_READ = 2**16
_FIRST_READ = 2**8
"""Of a compressed body: the decoded bytes are compared with what was read of it, so that little is
read until it is known to be no bomb.
"""
_WRITE = 2**16
_UNJUDGED = 2**16
"""Decoded bytes up to which the ratio does not matter: short logs may be very repetitive."""

_MOST_MEMBERS = 100_000
"""Gzip members or zstd frames of a body. Each costs time of its own, also where nothing is in it."""
_GZIP_ONLY = 16 + zlib.MAX_WBITS
_ZSTD_WINDOW_LOG = 23  # RFC 9659: a decoder of zstd over HTTP supports windows up to 8 MiB
_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_BOM = b"\xef\xbb\xbf"
_LONGEST_MARK = 4


class _Decompressor(Protocol):
    """One gzip member or zstd frame."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def feed(self, data: bytes) -> Iterator[bytes]: ...


def inflate(file: BinaryIO, encoding: Encoding, limits: Limits) -> Iterator[bytes]:
    """Raises UnsupportedEncoding, BadEncoding, UploadTooLarge and DecompressedTooLarge."""
    meter = _Meter(limits)
    if encoding == "identity":
        undeclared = "The body is {name}; say so in Content-Encoding: {name}"
        for chunk in _undisguised(_read(file, meter, _READ), undeclared):
            meter.count_decoded(len(chunk))
            yield chunk
        return
    wire = _read(file, meter, _FIRST_READ)
    start = _Gzip if encoding == "gzip" else _Zstd
    try:
        again = f"Inside its {encoding} the body is {{name}} data again; compress it once"
        for chunk in _undisguised(_inflate(wire, start), again):
            meter.count_decoded(len(chunk))
            yield chunk
    except (zlib.error, ZstdError) as error:
        raise BadEncoding(f"The body is not whole {encoding}: {_reason(error)}") from None


def text_start(chunks: Iterator[bytes]) -> tuple[int, Iterator[bytes]]:
    """How many bytes of a byte order mark were left out, and the chunks without them.

    Raises UnsupportedCharset where the text is UTF-16 or UTF-32.
    """
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= _LONGEST_MARK:
            break
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in head[:_LONGEST_MARK]:
        raise UnsupportedCharset("The body is UTF-16 or UTF-32; send UTF-8")
    skipped = len(_BOM) if head.startswith(_BOM) else 0
    return skipped, _rejoin(head[skipped:], chunks)


def _rejoin(head: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    if head:
        yield head
    yield from chunks


class _Meter:
    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._wire = 0
        self._decoded = 0

    def count_wire(self, size: int) -> None:
        self._wire += size
        if self._wire > self._limits.wire_bytes:
            raise UploadTooLarge(f"The body is over {self._limits.wire_bytes} bytes")

    def count_decoded(self, size: int) -> None:
        self._decoded += size
        if self._decoded > self._limits.decoded_bytes:
            raise DecompressedTooLarge(
                f"The body decompresses to more than {self._limits.decoded_bytes} bytes"
            )
        if self._decoded > max(self._limits.ratio * self._wire, _UNJUDGED):
            raise DecompressedTooLarge(
                f"The body decompresses to more than {self._limits.ratio} times its size"
            )


def _read(file: BinaryIO, meter: _Meter, size: int) -> Iterator[bytes]:
    """`size` bytes at first, and then more and more."""
    while chunk := file.read(size):
        meter.count_wire(len(chunk))
        yield chunk
        size = min(2 * size, _READ)


def _undisguised(chunks: Iterator[bytes], told: str) -> Iterator[bytes]:
    """`told` says what is wrong where they are compressed data `{name}`."""
    head = b""
    for chunk in chunks:
        if len(head) < _LONGEST_MARK:
            head += chunk[:_LONGEST_MARK]
            for magic, name in _MAGIC.items():
                if head.startswith(magic):
                    raise UnsupportedEncoding(told.format(name=name))
        yield chunk


def _reason(error: Exception) -> str:
    """The library's own words without its name and numbers."""
    reason = str(error).rpartition(": ")[2]
    if "too much memory" in reason:
        return "its window is over 8 MiB; compress it without --long"
    return reason


def _inflate(wire: Iterator[bytes], start: "type[_Gzip | _Zstd]") -> Iterator[bytes]:
    """Members or frames may follow each other, and nothing else may."""
    member: _Decompressor | None = None
    members = 0
    for chunk in wire:
        data = chunk
        while data:
            if member is None:
                member, members = start(), members + 1
                if members > _MOST_MEMBERS:
                    told = f"The body is compressed in more than {_MOST_MEMBERS} pieces"
                    raise BadEncoding(f"{told}; compress it in one")
            yield from member.feed(data)
            data = b""
            if member.eof:
                data, member = member.unused_data, None
    if member is not None:
        raise BadEncoding("The compressed body ends too early; it was cut off")


class _Gzip:
    def __init__(self) -> None:
        self._inflater = zlib.decompressobj(_GZIP_ONLY)

    @property
    def eof(self) -> bool:
        return self._inflater.eof

    @property
    def unused_data(self) -> bytes:
        return self._inflater.unused_data

    def feed(self, data: bytes) -> Iterator[bytes]:
        # Output can wait inside for more input, and is never lost: the checksum is still to come.
        while data and not self._inflater.eof:
            out = self._inflater.decompress(data, _WRITE)
            data = self._inflater.unconsumed_tail
            if out:
                yield out


class _Zstd:
    def __init__(self) -> None:
        self._inflater = ZstdDecompressor(
            options={DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG}
        )

    @property
    def eof(self) -> bool:
        return self._inflater.eof

    @property
    def unused_data(self) -> bytes:
        return self._inflater.unused_data

    def feed(self, data: bytes) -> Iterator[bytes]:
        out = self._inflater.decompress(data, max_length=_WRITE)
        if out:
            yield out
        while not self._inflater.eof and not self._inflater.needs_input:
            out = self._inflater.decompress(b"", max_length=_WRITE)
            if out:
                yield out
