"""Reviews: how interactions did, in the merchant's eyes and in the vendor's."""

from typing import Annotated, Any

from litestar import Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody, QueryParameter

from vendorwatch.audit.model import Actor
from vendorwatch.db.engine import Database
from vendorwatch.db.text import nfc
from vendorwatch.errors import NotFound
from vendorwatch.quality import service
from vendorwatch.quality.api.bodies import ReviewsOperation
from vendorwatch.quality.api.rubrics import ANYBODY
from vendorwatch.quality.model import BadReviews
from vendorwatch.quality.parse import read_reviews
from vendorwatch.quality.record import Reviewer, Sampling
from vendorwatch.quality.shown import (
    ReviewDetail,
    ReviewItem,
    ReviewsReceipt,
    receipt_of,
    review_detail,
    review_item,
)
from vendorwatch.telemetry import Clock
from vendorwatch.web.addresses import id_to_find
from vendorwatch.web.paging import BadCursor, Pages
from vendorwatch.web.principal import InsufficientScope, Principal
from vendorwatch.web.problems import (
    BadParameter,
    BodyTooLarge,
    UnsupportedMediaType,
    problem_responses,
)
from vendorwatch.web.strict import BadBody, BadContent

_WRITES: dict[Reviewer, str] = {"merchant": "manage", "vendor": "upload"}
"""The scope that a key needs to send and to take back reviews of each side."""


@post(
    "/quality-reviews",
    tags=["quality"],
    summary="Send reviews: all are stored, or none",
    description="What is stored already changes nothing (200); another content under a known "
    "review_id is its next revision. Reviews of the merchant need a key with the scope manage, "
    "reviews of the vendor one with upload.",
    operation_class=ReviewsOperation,
    responses=problem_responses(
        InsufficientScope, BadReviews, BadBody, BadContent, BodyTooLarge, UnsupportedMediaType
    )
    | {200: ResponseSpec(ReviewsReceipt, description="All of them were there already.")},
)
async def post_reviews(
    data: JSONBody[list[dict[str, Any]]],
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    clock: NamedDependency[Clock],
    actor: NamedDependency[Actor],
) -> Response[ReviewsReceipt]:
    principal.require(*_WRITES.values())
    now = clock()
    reading = read_reviews(data, now=now)
    for reviewer in sorted({entry.reviewer for _, entry in reading.entries}):
        principal.require(_WRITES[reviewer])
    async with database.write(principal.scope) as connection:
        settled = await service.receive_reviews(
            connection, principal.scope, reading, now=now, by=actor
        )
    receipt = receipt_of(settled)
    is_new = receipt.unchanged < receipt.received
    return Response(receipt, status_code=201 if is_new else 200)


@get(
    "/quality-reviews",
    tags=["quality"],
    summary="Reviews, the last that came first",
    description="Each in its newest revision. A key with the scope upload alone sees the vendor's.",
    responses=problem_responses(InsufficientScope, BadCursor, BadParameter),
)
async def list_reviews(
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    pages: NamedDependency[Pages],
    interaction_id: Annotated[str | None, QueryParameter(description="Of this one.")] = None,
    sampling: Annotated[Sampling | None, QueryParameter(description="Drawn so.")] = None,
    reviewer: Annotated[Reviewer | None, QueryParameter(description="By this side.")] = None,
) -> Response[list[ReviewItem]]:
    principal.require(*ANYBODY)
    listing = pages.of("quality-reviews", tuple[str, int])
    filters: dict[str, list[str]] = {
        "reviewer": [each for each in _sees(principal) if reviewer in {None, each}]
    }
    if interaction_id is not None:
        filters["interaction_id"] = [nfc(interaction_id)]
    if sampling is not None:
        filters["sampling"] = [sampling]
    async with database.read(principal.scope) as connection:
        found = await service.list_reviews(
            connection,
            principal.scope,
            filters=filters,
            before=listing.place,
            limit=listing.wanted,
        )
    return listing.answer(
        found,
        # Not its sequence: who reads a cursor is told nothing that the review does not tell.
        place=lambda each: (each.review_id, each.revision),
        show=review_item,
    )


@get(
    "/quality-reviews/{review_id:path}",
    tags=["quality"],
    summary="One review: how its share arises",
    description="With all its revisions, the newest first.",
    responses=problem_responses(InsufficientScope, NotFound),
)
async def get_review(
    request: Request[Any, Any, Any],
    review_id: FromPath[str],
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
) -> ReviewDetail:
    principal.require(*ANYBODY)
    name = id_to_find(request, review_id, "/quality-reviews/")
    async with database.read(principal.scope) as connection:
        found = await service.find_review(connection, principal.scope, name, sees=_sees(principal))
    return review_detail(found)


@delete(
    "/quality-reviews/{review_id:path}",
    tags=["quality"],
    summary="Take a review back",
    description="It gets one more revision, withdrawn, and counts no more; nothing is deleted.",
    status_code=200,
    responses=problem_responses(InsufficientScope, NotFound),
)
async def withdraw_review(
    request: Request[Any, Any, Any],
    review_id: FromPath[str],
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    clock: NamedDependency[Clock],
    actor: NamedDependency[Actor],
) -> ReviewDetail:
    principal.require(*_WRITES.values())
    name = id_to_find(request, review_id, "/quality-reviews/")
    async with database.write(principal.scope) as connection:
        found = await service.withdraw_review(
            connection,
            principal.scope,
            name,
            sees=_sees(principal),
            allow=lambda reviewer: principal.require(_WRITES[reviewer]),
            now=clock(),
            by=actor,
        )
    return review_detail(found)


def _sees(principal: Principal) -> list[Reviewer]:
    """A vendor's key is shown the vendor's own: what the merchant looks at is the merchant's."""
    if principal.scopes.isdisjoint({"read", "manage"}):
        return ["vendor"]
    return ["merchant", "vendor"]
