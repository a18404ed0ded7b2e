"""Rubrics: by what the merchant judges interactions."""

from typing import Any

from litestar import Request, Response, get, put
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody

from vendorwatch.audit.model import Actor
from vendorwatch.db.engine import Database
from vendorwatch.errors import NotFound
from vendorwatch.quality import service
from vendorwatch.quality.api.bodies import RubricOperation
from vendorwatch.quality.model import BadRubric
from vendorwatch.quality.shown import RubricDetail, RubricItem, rubric_item
from vendorwatch.telemetry import Clock
from vendorwatch.web.addresses import id_as_sent, id_to_find
from vendorwatch.web.paging import BadCursor, Pages
from vendorwatch.web.principal import InsufficientScope, Principal
from vendorwatch.web.problems import (
    BadParameter,
    BodyTooLarge,
    UnsupportedMediaType,
    problem_responses,
)
from vendorwatch.web.strict import BadBody, BadContent

ANYBODY = ("read", "manage", "upload")
"""Each of these scopes is enough to look; what there is to see may depend on it."""


@put(
    "/rubrics/{rubric_id:path}",
    tags=["quality"],
    summary="Set by what interactions are judged",
    description="Belongs to the merchant: all its engagements share it. The newest version again "
    "is no new version (200).",
    operation_class=RubricOperation,
    status_code=201,
    responses=problem_responses(
        InsufficientScope,
        BadRubric,
        BadBody,
        BadContent,
        BadParameter,
        BodyTooLarge,
        UnsupportedMediaType,
    )
    | {200: ResponseSpec(RubricItem, description="It is the newest version already.")},
)
async def put_rubric(
    request: Request[Any, Any, Any],
    rubric_id: FromPath[str],
    data: JSONBody[dict[str, Any]],
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    clock: NamedDependency[Clock],
    actor: NamedDependency[Actor],
) -> Response[RubricItem]:
    principal.require("manage")
    name = id_as_sent(request, rubric_id, "/rubrics/")
    async with database.write(principal.reach) as connection:
        rubric, is_new = await service.set_rubric(
            connection, principal.scope, name, data, now=clock(), by=actor
        )
    return Response(rubric_item(rubric), status_code=201 if is_new else 200)


@get(
    "/rubrics",
    tags=["quality"],
    summary="Rubrics in their newest versions, by id",
    responses=problem_responses(InsufficientScope, BadCursor, BadParameter),
)
async def list_rubrics(
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    pages: NamedDependency[Pages],
) -> Response[list[RubricItem]]:
    principal.require(*ANYBODY)
    listing = pages.of("rubrics", str)
    async with database.read(principal.scope) as connection:
        found = await service.list_rubrics(
            connection,
            principal.scope,
            after=listing.place,
            limit=listing.wanted,
        )
    return listing.answer(found, place=lambda each: each.rubric_id, show=rubric_item)


@get(
    "/rubrics/{rubric_id:path}",
    tags=["quality"],
    summary="One rubric with all its versions",
    responses=problem_responses(InsufficientScope, NotFound),
)
async def get_rubric(
    request: Request[Any, Any, Any],
    rubric_id: FromPath[str],
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
) -> RubricDetail:
    principal.require(*ANYBODY)
    name = id_to_find(request, rubric_id, "/rubrics/")
    async with database.read(principal.scope) as connection:
        found = await service.find_rubric(connection, principal.scope, name)
    versions = [rubric_item(each) for each in found]
    return RubricDetail(rubric=versions[0], versions=versions)
