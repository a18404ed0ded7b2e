"""Heads of requests that two servers in a row could read as two different requests."""

from collections.abc import Iterable

from vendorwatch.errors import Kind, VendorwatchError

_ONCE = frozenset({b"content-length", b"host"})


class BadFraming(VendorwatchError):
    """A header of the request that says where it goes or where its body ends is missing or doubled. A
    proxy and the server could take such a request for two different ones.

    Send Host once, and one of Content-Length and Transfer-Encoding.
    """

    kind = Kind.MALFORMED
    slug = "bad-framing"
    title = "The head of the request is ambiguous"


def check_framing(http_version: str, headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Raises BadFraming. `headers` as they came, names in lower case."""
    seen: set[bytes] = set()
    for name, value in headers:
        if name in _ONCE and name in seen:
            raise BadFraming(f"The header {name.decode().title()} stands more than once.")
        if name == b"transfer-encoding" and (name in seen or value.lower() != b"chunked"):
            raise BadFraming("Transfer-Encoding can only be `chunked`, once.")
        if value or name != b"host":  # one server gives an empty one where there is none
            seen.add(name)
    if {b"content-length", b"transfer-encoding"} <= seen:
        raise BadFraming("Content-Length and Transfer-Encoding exclude each other.")
    if http_version == "1.1" and b"host" not in seen:
        raise BadFraming("The header Host is missing.")
