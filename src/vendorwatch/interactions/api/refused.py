"""Uploads that were refused as a whole: of them nothing is stored but an entry in the audit."""

from typing import Any

import structlog
from litestar import Litestar, Request
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from vendorwatch.access import api as access
from vendorwatch.access.model import Unauthenticated
from vendorwatch.audit import service as audit
from vendorwatch.audit.api import actor_of
from vendorwatch.audit.model import Repeats
from vendorwatch.db.engine import Database, DatabaseUnavailable
from vendorwatch.errors import Kind
from vendorwatch.interactions.headers import BadContentLength, content_length, only
from vendorwatch.interactions.refusals import RowsRefused
from vendorwatch.web.exchange import Refusal, refusal_of
from vendorwatch.web.problems import STATUS

_REPEATS = "vendorwatch_repeated_refusals"
# All else says "not now", and the same upload may be taken later.
_FAULTS = frozenset(
    {
        Kind.MALFORMED,
        Kind.REFUSED,
        Kind.FORBIDDEN,
        Kind.TOO_LARGE,
        Kind.TOO_SLOW,
        Kind.UNSUPPORTED,
    }
)


class RefusedUploads:
    """Around the handler, so that what the framework refuses before it is noted, too. The entry is
    written before the answer starts.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        received = 0

        async def count(*_: Any) -> Any:
            nonlocal received
            message: Any = await receive()
            received += len(message.get("body", b""))
            return message

        async def note(message: Message) -> None:
            refusal = refusal_of(scope)
            if message["type"] == "http.response.start" and refusal is not None:
                await _note(Request(scope), refusal, received)
            await send(message)

        await self._app(scope, count, note)


async def _note(request: Request[Any, Any, Any], refusal: Refusal, received: int) -> None:
    if not _leaves_an_entry(request, refusal):
        return
    try:
        principal = await access.provide_principal(request)
    except Unauthenticated:
        return
    app: Litestar = request.app
    now = app.state.clock()
    times = _repeats(app).note(
        principal.scope.engagement_id, principal.key_id, refusal.slug, now=now
    )
    if times is None:
        return
    database: Database = app.state.database
    try:
        async with database.write(principal.scope) as connection:
            await audit.record(
                connection, principal.scope, "upload.refused", actor_of(request, principal), now,
                slug=refusal.slug,
                status=STATUS[refusal.kind],
                declared_bytes=_declared(request),
                received_bytes=received,
                times=times,
            )  # fmt: skip
    except DatabaseUnavailable:
        # The refusal stands whether or not it can be noted.
        structlog.get_logger().warning("refusal_not_noted", key_id=principal.key_id)


def _leaves_an_entry(request: Request[Any, Any, Any], refusal: Refusal) -> bool:
    """Not where there is a receipt that tells it, nor of a dry run, which stores nothing."""
    if refusal.slug == RowsRefused.slug and "upload" in refusal.members:
        return False
    is_dry = request.query_params.get("dry_run", "").lower() in {"true", "1"}
    return refusal.kind in _FAULTS and not is_dry


def _declared(request: Request[Any, Any, Any]) -> int | None:
    try:
        return content_length(only(request.headers, "Content-Length"))
    except BadContentLength:
        return None


def _repeats(app: Litestar) -> Repeats:
    found: Repeats | None = app.state.get(_REPEATS)
    if found is None:
        found = app.state[_REPEATS] = Repeats()
    return found
