"""What the headers of an upload say, read strictly: a header that is half understood is refused."""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterable
from typing import Protocol

from vendorwatch.errors import Kind, VendorwatchError
from vendorwatch.interactions.formats.faults import UnsupportedEncoding
from vendorwatch.interactions.model import MEDIA_TYPES, Encoding, Media
from vendorwatch.web.problems import UnsupportedMediaType

ENCODINGS = "gzip, zstd, identity"
_NAMES: dict[str, Encoding] = {
    "": "identity",
    "identity": "identity",
    "gzip": "gzip",
    "x-gzip": "gzip",
    "zstd": "zstd",
}
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"PK\x03\x04", "zip"),
)

_NAME_CHARACTERS = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
# RFC 9110, 5.6.6: there may be nothing between two semicolons, or behind the last.
_PARAMETER = re.compile(rf'\s*;\s*(?:({_NAME_CHARACTERS})=({_NAME_CHARACTERS}|"[^"\\]*")\s*)?')
_ESSENCE = re.compile(rf"({_NAME_CHARACTERS}/{_NAME_CHARACTERS})\s*")
_KEY = re.compile(r"[A-Za-z0-9._:~+/=-]{1,200}")
_LENGTH = re.compile(r"[0-9]{1,18}")
# One member of a structured dictionary whose value is a byte sequence (RFC 9651).
_MEMBER = re.compile(r"([a-z*][a-z0-9_.*-]*)=:([A-Za-z0-9+/]*={0,2}):")
_STRONG: dict[str, Callable[[], "Hasher"]] = {
    "sha-256": hashlib.sha256,
    "sha-512": hashlib.sha512,
}


class BadDigest(VendorwatchError):
    """The header Content-Digest or Repr-Digest is not written as RFC 9530 says.

    Write `sha-256=:BASE64:`, or leave the header out.
    """

    kind = Kind.MALFORMED
    slug = "bad-digest"
    title = "The digest header cannot be read"


class WeakDigest(VendorwatchError):
    """The digest header names only algorithms that prove nothing any more, or that are not known
    here.

    Send sha-256 or sha-512.
    """

    kind = Kind.MALFORMED
    slug = "weak-digest"
    title = "The digest header names no strong algorithm"


class DigestMismatch(VendorwatchError):
    """The body that came has another digest than its header says: it was changed or cut on the way.
    Nothing was stored.

    Send it again. If it happens twice, look at what stands between you and the server.
    """

    kind = Kind.MALFORMED
    slug = "digest-mismatch"
    title = "The body is not the one that was sent"


class BadIdempotencyKey(VendorwatchError):
    """The header Idempotency-Key is empty, too long, or holds other characters than are allowed.

    Use 1 to 200 of A-Z a-z 0-9 . _ : ~ + / = -, such as a UUID.
    """

    kind = Kind.MALFORMED
    slug = "bad-idempotency-key"
    title = "The idempotency key cannot be used"


class BadContentLength(VendorwatchError):
    """The header Content-Length is not a number, or not the length of the body that came. Nothing
    was stored.

    Let the HTTP library count, and send it again.
    """

    kind = Kind.MALFORMED
    slug = "content-length"
    title = "The body is not as long as declared"


_DOUBLED: dict[str, type[VendorwatchError]] = {
    "Content-Type": UnsupportedMediaType,
    "Content-Encoding": UnsupportedEncoding,
    "Content-Length": BadContentLength,
    "Content-Digest": BadDigest,
    "Repr-Digest": BadDigest,
    "Idempotency-Key": BadIdempotencyKey,
}


class Lines(Protocol):
    """The header lines of a request; one name may have several."""

    def getall(self, name: str, default: list[str], /) -> list[str]: ...


def only(lines: Lines, name: str) -> str | None:
    """The value of a header that may come once: whoever reads the first of two, and a proxy that
    reads the last, would take in different uploads. Raises the error of that header.
    """
    values = lines.getall(name, [])
    if len(values) > 1:
        raise _DOUBLED[name](f"The header {name} came {len(values)} times. Send it once.")
    return values[0] if values else None


class Hasher(Protocol):
    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


