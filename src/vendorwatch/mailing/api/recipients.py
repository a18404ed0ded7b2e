"""`/v1/recipients`: who is written to."""

from typing import Annotated

import msgspec
from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED

from vendorwatch.audit.model import Actor
from vendorwatch.db.engine import Database
from vendorwatch.errors import NotFound
from vendorwatch.mailing import returned, service
from vendorwatch.mailing.model import Asked, BadRecipient, RecipientConflict, Side, Wanted
from vendorwatch.mailing.shown import RecipientItem, recipient_item
from vendorwatch.periods import Micros
from vendorwatch.telemetry import Clock
from vendorwatch.web.paging import BadCursor, Pages
from vendorwatch.web.principal import InsufficientScope, Principal
from vendorwatch.web.problems import (
    BadParameter,
    BodyTooLarge,
    UnsupportedMediaType,
    problem_responses,
)
from vendorwatch.web.strict import BadBody, BadContent


class RecipientRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    email: Annotated[str, msgspec.Meta(description="One address.")]
    name: Annotated[str, msgspec.Meta(description="How the mail calls them.")]
    language: Annotated[str, msgspec.Meta(description="Of the mail and of the PDF.")]
    kind: Annotated[
        Wanted,
        msgspec.Meta(
            description="`digest`: one mail a month about every vendor; `scorecard`: one a "
            "scorecard; `agents`: the agents' scorecards."
        ),
    ]
    side: Annotated[
        Side, msgspec.Meta(description="A vendor's people get what is of this engagement.")
    ] = "merchant"
    every_vendor: Annotated[
        bool, msgspec.Meta(description="Of all the merchant's vendors, not of this one alone.")
    ] = False


@get(
    "/recipients",
    tags=["mail"],
    summary="Who is written to, the oldest first",
    description="Of this engagement, and of all the merchant's. Removed ones stay in the list.",
    responses=problem_responses(InsufficientScope, BadCursor, BadParameter),
)
async def list_recipients(
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    pages: NamedDependency[Pages],
) -> Response[list[RecipientItem]]:
    principal.require("manage")
    listing = pages.of("recipients", tuple[Micros, str])
    async with database.read(principal.reach) as connection:
        found = await service.recipients(
            connection,
            principal.scope,
            after=listing.place,
            limit=listing.wanted,
        )
    return listing.answer(
        found, place=lambda each: (each.created_at, each.recipient_id), show=recipient_item
    )


@post(
    "/recipients",
    tags=["mail"],
    summary="Add somebody who is written to",
    description="The same again is the one that is there (200).",
    responses=problem_responses(
        InsufficientScope,
        BadBody,
        BadContent,
        BadRecipient,
        BodyTooLarge,
        RecipientConflict,
        UnsupportedMediaType,
    )
    | {200: ResponseSpec(RecipientItem, generate_examples=False, description="It is there.")},
)
async def add_recipient(
    data: JSONBody[RecipientRequest],
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    clock: NamedDependency[Clock],
    actor: NamedDependency[Actor],
) -> Response[RecipientItem]:
    principal.require("manage")
    asked = Asked(
        email=data.email,
        name=data.name,
        language=data.language,
        side=data.side,
        kind=data.kind,
        every_vendor=data.every_vendor,
    )
    async with database.write(principal.reach) as connection:
        found, is_new = await service.add_recipient(
            connection, principal.scope, asked, clock(), by=actor
        )
    return Response(recipient_item(found), status_code=HTTP_201_CREATED if is_new else HTTP_200_OK)


@delete(
    "/recipients/{recipient_id:str}",
    tags=["mail"],
    summary="Write to somebody no more",
    description="What waits to be sent to them is not sent. They stay in the list.",
    status_code=HTTP_200_OK,
    responses=problem_responses(InsufficientScope, NotFound),
)
async def remove_recipient(
    recipient_id: FromPath[str],
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    clock: NamedDependency[Clock],
    actor: NamedDependency[Actor],
) -> RecipientItem:
    principal.require("manage")
    async with database.write(principal.reach) as connection:
        found = await service.remove_recipient(
            connection, principal.scope, recipient_id, clock(), by=actor
        )
    return recipient_item(found)


@post(
    "/recipients/{recipient_id:str}/bounced",
    tags=["mail"],
    summary="Mail to somebody never arrives: send none",
    description="As a report of it does that `vendorwatch deliver bounced` reads. What waits for them "
    "is skipped. Again is no error.",
    status_code=HTTP_200_OK,
    responses=problem_responses(InsufficientScope, NotFound),
)
async def mark_bounced(
    recipient_id: FromPath[str],
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    clock: NamedDependency[Clock],
    actor: NamedDependency[Actor],
) -> RecipientItem:
    principal.require("manage")
    async with database.write(principal.reach) as connection:
        found = await returned.mark(connection, principal.scope, recipient_id, clock(), by=actor)
    return recipient_item(found)


@delete(
    "/recipients/{recipient_id:str}/bounced",
    tags=["mail"],
    summary="Write again to somebody whose mail came back",
    description="What was skipped meanwhile stays so until it is retried.",
    status_code=HTTP_200_OK,
    responses=problem_responses(InsufficientScope, NotFound),
)
async def restore_recipient(
    recipient_id: FromPath[str],
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    clock: NamedDependency[Clock],
    actor: NamedDependency[Actor],
) -> RecipientItem:
    principal.require("manage")
    async with database.write(principal.reach) as connection:
        found = await returned.restore(connection, principal.scope, recipient_id, clock(), by=actor)
    return recipient_item(found)
