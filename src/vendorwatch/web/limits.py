"""How often somebody may ask: a token bucket a key, and one an address for keys that are not good.

Both live in this process's memory. Fields of the answers follow draft-ietf-httpapi-ratelimit-headers.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from vendorwatch.errors import Kind, VendorwatchError
from vendorwatch.periods import Micros
from vendorwatch.settings import Bounds
from vendorwatch.telemetry import Clock
from vendorwatch.web.buckets import Buckets, Standing
from vendorwatch.web.exchange import add_header, note_key
from vendorwatch.web.metrics import Metrics
from vendorwatch.web.principal import Principal

WINDOW_SECONDS = 60
_POLICY = "requests"

Guard = Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], Awaitable[None]]
FindPrincipal = Callable[[Request[Any, Any, Any]], Awaitable[Principal]]


class TooManyRequests(VendorwatchError):
    """The key was used too often, or has too many uploads open at once, or too many requests without
    a valid key came from this address.

    Wait for Retry-After. `GET /v1/limits` tells the limits, the headers RateLimit and
    RateLimit-Policy how much is left.
    """

    kind = Kind.TOO_MANY
    slug = "too-many-requests"
    title = "Too many requests"


class RequestLimits:
    def __init__(self, bounds: Bounds, metrics: Metrics) -> None:
        self._metrics = metrics
        self._keys = _buckets(bounds.rate_limit)
        self._addresses = _buckets(bounds.failed_keys)

    def note_request(self, key: str, now: Micros) -> Standing | None:
        """Null where nothing is limited."""
        return self._keys.take(key, now) if self._keys else None

    def note_failure(self, address: str, now: Micros) -> None:
        """Raises TooManyRequests."""
        standing = self._addresses.take(address, now) if self._addresses else None
        if standing is not None and not standing.allowed:
            self._refuse("address", "Too many requests without a valid key.", standing)

    def require(self, standing: Standing) -> None:
        """Raises TooManyRequests."""
        if not standing.allowed:
            self._refuse("key", "This key was used too often.", standing)

    def _refuse(self, limit: str, why: str, standing: Standing) -> None:
        self._metrics.refused(limit)
        seconds = standing.more_after
        raise TooManyRequests(f"{why} Try again in {seconds} seconds.", retry_after_seconds=seconds)


def limited(require_key: Guard, find_principal: FindPrincipal) -> Guard:
    """`require_key` with the limits around it.

    A key is always looked at, so that nobody who shares an address with a guesser is kept out.
    """

    async def guard(
        connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler
    ) -> None:
        limits: RequestLimits = connection.app.state.limits
        clock: Clock = connection.app.state.clock
        try:
            await require_key(connection, handler)
        except VendorwatchError as error:
            if error.kind is Kind.UNAUTHENTICATED:
                limits.note_failure(_address(connection), clock())
            raise
        if handler.opt.get("public"):
            return
        principal = await find_principal(Request(connection.scope))
        note_key(connection.scope, principal.key_id)
        # The time of now, not of before the key was looked up: requests overtake each other there.
        name = f"{principal.scope.merchant_id} {principal.key_id}"
        standing = limits.note_request(name, clock())
        if standing is not None:
            for header, value in _headers(standing):
                add_header(connection.scope, header, value)
            limits.require(standing)

    return guard


def _headers(standing: Standing) -> tuple[tuple[str, str], ...]:
    return (
        ("RateLimit-Policy", f'"{_POLICY}";q={standing.quota};w={standing.window}'),
        ("RateLimit", f'"{_POLICY}";r={standing.remaining};t={standing.more_after}'),
    )


def _buckets(quota: int) -> Buckets | None:
    return Buckets(quota=quota, window=WINDOW_SECONDS) if quota else None


def _address(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """Of whoever holds the connection: what a header says of it, anybody can write."""
    return connection.client.host if connection.client else ""
