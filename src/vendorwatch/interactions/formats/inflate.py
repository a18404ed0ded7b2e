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
        yield from _plain(_read(file, meter, _READ), meter)
        return
    wire = _read(file, meter, _FIRST_READ)
    start = _Gzip if encoding == "gzip" else _Zstd
    try:
        for chunk in _inflate(wire, start):
            meter.count_decoded(len(chunk))
            yield chunk
    except (zlib.error, ZstdError) as error:
        raise BadEncoding(f"The body is not whole {encoding}: {error}") from None


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


def _plain(wire: Iterator[bytes], meter: _Meter) -> Iterator[bytes]:
    head = b""
    for chunk in wire:
        if len(head) < _LONGEST_MARK:
            head += chunk[:_LONGEST_MARK]
            for magic, name in _MAGIC.items():
                if head.startswith(magic):
                    raise UnsupportedEncoding(
                        f"The body is {name}; say so in Content-Encoding: {name}"
                    )
        meter.count_decoded(len(chunk))
        yield chunk


def _inflate(wire: Iterator[bytes], start: "type[_Gzip | _Zstd]") -> Iterator[bytes]:
    """Members or frames may follow each other, and nothing else may."""
    member: _Decompressor | None = None
    for chunk in wire:
        data = chunk
        while data:
            member = member or start()
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
