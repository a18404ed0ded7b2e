"""What holds for every exchange, also where no route matches: request id, headers, log, figures,
and that a body comes at a decent pace.

Pure ASGI around the whole application, so that no handler and no error can get past it.
"""

import asyncio
import re
import secrets
import time
import urllib.parse
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any, NoReturn

import msgspec
import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from vendorwatch.errors import Kind, VendorwatchError
from vendorwatch.settings import Bounds
from vendorwatch.web.framing import check_framing
from vendorwatch.web.hosts import check_host
from vendorwatch.web.metrics import Metrics
from vendorwatch.web.pace import Pace

TYPES = "https://vendorwatch.org/problems/"
"""What the `type` of a problem starts with; its slug follows."""
REQUEST_ID_HEADER = "X-Request-ID"
_REQUEST_ID = "request_id"
_KEY_ID = "key_id"
_ADDED = "vendorwatch_headers"
_REFUSED = "vendorwatch_refused"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
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


class SlowBody(VendorwatchError):
    """The body of the request came so slowly that the server gave up waiting. Nothing was stored.

    Send it again over a better connection, compressed or in smaller parts.
    """

    kind = Kind.TOO_SLOW
    slug = "slow-body"
    title = "The body came too slowly"


def request_id(scope: Scope) -> str:
    """The same for the whole exchange."""
    found: str = _state(scope).setdefault(_REQUEST_ID, secrets.token_hex(12))
    return found


def note_key(scope: Scope, key_id: str) -> None:
    """Whose request it is, for the log. The id is no secret; the key is, and never comes here."""
    _state(scope)[_KEY_ID] = key_id


@dataclass(frozen=True, slots=True)
class Refusal:
    """Of an error, without the error: its traceback would hold the scope that holds this, and the
    server closes a connection whose body it did not read only once nothing holds its end of it.
    """

    kind: Kind
    slug: str
    members: frozenset[str]  # names of what the answer tells besides


def note_refusal(scope: Scope, error: VendorwatchError) -> None:
    """Why the request is refused: for whoever stands around the handler and sees only the answer."""
    _state(scope)[_REFUSED] = Refusal(error.kind, error.slug, frozenset(error.extra or ()))


def refusal_of(scope: Scope) -> Refusal | None:
    found: Refusal | None = _state(scope).get(_REFUSED)
    return found


def add_header(scope: Scope, name: str, value: str) -> None:
    """To the answer, whatever it will be."""
    added: list[tuple[bytes, bytes]] = _state(scope).setdefault(_ADDED, [])
    added.append((name.lower().encode(), value.encode()))


class Exchange:
    def __init__(
        self, app: ASGIApp, *, hosts: frozenset[str], bounds: Bounds, metrics: Metrics
    ) -> None:
        self._app = app
        self._hosts = hosts
        self._bounds = bounds
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        # A copy: some servers give every exchange the same one, and it will hold who is calling.
        scope["state"] = dict(scope.get("state") or {})
        pace = Pace(floor=self._bounds.body_floor, grace=self._bounds.body_grace)
        one = _OneExchange(scope, receive, send, pace)
        if one.method == "HEAD":
            scope["method"] = "GET"  # no handler need know
        try:
            _check_head(scope, self._hosts)
        except VendorwatchError as error:
            await _refuse(scope, one.send, error)
            self._note(scope, one)
            return
        try:
            await self._app(scope, one.receive, one.send)
        finally:
            self._note(scope, one)

    def _note(self, scope: HTTPScope, one: "_OneExchange") -> None:
        """The route, not the address: what callers put into one is theirs. So is a strange method."""
        seconds = time.perf_counter() - one.started
        method = one.method if one.method in _METHODS else "other"
        route = scope.get("path_template") or "unmatched"
        self._metrics.exchange(
            method=method,
            route=route,
            status=str(one.status or "none"),
            seconds=seconds,
            received=one.received,
            sent=one.sent,
        )
        structlog.get_logger().info(
            "request",
            request_id=request_id(scope),
            method=method,
            route=scope.get("path_template"),
            status=one.status,
            milliseconds=int(seconds * 1_000),
            received=one.received,
            sent=one.sent,
            key_id=_state(scope).get(_KEY_ID),
        )


