"""Use cases about API keys."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.access import keys, store
from vendorwatch.access.model import (
    NewKey,
    StoredKey,
    Unauthenticated,
    check_request,
    check_rotation,
    lifetime_from,
    told,
)
from vendorwatch.audit import service as audit
from vendorwatch.audit.model import COMMAND, Actor
from vendorwatch.db.scope import Scope, is_id
from vendorwatch.errors import NotFound
from vendorwatch.periods import SECOND, Micros
from vendorwatch.web.principal import Principal

_NOTE_USE_EVERY: Micros = 3_600 * SECOND
_BEARER = "bearer "


@dataclass(frozen=True, slots=True)
class Caller:
    principal: Principal
    use_is_noted: bool  # recently enough: an hour is fine, and spares a write for each request


async def create_key(
    connection: AsyncConnection,
    scope: Scope,
    scopes: Iterable[str],
    secret: bytes,
    now: Micros,
    expires_at: Micros | None = None,
    *,
    by: Actor = COMMAND,
) -> NewKey:
    """Raises BadKeyRequest."""
    made, stored = await _add_key(
        connection, scope, scopes, secret=secret, now=now, expires_at=expires_at
    )
    await audit.record(connection, scope, "key.created", by, now, **told(stored))
    return made


async def _add_key(
    connection: AsyncConnection,
    scope: Scope,
    scopes: Iterable[str],
    *,
    secret: bytes,
    now: Micros,
    expires_at: Micros | None,
) -> tuple[NewKey, StoredKey]:
    wanted = frozenset(scopes)
    check_request(wanted, expires_at, now)
    made = keys.make()
    stored = StoredKey(
        scope=scope,
        key_id=made.key_id,
        secret_hash=keys.digest(made, secret=secret),
        scopes=wanted,
        created_at=now,
        expires_at=expires_at,
        last_used_at=None,
        revoked_at=None,
    )
    await store.add_key(connection, stored)
    return NewKey(key_id=made.key_id, key=str(made)), stored


def read_header(authorization: str | None) -> keys.KeyText:
    """Needs no database. Raises Unauthenticated unless it is a well-formed key."""
    if authorization is None or not authorization.lower().startswith(_BEARER):
        raise Unauthenticated
    key = keys.parse(authorization[len(_BEARER) :].strip(" "))
    if key is None:
        raise Unauthenticated
    return key


async def authenticate(
    connection: AsyncConnection, key: keys.KeyText, secret: bytes, now: Micros
) -> Caller:
    """Raises Unauthenticated, the same for unknown, wrong, expired and revoked keys."""
    for stored in await store.keys_called(connection, key.key_id):
        if keys.matches(key, stored.secret_hash, secret=secret) and stored.state(now) == "live":
            noted = stored.last_used_at
            return Caller(
                Principal(scope=stored.scope, key_id=stored.key_id, scopes=stored.scopes),
                use_is_noted=noted is not None and now - noted < _NOTE_USE_EVERY,
            )
    raise Unauthenticated


async def note_use(connection: AsyncConnection, principal: Principal, now: Micros) -> None:
    await store.note_use(
        connection,
        principal.scope,
        principal.key_id,
        unless_since=now - _NOTE_USE_EVERY,
        now=now,
    )


async def list_keys(connection: AsyncConnection, scope: Scope) -> list[StoredKey]:
    return await store.keys(connection, scope)


async def holder_of(connection: AsyncConnection, key_id: str) -> Scope:
    """Whose key it is: for whoever runs the server. Raises NotFound."""
    found = await store.keys_called(connection, key_id)
    if not found:
        raise NotFound(f"There is no key {key_id}.")
    return found[0].scope


async def revoke_key(
    connection: AsyncConnection, scope: Scope, key_id: str, now: Micros, *, by: Actor = COMMAND
) -> StoredKey:
    """From the next request on it is refused; again is no error. Raises NotFound."""
    if await store.revoke(connection, scope, key_id, now):
        await audit.record(connection, scope, "key.revoked", by, now, key_id=key_id)
    return await find_key(connection, scope, key_id)


async def rotate_key(
    connection: AsyncConnection,
    scope: Scope,
    key_id: str,
    *,
    overlap: Micros,
    secret: bytes,
    now: Micros,
    by: Actor = COMMAND,
) -> NewKey:
    """A new key that may do the same; the old one is good for `overlap` still.

    Raises NotFound, or BadKeyRequest for a key that is no longer good.
    """
    old = await find_key(connection, scope, key_id)
    check_rotation(old, overlap, now)
    made, stored = await _add_key(
        connection, scope, old.scopes, secret=secret, now=now, expires_at=lifetime_from(old, now)
    )
    await store.expire(connection, scope, key_id, at=now + overlap)
    overlaps = overlap // SECOND
    await audit.record(
        connection, scope, "key.rotated", by, now,
        replaces=key_id, overlap_seconds=overlaps, **told(stored),
    )  # fmt: skip
    return made


async def find_key(connection: AsyncConnection, scope: Scope, key_id: str) -> StoredKey:
    """Raises NotFound, also for another engagement's."""
    for key in await store.keys(connection, scope):
        if key.key_id == key_id:
            return key
    raise NotFound("There is no such key.")


async def scope_of(connection: AsyncConnection, engagement_id: str) -> Scope:
    """Raises NotFound, also for what is not a UUID."""
    found = is_id(engagement_id) and await store.find_scope(connection, engagement_id)
    if not found:
        raise NotFound(f"There is no engagement {engagement_id}.")
    return found
