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
from vendorwatch.interactions.api.bodies import MappingOperation
from vendorwatch.interactions.mapping import BadMapping
from vendorwatch.interactions.shown import MappingDetail, MappingItem, mapping_detail, mapping_item
from vendorwatch.telemetry import Clock
from vendorwatch.web.paging import BadCursor, Pages
from vendorwatch.web.principal import InsufficientScope, Principal
from vendorwatch.web.problems import (
    BadParameter,
    BodyTooLarge,
    UnsupportedMediaType,
    problem_responses,
)
from vendorwatch.web.strict import BadBody, toml_text

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
    source = await toml_text(request, "mapping")
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
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    pages: NamedDependency[Pages],
) -> Response[list[MappingItem]]:
    principal.require("upload", "read")
    listing = pages.of("mappings", int)
    async with database.read(principal.scope) as connection:
        found = await service.list_mappings(
            connection, principal.scope, before=listing.place, limit=listing.wanted
        )
    return listing.answer(found, place=lambda each: each.version, show=mapping_item)


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
