"""`/v1/policies`: set a version, list them, and each one as JSON or as its TOML."""

import hashlib
from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import (
    Example,
    OpenAPIMediaType,
    OpenAPIResponse,
    Operation,
    Reference,
    RequestBody,
    Schema,
)
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import FromPath
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED, HTTP_304_NOT_MODIFIED

from vendorwatch.audit.model import Actor
from vendorwatch.db.engine import Database
from vendorwatch.errors import NotFound
from vendorwatch.policies import service
from vendorwatch.policies.model import StoredPolicy
from vendorwatch.policies.shown import PolicyDetail, PolicyItem, policy_detail, policy_items
from vendorwatch.scoring.policy_reader import BadPolicy
from vendorwatch.telemetry import Clock
from vendorwatch.web.paging import BadCursor, Pages, as_is
from vendorwatch.web.principal import InsufficientScope, Principal
from vendorwatch.web.problems import (
    BadParameter,
    BodyTooLarge,
    UnsupportedMediaType,
    problem_responses,
)
from vendorwatch.web.strict import TOML, BadBody, toml_text

_MOST_BYTES = 256 * 2**10  # four bytes a character at most; the reader counts characters
_TEXT = Schema(type=OpenAPIType.STRING)
_EXAMPLE = "# ... as `vendorwatch policy default` prints it; see docs/reference/policy.md\n"


@dataclass
class NewPolicyOperation(Operation):
    """The body is read as it comes, so the framework cannot know it."""

    def __post_init__(self) -> None:
        media = OpenAPIMediaType(schema=_TEXT, examples={"toml": Example(value=_EXAMPLE)})
        self.request_body = RequestBody(required=True, content={TOML: media})


@dataclass
class PolicyOperation(Operation):
    """The framework knows of one content type for each status."""

    def __post_init__(self) -> None:
        success = (self.responses or {})["200"]
        if isinstance(success, OpenAPIResponse):
            detail = OpenAPIMediaType(schema=Reference(ref="#/components/schemas/PolicyDetail"))
            success.content = {
                "application/json": detail,
                TOML: OpenAPIMediaType(schema=_TEXT),
            }


@post(
    "/policies",
    tags=["policies"],
    summary="Set the next version of the policy",
    description="The newest one again is no new version (200). The TOML is kept as it comes, "
    "comments and all. Everything that is wrong with it is told at once, each with its line.",
    operation_class=NewPolicyOperation,
    request_max_body_size=_MOST_BYTES,
    responses=problem_responses(
        InsufficientScope, BadPolicy, BadBody, BodyTooLarge, UnsupportedMediaType
    )
    | {200: ResponseSpec(PolicyDetail, description="It is the newest one already.")},
)
async def create_policy(
    request: Request[Any, Any, Any],
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    clock: NamedDependency[Clock],
    actor: NamedDependency[Actor],
) -> Response[PolicyDetail]:
    principal.require("manage")
    source = await toml_text(request, "policy")
    async with database.write(principal.scope) as connection:
        stored, is_new = await service.set_policy(
            connection, principal.scope, source, clock(), by=actor
        )
        versions = await service.policies(connection, principal.scope)
    detail = policy_detail(stored, versions)
    return Response(
        detail,
        status_code=HTTP_201_CREATED if is_new else HTTP_200_OK,
        headers={"Location": f"/v1/policies/{stored.version}", "ETag": _etag(detail)},
    )


@get(
    "/policies",
    tags=["policies"],
    summary="The engagement's policies, the oldest first",
    description="Each with the months for which it counts.",
    responses=problem_responses(InsufficientScope, BadCursor, BadParameter),
)
async def list_policies(
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    pages: NamedDependency[Pages],
) -> Response[list[PolicyItem]]:
    principal.require("read", "manage")
    listing = pages.of("policies", int)
    async with database.read(principal.scope) as connection:
        # All of them: for which months one counts depends on those after it.
        items = policy_items(await service.policies(connection, principal.scope))
    seen = listing.place or 0
    return listing.answer(
        [each for each in items if each.version > seen][: listing.wanted],
        place=lambda each: each.version,
        show=as_is,
    )


@get("/policies/default", tags=["policies"], summary="What counts until a policy is set")
async def get_default_policy(principal: NamedDependency[Principal]) -> Response[PolicyDetail]:
    policy = service.default_policy()
    detail = policy_detail(policy, [policy])
    return Response(detail, headers={"ETag": _etag(detail)})


@get(
    "/policies/{policy:str}",
    tags=["policies"],
    summary="One policy, by its version or its id",
    description="As JSON; with `.toml` behind it, the file as it was set. Version 0 is the default.",
    operation_class=PolicyOperation,
    responses=problem_responses(InsufficientScope, NotFound)
    | {304: ResponseSpec(None, description="It is the one that If-None-Match names.")},
)
async def get_policy(
    request: Request[Any, Any, Any],
    policy: FromPath[str],
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
) -> Response[Any]:
    principal.require("read", "manage")
    async with database.read(principal.scope) as connection:
        versions = await service.policies(connection, principal.scope)
    found = service.find_policy(versions, policy.removesuffix(".toml"))
    detail = policy_detail(found, versions if found.version else [found])
    etag = f'"{found.sha256}"' if policy.endswith(".toml") else _etag(detail)
    if etag in request.headers.get("If-None-Match", ""):
        return Response(None, status_code=HTTP_304_NOT_MODIFIED, headers={"ETag": etag})
    if policy.endswith(".toml"):
        return _file(found, etag)
    return Response(detail, headers={"ETag": etag})


def _file(policy: StoredPolicy, etag: str) -> Response[bytes]:
    disposition = f'attachment; filename="policy-{policy.version}.toml"'
    headers = {"ETag": etag, "Content-Disposition": disposition}
    return Response(policy.source.encode(), media_type=TOML, headers=headers)


def _etag(detail: PolicyDetail) -> str:
    """Of the whole answer: a later version changes the months for which an earlier one counts."""
    return f'"{hashlib.sha256(msgspec.json.encode(detail)).hexdigest()}"'


HANDLERS = (create_policy, list_policies, get_default_policy, get_policy)
