"""What the links in a mail lead to. No key is needed: the link is signed, and is the key."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from babel import negotiate_locale
from litestar import MediaType, Request, Response, get, post
from litestar.datastructures.headers import Accept
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Operation
from litestar.params import FromPath
from litestar.status_codes import HTTP_200_OK

from vendorwatch.audit.model import Actor
from vendorwatch.db.engine import Database
from vendorwatch.errors import NotFound
from vendorwatch.mailing import service
from vendorwatch.mailing.contents import report_of
from vendorwatch.mailing.keys import Permit, Purpose, read
from vendorwatch.mailing.letter import environment
from vendorwatch.mailing.model import Recipient
from vendorwatch.scorecards.render import Renderer, RenderFailed, report_name
from vendorwatch.scorecards.render.wording import SOURCE_LANGUAGE, languages
from vendorwatch.telemetry import Clock
from vendorwatch.web.exchange import request_id
from vendorwatch.web.problems import MEDIA_TYPE, answer_error, problem_responses

_PAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
)
_PAGE = ResponseSpec(str, generate_examples=False, media_type="text/html", description="A page.")


@dataclass
class OpenOperation(Operation):
    """For whoever has the link: no key."""

    def __post_init__(self) -> None:
        self.security = None


def _dead_link(request: Request[Any, Any, Any], error: NotFound) -> Response[str] | Response[bytes]:
    """A page for whoever clicked, in a language that their browser asks for."""
    wanted = Accept(request.headers.get("Accept", ""))
    answers = [MEDIA_TYPE, MediaType.HTML.value]
    if wanted.best_match(answers, default=MEDIA_TYPE) != MediaType.HTML:
        return answer_error(request, error)
    asked = request.headers.get("Accept-Language", "").split(",")
    preferred = [each.partition(";")[0].strip() for each in asked]
    language = negotiate_locale(preferred, languages(), sep="-") or SOURCE_LANGUAGE
    page = environment(language).get_template("dead_link.html").render(language=language)
    return _html(page, status=404)


@get(
    "/unsubscribe/{token:str}",
    tags=["mail"],
    summary="A page that asks before it unsubscribes",
    description="Programs that look at links before people do change nothing by it.",
    media_type=MediaType.HTML,
    opt={"public": True},
    operation_class=OpenOperation,
    exception_handlers={NotFound: _dead_link},
    responses=problem_responses(NotFound) | {200: _PAGE},
)
async def ask_to_unsubscribe(
    token: FromPath[str], database: NamedDependency[Database], secret: NamedDependency[bytes]
) -> Response[str]:
    permit = _permit(token, "unsubscribe", secret)
    async with database.read(permit.scope.of_merchant()) as connection:
        found = await service.subscriber(connection, permit)
    return _page(found)


@post(
    "/unsubscribe/{token:str}",
    tags=["mail"],
    summary="Unsubscribe, by one click (RFC 8058)",
    description="What List-Unsubscribe of a mail names. The body is not looked at. Again is no error.",
    media_type=MediaType.HTML,
    status_code=HTTP_200_OK,
    opt={"public": True},
    operation_class=OpenOperation,
    exception_handlers={NotFound: _dead_link},
    responses=problem_responses(NotFound) | {200: _PAGE},
)
async def unsubscribe(
    request: Request[Any, Any, Any],
    token: FromPath[str],
    database: NamedDependency[Database],
    secret: NamedDependency[bytes],
    clock: NamedDependency[Clock],
) -> Response[str]:
    permit = _permit(token, "unsubscribe", secret)
    async with database.write(permit.scope.of_merchant()) as connection:
        by = Actor(request_id=request_id(request.scope))
        found = await service.unsubscribe(connection, permit, clock(), by=by)
    return _page(found)


@get(
    "/reports/{token:str}",
    tags=["mail"],
    summary="The PDF that a mail is about",
    description="For whoever has the link, as long as its recipient is not removed.",
    media_type="application/pdf",
    opt={"public": True},
    operation_class=OpenOperation,
    exception_handlers={NotFound: _dead_link},
    responses=problem_responses(NotFound, RenderFailed)
    | {
        200: ResponseSpec(
            bytes, generate_examples=False, media_type="application/pdf", description="The PDF."
        )
    },
)
async def report(
    token: FromPath[str],
    database: NamedDependency[Database],
    secret: NamedDependency[bytes],
    renderer: NamedDependency[Renderer],
) -> Response[bytes]:
    permit = _permit(token, "report", secret)
    async with database.read(permit.scope.of_merchant()) as connection:
        row = await service.find_delivery(connection, permit.scope, permit.subject)
        reader = await service.subscriber(connection, Permit(permit.scope, row.recipient_id))
    if reader.removed_at is not None:
        raise NotFound("There is nothing at this address.")
    made = await report_of(database, row, reader.language)
    pdf = await renderer.pdf_async(made)
    disposition = f"inline; filename*=UTF-8''{quote(report_name(made), safe='')}"
    return Response(pdf, media_type="application/pdf", headers={"Content-Disposition": disposition})


def _permit(token: str, purpose: Purpose, secret: bytes) -> Permit:
    permit = read(token, purpose, secret)
    if permit is None:
        raise NotFound("There is nothing at this address.")
    return permit


def _page(recipient: Recipient) -> Response[str]:
    page = environment(recipient.language).get_template("unsubscribe.html")
    return _html(
        page.render(
            language=recipient.language,
            address=recipient.email,
            is_done=recipient.removed_at is not None,
        )
    )


def _html(page: str, *, status: int = HTTP_200_OK) -> Response[str]:
    return Response(
        page,
        media_type=MediaType.HTML,
        status_code=status,
        headers={"Content-Security-Policy": _PAGE_POLICY},
    )
