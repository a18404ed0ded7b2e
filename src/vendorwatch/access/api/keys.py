"""`/v1/keys`: the engagement's keys, for whoever manages it."""

from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from vendorwatch.access import service
from vendorwatch.access.api.bodies import (
    KeyItem,
    KeyRequest,
    RotationRequest,
    key_item,
    read_instant,
)
from vendorwatch.access.model import SCOPES, BadKeyRequest, NewKey
from vendorwatch.audit.model import Actor
from vendorwatch.db.engine import Database
from vendorwatch.errors import NotFound
from vendorwatch.periods import SECOND
from vendorwatch.telemetry import Clock
from vendorwatch.web.principal import InsufficientScope, Principal
from vendorwatch.web.problems import BodyTooLarge, UnsupportedMediaType, problem_responses
from vendorwatch.web.strict import BadBody, BadContent


@get(
    "/keys",
    tags=["access"],
    summary="The engagement's keys, the oldest first",
    responses=problem_responses(InsufficientScope),
)
async def list_keys(
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    clock: NamedDependency[Clock],
) -> list[KeyItem]:
    principal.require("manage")
    async with database.read(principal.scope) as connection:
        found = await service.list_keys(connection, principal.scope)
    return [key_item(each, clock()) for each in found]


@post(
    "/keys",
    tags=["access"],
    summary="Make a key",
    description="It is shown this once. It may do no more than the key that makes it.",
    responses=problem_responses(
        InsufficientScope, BadBody, BadContent, BadKeyRequest, BodyTooLarge, UnsupportedMediaType
    ),
)
async def create_key(
    data: JSONBody[KeyRequest],
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    secret: NamedDependency[bytes],
    clock: NamedDependency[Clock],
    actor: NamedDependency[Actor],
) -> NewKey:
    principal.require("manage")
    _require_all(principal, frozenset(data.scopes) & SCOPES.keys())
    async with database.write(principal.scope) as connection:
        return await service.create_key(
            connection,
            principal.scope,
            data.scopes,
            secret,
            clock(),
            read_instant(data.expires_at),
            by=actor,
        )


@post(
    "/keys/{key_id:str}/rotate",
    tags=["access"],
    summary="Make the successor of a key",
    description="With the same scopes, and as long a life. The old key stays good for a while, so "
    "that nobody is kept out meanwhile.",
    responses=problem_responses(
        InsufficientScope,
        NotFound,
        BadBody,
        BadContent,
        BadKeyRequest,
        BodyTooLarge,
        UnsupportedMediaType,
    ),
)
async def rotate_key(
    key_id: FromPath[str],
    data: JSONBody[RotationRequest],
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    secret: NamedDependency[bytes],
    clock: NamedDependency[Clock],
    actor: NamedDependency[Actor],
) -> NewKey:
    principal.require("manage")
    async with database.write(principal.scope) as connection:
        old = await service.find_key(connection, principal.scope, key_id)
        _require_all(principal, old.scopes)
        return await service.rotate_key(
            connection,
            principal.scope,
            key_id,
            overlap=data.overlap_seconds * SECOND,
            secret=secret,
            now=clock(),
            by=actor,
        )


@delete(
    "/keys/{key_id:str}",
    tags=["access"],
    summary="Revoke a key",
    description="It is refused from the next request on, and stays in the list.",
    status_code=200,
    responses=problem_responses(InsufficientScope, NotFound),
)
async def revoke_key(
    key_id: FromPath[str],
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    clock: NamedDependency[Clock],
    actor: NamedDependency[Actor],
) -> KeyItem:
    principal.require("manage")
    now = clock()
    async with database.write(principal.scope) as connection:
        found = await service.revoke_key(connection, principal.scope, key_id, now, by=actor)
    return key_item(found, now)


def _require_all(principal: Principal, wanted: frozenset[str]) -> None:
    """Nobody hands out what they have not. Raises InsufficientScope."""
    for scope in sorted(wanted):
        principal.require(scope)
