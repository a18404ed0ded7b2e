"""What holds for every exchange, also where no route matches: request id, headers, access log.

Pure ASGI around the whole application, so that no handler and no error can get past it.
"""

import re
import secrets
import time
import urllib.parse
from collections.abc import MutableMapping
from typing import Any

import msgspec
import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from vendorwatch.errors import Kind, VendorwatchError

TYPES = "https://vendorwatch.org/problems/"
"""What the `type` of a problem starts with; its slug follows."""
REQUEST_ID_HEADER = "X-Request-ID"
_REQUEST_ID = "request_id"
_KEY = re.compile(r"vw_(?:live|test)_", re.IGNORECASE)
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)


class KeyInAddress(VendorwatchError):
    """An API key stands in the address. Addresses are kept by browsers, proxies and logs, so the
    key must be taken as known to others.

    Revoke the key, make a new one, and send it in the header Authorization only.
    """

    kind = Kind.MALFORMED
    slug = "key-in-address"
    title = "A key does not belong into an address"


def request_id(scope: Scope) -> str:
    """The same for the whole exchange."""
    state: MutableMapping[str, Any] = scope.setdefault("state", {})
    found: str = state.setdefault(_REQUEST_ID, secrets.token_hex(12))
    return found


class Exchange:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        # A copy: some servers give every exchange the same one, and it will hold who is calling.
        scope["state"] = dict(scope.get("state") or {})
        started = time.perf_counter_ns()
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *_added(scope, message["headers"])]
            await send(message)

        try:
            if _has_key(scope):
                await _refuse_key(scope, send_with_headers)
            else:
                await self._app(scope, receive, send_with_headers)
        finally:
            _log(scope, status, time.perf_counter_ns() - started)


def _added(scope: Scope, present: Any) -> list[tuple[bytes, bytes]]:
    """A handler's own header wins over ours of the same name."""
    names = {bytes(name).lower() for name, _ in present}
    added = [*_HEADERS, (REQUEST_ID_HEADER.lower().encode(), request_id(scope).encode())]
    if scope["path"].startswith("/v1/"):
        added.append((b"cache-control", b"no-store, private"))
    return [(name, value) for name, value in added if name not in names]


def _has_key(scope: Scope) -> bool:
    raw = scope.get("raw_path") or scope["path"].encode("utf-8", "replace")
    address = (raw + b"?" + (scope.get("query_string") or b"")).decode("latin-1")
    return any(_KEY.search(text) for text in (address, urllib.parse.unquote(address)))


async def _refuse_key(scope: Scope, send: Send) -> None:
    problem = {
        "type": TYPES + KeyInAddress.slug,
        "title": KeyInAddress.title,
        "status": 400,
        "detail": "Send it as `Authorization: Bearer ...` only. Addresses are kept by browsers "
        "and proxies: revoke this key and make a new one.",
        "request_id": request_id(scope),
    }
    body = msgspec.json.encode(problem)
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _log(scope: HTTPScope, status: int, nanoseconds: int) -> None:
    """The route, not the address: what callers put into one is theirs."""
    structlog.get_logger().info(
        "request",
        request_id=request_id(scope),
        method=scope["method"],
        route=scope.get("path_template"),
        status=status,
        milliseconds=nanoseconds // 1_000_000,
    )
