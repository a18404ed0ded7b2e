"""Who is calling: the check before every request under /v1, and `/v1/me`."""

from typing import Any

import msgspec
import structlog
from litestar import Request, get
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler

from vendorwatch.access import service
from vendorwatch.access.model import Unauthenticated
from vendorwatch.db.engine import Database, DatabaseUnavailable
from vendorwatch.telemetry import Clock
from vendorwatch.web.principal import Principal
from vendorwatch.web.problems import problem_responses

_CALLER = "vendorwatch_caller"


class Me(msgspec.Struct, frozen=True, kw_only=True):
    key_id: str
    scopes: list[str]
    merchant_id: str
    engagement_id: str


async def require_key(
    connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler
) -> None:
    """A guard, so that nothing of the body is read for a caller without a key.

    Handlers with `opt={"public": True}` are open.
    """
    if handler.opt.get("public"):
        return
    given = connection.headers.getall("authorization", [])
    key = service.read_header(given[0] if len(given) == 1 else None)
    state = connection.app.state
    database: Database = state.database
    connection.scope["state"][_CALLER] = await database.read_key(
        key.key_id,
        lambda transaction: service.authenticate(transaction, key, state.secret, state.clock()),
    )


async def provide_principal(request: Request[Any, Any, Any]) -> Principal:
    """Raises Unauthenticated where no guard has found a caller."""
    caller: service.Caller | None = request.scope["state"].get(_CALLER)
    if caller is None:
        raise Unauthenticated
    return caller.principal


async def note_use(request: Request[Any, Any, Any]) -> None:
    """After the answer: a caller who only reads never waits for whoever is writing."""
    caller: service.Caller | None = request.scope["state"].get(_CALLER)
    if caller is None or caller.use_is_noted:
        return
    database: Database = request.app.state.database
    clock: Clock = request.app.state.clock
    try:
        async with database.write(caller.principal.scope) as connection:
            await service.note_use(connection, caller.principal, clock())
    except DatabaseUnavailable:
        # Nothing depends on it, and the next request tries again.
        structlog.get_logger().warning("key_use_not_noted", key_id=caller.principal.key_id)


@get("/me", tags=["access"], summary="Whose key this is", responses=problem_responses())
async def me(principal: NamedDependency[Principal]) -> Me:
    return Me(
        key_id=principal.key_id,
        scopes=sorted(principal.scopes),
        merchant_id=principal.scope.merchant_id,
        engagement_id=principal.scope.engagement_id,
    )
