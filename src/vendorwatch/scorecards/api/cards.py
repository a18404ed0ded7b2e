"""`/v1/scorecards`: compute, list, and each one as JSON, PDF and CSV."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import quote

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIResponse, Operation, Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED, HTTP_304_NOT_MODIFIED

from vendorwatch.audit.model import Actor
from vendorwatch.db.engine import Database
from vendorwatch.errors import NotFound
from vendorwatch.interactions.instants import BadInstant, parse_instant
from vendorwatch.periods import Micros, Month, format_instant
from vendorwatch.scorecards import service
from vendorwatch.scorecards.model import BadScorecardRequest, StoredScorecard
from vendorwatch.scorecards.render import (
    Renderer,
    RenderFailed,
    Report,
    csv_text,
    file_name,
    languages,
)
from vendorwatch.scoring.document import Document
from vendorwatch.scoring.inputs import FutureAsOf
from vendorwatch.telemetry import Clock
from vendorwatch.web.paging import BadCursor, Pages
from vendorwatch.web.principal import InsufficientScope, Principal
from vendorwatch.web.problems import BadParameter, BodyTooLarge, problem_responses
from vendorwatch.web.strict import BadBody, BadContent, UnsupportedMediaType

_SUFFIXES = {".pdf": "application/pdf", ".csv": "text/csv"}
Language = Annotated[
    str | None,
    QueryParameter(description=f"Of the PDF: {', '.join(languages())}. Default en."),
]


@dataclass
class ScorecardOperation(Operation):
    """The framework knows of one content type for each status."""

    def __post_init__(self) -> None:
        success = (self.responses or {})["200"]
        if isinstance(success, OpenAPIResponse):
            success.content = {
                "application/json": OpenAPIMediaType(schema=Schema(type=OpenAPIType.OBJECT)),
                **{media: OpenAPIMediaType() for media in _SUFFIXES.values()},
            }


class ComputeRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    month: Annotated[str, msgspec.Meta(description="YYYY-MM", examples=["2026-10"])]
    as_of: Annotated[
        str | None,
        msgspec.Meta(
            description="RFC 3339 with an offset. Default: when the month is final, or now.",
            examples=["2026-11-08T00:00:00Z"],
        ),
    ] = None


class ScorecardItem(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    month: str
    as_of: str
    status: Literal["provisional", "final"]
    revision: int
    score: str | None
    created_at: str
    links: dict[str, str]


@post(
    "/scorecards",
    tags=["scorecards"],
    summary="Compute the scorecard of a month",
    description="From the records that are in force now. It is kept and can be fetched again; "
    "when nothing has changed since, the answer is the scorecard that stands already (200).",
    responses=problem_responses(
        InsufficientScope,
        BadBody,
        BadContent,
        BadScorecardRequest,
        BodyTooLarge,
        FutureAsOf,
        UnsupportedMediaType,
    )
    | {
        200: ResponseSpec(dict[str, Any], generate_examples=False, description="It stands already.")
    },
)
async def compute_scorecard(
    data: JSONBody[ComputeRequest],
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    clock: NamedDependency[Clock],
    actor: NamedDependency[Actor],
) -> Response[Document]:
    principal.require("score", "manage")
    month, as_of = _month(data.month), _as_of(data.as_of)
    async with database.read(principal.scope) as connection:
        computed = await service.compute(
            connection, principal.scope.engagement_id, month, as_of=as_of, now=clock()
        )
    async with database.write(principal.scope) as connection:
        card = await service.keep(connection, computed, clock(), by=actor)
    return Response(
        _representation(card),
        status_code=HTTP_201_CREATED if card.is_new else HTTP_200_OK,
        headers={"Location": _links(card)["self"], "ETag": f'"{card.document_sha256}"'},
    )


@get(
    "/scorecards",
    tags=["scorecards"],
    summary="Scorecards, the newest month first",
    responses=problem_responses(InsufficientScope, BadCursor, BadParameter, BadScorecardRequest),
)
async def list_scorecards(
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    pages: NamedDependency[Pages],
    month: Annotated[str | None, QueryParameter(description="Only this one, as 2026-10.")] = None,
) -> Response[list[ScorecardItem]]:
    principal.require("read", "score")
    listing = pages.of("scorecards", tuple[str, Micros, str])
    async with database.read(principal.scope) as connection:
        found = await service.scorecards(
            connection,
            principal.scope,
            month=_month(month) if month else None,
            after=listing.place,
            limit=listing.wanted,
        )
    return listing.answer(found, place=_place, show=_item)


@get(
    "/scorecards/{scorecard:str}",
    tags=["scorecards"],
    summary="One scorecard",
    description="As JSON by its id; as a document by its id and `.pdf`; its figures by its id and "
    "`.csv`.",
    operation_class=ScorecardOperation,
    responses=problem_responses(InsufficientScope, NotFound, BadParameter, RenderFailed)
    | {304: ResponseSpec(None, description="It is the one that If-None-Match names.")},
)
async def get_scorecard(
    request: Request[Any, Any, Any],
    scorecard: FromPath[str],
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    renderer: NamedDependency[Renderer],
    language: Language = None,
) -> Response[Any]:
    principal.require("read", "score")
    suffix = next((each for each in _SUFFIXES if scorecard.endswith(each)), "")
    if language is not None and (suffix != ".pdf" or language not in languages()):
        raise BadParameter(f"language is for .pdf, and one of {', '.join(languages())}.")
    scorecard_id = scorecard.removesuffix(suffix)
    async with database.read(principal.scope) as connection:
        card = await service.find_scorecard(connection, principal.scope, scorecard_id)
        history = await service.history(connection, principal.scope, card)
    if suffix == ".pdf":
        pdf = await renderer.pdf_async(Report(card.document, language or "en", history=history))
        return _file(pdf, file_name(card.document), suffix)
    if suffix == ".csv":
        name = file_name(card.document).removesuffix(".pdf") + ".csv"
        return _file(csv_text(card.document).encode(), name, suffix)
    etag = f'"{card.document_sha256}"'
    if etag in request.headers.get("If-None-Match", ""):
        return Response(None, status_code=HTTP_304_NOT_MODIFIED, headers={"ETag": etag})
    return Response(_representation(card), headers={"ETag": etag})


def _month(text: str) -> Month:
    try:
        return Month.parse(text)
    except ValueError as error:
        raise BadScorecardRequest(str(error)) from error


def _as_of(text: str | None) -> Micros | None:
    if text is None:
        return None
    try:
        return parse_instant(text)
    except BadInstant as error:
        raise BadScorecardRequest(f"as_of: {error}") from error


def _representation(card: StoredScorecard) -> Document:
    """The document, with what belongs to the store beside it."""
    return {
        "id": card.scorecard_id,
        "document_sha256": card.document_sha256,
        "created_at": format_instant(card.created_at),
        "links": _links(card),
        **card.document,
    }


def _item(card: StoredScorecard) -> ScorecardItem:
    scores = card.document["vendor_scores"]
    return msgspec.convert(
        {**_representation(card), "score": scores["score"] if isinstance(scores, dict) else None},
        ScorecardItem,
    )


def _links(card: StoredScorecard) -> dict[str, str]:
    home = f"/v1/scorecards/{card.scorecard_id}"
    return {"self": home, "pdf": f"{home}.pdf", "csv": f"{home}.csv"}


def _place(card: StoredScorecard) -> tuple[str, Micros, str]:
    return str(card.month), card.created_at, card.scorecard_id


def _file(content: bytes, name: str, suffix: str) -> Response[bytes]:
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return Response(
        content, media_type=_SUFFIXES[suffix], headers={"Content-Disposition": disposition}
    )


HANDLERS = (compute_scorecard, list_scorecards, get_scorecard)