def media_type(header: str | None) -> Media:
    """Raises UnsupportedMediaType for other types, and for any charset but UTF-8."""
    accepted = ", ".join(MEDIA_TYPES)
    if not header:
        raise UnsupportedMediaType(f"Send a Content-Type: one of {accepted}.")
    essence = _ESSENCE.match(header)
    media = MEDIA_TYPES.get(essence[1].lower()) if essence else None
    if essence is None or media is None:
        raise UnsupportedMediaType(f"Send one of {accepted}; files are not sent as forms.")
    position, charsets = essence.end(), []
    while position < len(header):
        parameter = _PARAMETER.match(header, position)
        if parameter is None:
            raise UnsupportedMediaType("The parameters of the Content-Type cannot be read.")
        if (parameter[1] or "").lower() == "charset":
            charsets.append(parameter[2].strip('"').lower())
        position = parameter.end()
    if charsets not in ([], ["utf-8"], ["utf8"]):
        raise UnsupportedMediaType("The only charset is utf-8.")
    return media


def content_encoding(header: str | None) -> Encoding:
    """Raises UnsupportedEncoding for others, and for several on top of each other."""
    encoding = _NAMES.get((header or "").strip().lower())
    if encoding is None:
        raise UnsupportedEncoding(f"Send one of {ENCODINGS}, and only one.")
    return encoding


def refuse_undeclared(encoding: Encoding, start: bytes) -> None:
    """A compressed file sent as if it were text would give a million malformed rows."""
    if encoding != "identity":
        return
    for magic, name in _MAGIC:
        if start.startswith(magic):
            raise UnsupportedEncoding(
                f"The body is {name} data, but there is no Content-Encoding that says so. "
                f"Send one of {ENCODINGS}."
            )


def idempotency_key(header: str | None) -> str | None:
    """With or without the quotes that structured fields ask for. Raises BadIdempotencyKey."""
    if header is None:
        return None
    key = header.strip()
    if key.startswith('"') and key.endswith('"'):
        key = key[1:-1]
    if not _KEY.fullmatch(key):
        raise BadIdempotencyKey("An Idempotency-Key has 1 to 200 of A-Z a-z 0-9 . _ : ~ + / = -")
    return key


def content_length(header: str | None) -> int | None:
    if header is None:
        return None
    if not _LENGTH.fullmatch(header):
        raise BadContentLength("The Content-Length is not a number.")
    return int(header)


class DigestCheck:
    """Compares a body with what Content-Digest and Repr-Digest promise of it.

    For a whole body the two mean the same bytes: those on the wire, still compressed.
    """

    def __init__(self, headers: Iterable[str | None]) -> None:
        """Raises BadDigest, or WeakDigest where a header names no SHA-256 or SHA-512."""
        self._expected: list[tuple[str, bytes]] = []
        for header in headers:
            if header is not None:
                self._expected += _strong(_members(header))
        self._hashers = {name: _STRONG[name]() for name, _ in self._expected}

    def update(self, chunk: bytes) -> None:
        for hasher in self._hashers.values():
            hasher.update(chunk)

    def finish(self) -> None:
        """Raises DigestMismatch."""
        for name, expected in self._expected:
            if self._hashers[name].digest() != expected:
                raise DigestMismatch(
                    f"The {name} of what arrived differs from the header; nothing was stored. "
                    "Send it again."
                )


def _members(header: str) -> list[tuple[str, bytes]]:
    members = []
    for part in header.split(","):
        found = _MEMBER.fullmatch(part.strip(" \t"))
        try:
            value = base64.b64decode(found[2], validate=True) if found else None
        except binascii.Error:
            value = None
        if found is None or value is None:
            raise BadDigest("Write the digest as sha-256=:BASE64:")
        members.append((found[1], value))
    return members


def _strong(members: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    strong = [(name, value) for name, value in members if name in _STRONG]
    if not strong:
        raise WeakDigest(f"Send one of {', '.join(_STRONG)}.")
    for name, value in strong:
        if len(value) != len(_STRONG[name]().digest()):
            raise BadDigest(f"A {name} has another length.")
    return strong
