"""`/v1/audit`, and who is noted in it."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency

from vendorwatch.audit import service
from vendorwatch.audit.model import OF_VENDOR, Action, Actor, StoredEntry
from vendorwatch.db.engine import Database
from vendorwatch.periods import format_instant
from vendorwatch.web.exchange import request_id
from vendorwatch.web.paging import BadCursor, Pages
from vendorwatch.web.principal import InsufficientScope, Principal
from vendorwatch.web.problems import BadParameter, problem_responses


class AuditItem(msgspec.Struct, frozen=True, kw_only=True):
    """`sha256` is that of the JSON of all the rest with the `engagement_id`, keys sorted, without
    blanks.
    """

    sequence: Annotated[int, msgspec.Meta(description="1, 2, 3 ... within the engagement.")]
    at: str
    action: Action
    key_id: Annotated[
        str | None,
        msgspec.Meta(description="Null: by a command, the closing rules, or a link in a mail."),
    ]
    request_id: Annotated[str | None, msgspec.Meta(description="As in the answer's X-Request-ID.")]
    detail: Annotated[
        dict[str, Any], msgspec.Meta(description="Ids, versions, counts and hashes, by action.")
    ]
    previous_sha256: str | None
    sha256: str


async def provide_actor(
    request: Request[Any, Any, Any], principal: NamedDependency[Principal]
) -> Actor:
    return actor_of(request, principal)


def actor_of(request: Request[Any, Any, Any], principal: Principal) -> Actor:
    return Actor(principal.key_id, request_id(request.scope))


@get(
    "/audit",
    tags=["audit"],
    summary="What was done to the engagement, the newest first",
    description="Each entry carries the hash of the one before. A key with the scope upload alone "
    f"sees what such keys do: {', '.join(OF_VENDOR)}.",
    responses=problem_responses(InsufficientScope, BadCursor, BadParameter),
)
async def list_audit(
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    pages: NamedDependency[Pages],
) -> Response[list[AuditItem]]:
    principal.require("read", "manage", "upload")
    listing = pages.of("audit", int)
    is_vendors = principal.scopes.isdisjoint({"read", "manage"})
    async with database.read(principal.scope) as connection:
        found = await service.list_entries(
            connection,
            principal.scope,
            actions=OF_VENDOR if is_vendors else None,
            before=listing.place,
            limit=listing.wanted,
        )
    return listing.answer(found, place=lambda each: each.entry.sequence, show=_item)


def _item(stored: StoredEntry) -> AuditItem:
    entry = stored.entry
    return AuditItem(
        sequence=entry.sequence,
        at=format_instant(entry.at),
        action=entry.action,
        key_id=entry.by.key_id,
        request_id=entry.by.request_id,
        detail=dict(entry.detail),
        previous_sha256=entry.previous_sha256.hex() if entry.previous_sha256 else None,
        sha256=stored.sha256.hex(),
    )


HANDLERS = (list_audit,)
