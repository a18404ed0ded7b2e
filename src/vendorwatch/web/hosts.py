"""Under which names the server may be asked.

Nothing is ever built from the header Host. But a page on another site can have its own name lead to
this machine, and so have a browser that stands inside ask what needs no key. (The framework's own check
is passed by an address without a route, and answers with no problem document.)
"""

import re
from collections.abc import Iterable

from vendorwatch.errors import Kind, VendorwatchError

ANY = "*"
_HOST = re.compile(rb"(\[[0-9a-f:.]+\]|[^:\[\]]*)(:\d*)?")


class UnknownHost(VendorwatchError):
    """The header Host names none of the hosts of this server.

    Ask under the server's public address. For the operator: VENDORWATCH_ALLOWED_HOSTS.
    """

    kind = Kind.MALFORMED
    slug = "unknown-host"
    title = "The host is not one of this server"


def check_host(headers: Iterable[tuple[bytes, bytes]], allowed: frozenset[str]) -> None:
    """Raises UnknownHost. Names in `headers` and hosts in `allowed` are in lower case; the port does
    not matter, which a proxy may change. HTTP/1.0 need not name a host.
    """
    if ANY in allowed:
        return
    for name, value in headers:
        if name == b"host" and value and _name_of(value) not in allowed:
            raise UnknownHost(
                "The header Host names none of this server's hosts. Those are the setting "
                "VENDORWATCH_ALLOWED_HOSTS, and the host of the public address."
            )


def _name_of(host: bytes) -> str | None:
    found = _HOST.fullmatch(host.lower())
    return found[1].decode("latin-1") if found else None
