"""Mappings: how a vendor's own file is read."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath

from vendorwatch.audit.model import Actor
from vendorwatch.db.engine import Database
from vendorwatch.errors import NotFound
from vendorwatch.interactions import service
from vendorwatch.interactions.api.bodies import TOML, MappingOperation
from vendorwatch.interactions.mapping import BadMapping
from vendorwatch.interactions.shown import MappingDetail, MappingItem, mapping_detail, mapping_item
from vendorwatch.telemetry import Clock
from vendorwatch.web.paging import DEFAULT_LIMIT, BadCursor, Cursors, CursorText, Limit, page
from vendorwatch.web.principal import InsufficientScope, Principal
from vendorwatch.web.problems import (
    BadParameter,
    BodyTooLarge,
    UnsupportedMediaType,
    problem_responses,
)
from vendorwatch.web.strict import BadBody

_MOST_MAPPING_BYTES = 256 * 2**10


@post(
    "/mappings",
    tags=["mappings"],
    summary="Set how a vendor's own file is read",
    description="The newest one again is no new version (200).",
    operation_class=MappingOperation,
    request_max_body_size=_MOST_MAPPING_BYTES,
    responses=problem_responses(
        InsufficientScope, BadMapping, BadBody, BodyTooLarge, UnsupportedMediaType
    )
    | {200: ResponseSpec(MappingItem, description="It is the newest one already.")},
)
async def create_mapping(
    request: Request[Any, Any, Any],
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    clock: NamedDependency[Clock],
    actor: NamedDependency[Actor],
) -> Response[MappingItem]:
    principal.require("upload", "manage")
    if request.headers.get("Content-Type", "").partition(";")[0].strip().lower() != TOML:
        raise UnsupportedMediaType(f"Send the mapping as {TOML}.")
    try:
        source = (await request.body()).decode()
    except UnicodeDecodeError as error:
        raise BadBody(f"The mapping is not UTF-8, from byte {error.start} on.") from error
    async with database.write(principal.scope) as connection:
        mapping, is_new = await service.set_mapping(
            connection, principal.scope, source, now=clock(), by=actor
        )
    return Response(
        mapping_item(mapping),
        status_code=201 if is_new else 200,
        headers={"Location": f"/v1/mappings/{mapping.version}"},
    )


@get(
    "/mappings",
    tags=["mappings"],
    summary="Mappings, the newest first",
    responses=problem_responses(InsufficientScope, BadCursor, BadParameter),
)
async def list_mappings(
    request: Request[Any, Any, Any],
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    secret: NamedDependency[bytes],
    limit: Limit = DEFAULT_LIMIT,
    cursor: CursorText = None,
) -> Response[list[MappingItem]]:
    principal.require("upload", "read")
    cursors = Cursors(secret, principal.scope, "mappings")
    place = cursors.read(cursor)
    before = int(str(place[0])) if place else None
    async with database.read(principal.scope) as connection:
        found = await service.list_mappings(
            connection, principal.scope, before=before, limit=limit + 1
        )
    listed = page(
        request,
        [mapping_item(each) for each in found],
        limit=limit,
        cursors=cursors,
        place=lambda each: [each.version],
    )
    return Response(list(listed.items), headers=listed.headers)


@get(
    "/mappings/{version:int}",
    tags=["mappings"],
    summary="One mapping, as it was sent",
    responses=problem_responses(InsufficientScope, NotFound),
)
async def get_mapping(
    version: FromPath[int],
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
) -> MappingDetail:
    principal.require("upload", "read")
    async with database.read(principal.scope) as connection:
        return mapping_detail(await service.find_mapping(connection, principal.scope, version))