class _OneExchange:
    """The server's `receive` and `send`, counted and with our additions.

    HEAD is answered as GET is, without the body (RFC 9110, 9.3.2).
    """

    def __init__(self, scope: HTTPScope, receive: Receive, send: Send, pace: Pace) -> None:
        self.started = time.perf_counter()
        self.method: str = scope["method"]
        self.status = self.received = self.sent = 0
        self._scope = scope
        self._receive = receive
        self._send = send
        self._pace = pace
        self._is_whole = False  # afterwards only the end of the connection is waited for

    async def receive(self) -> Any:
        """Raises SlowBody."""
        if self._is_whole:
            return await self._receive()
        asked = time.perf_counter()
        try:
            async with asyncio.timeout(self._pace.patience):
                message: Any = await self._receive()
        except TimeoutError as error:
            self._refuse_slow(error)
        if message["type"] == "http.request":
            size = len(message.get("body", b""))
            self.received += size
            self._is_whole = not message.get("more_body", False)
            self._pace.note(size, time.perf_counter() - asked)
        if self._pace.is_too_slow and not self._is_whole:
            self._refuse_slow(None)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            present = [_with_head(bytes(name), bytes(value)) for name, value in message["headers"]]
            message["headers"] = [*present, *_added(self._scope, present)]
        elif message["type"] == "http.response.body":
            if self.method == "HEAD":
                message["body"] = b""
            self.sent += len(message.get("body", b""))
        await self._send(message)

    def _refuse_slow(self, cause: Exception | None) -> NoReturn:
        # What is left of the body would be taken for the next request.
        add_header(self._scope, "Connection", "close")
        raise SlowBody("The server gave up waiting for the body. Nothing was stored.") from cause


def _state(scope: Scope) -> MutableMapping[str, Any]:
    found: MutableMapping[str, Any] = scope.setdefault("state", {})
    return found


def _added(scope: Scope, present: Any) -> list[tuple[bytes, bytes]]:
    """A handler's own header wins over ours of the same name."""
    names = {bytes(name).lower() for name, _ in present}
    added = [*_HEADERS, (REQUEST_ID_HEADER.lower().encode(), request_id(scope).encode())]
    added += _state(scope).get(_ADDED, [])
    if scope["path"].startswith("/v1/"):
        added.append((b"cache-control", b"no-store, private"))
    return [(name, value) for name, value in added if name not in names]


def _with_head(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """`Allow` with the method that no handler declares."""
    if name.lower() == b"allow":
        methods = {method.strip() for method in value.split(b",")}
        value = b", ".join(sorted(methods | ({b"HEAD"} if b"GET" in methods else set())))
    return name, value


def _has_key(scope: Scope) -> bool:
    raw = scope.get("raw_path") or scope["path"].encode("utf-8", "replace")
    address = (raw + b"?" + (scope.get("query_string") or b"")).decode("latin-1")
    return any(_KEY.search(text) for text in (address, urllib.parse.unquote(address)))


def _check_head(scope: HTTPScope, hosts: frozenset[str]) -> None:
    """Raises KeyInAddress, BadFraming and UnknownHost."""
    if _has_key(scope):
        raise KeyInAddress(
            "Send it as `Authorization: Bearer ...` only. Addresses are kept by browsers "
            "and proxies: revoke this key and make a new one."
        )
    check_framing(scope.get("http_version", ""), scope["headers"])
    check_host(scope["headers"], hosts)


async def _refuse(scope: HTTPScope, send: Send, error: VendorwatchError) -> None:
    """Before the framework has seen anything of it. All these errors are of kind MALFORMED."""
    problem = {
        "type": TYPES + error.slug,
        "title": error.title,
        "status": 400,
        "detail": error.detail,
        "request_id": request_id(scope),
    }
    body = msgspec.json.encode(problem)
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
