"""Every error as RFC 9457 problem+json, and as it stands in the OpenAPI document."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from enum import Enum
from http import HTTPStatus
from typing import Annotated, Any, get_args

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example

from vendorwatch.errors import Fault, Kind, NotFound, VendorwatchError
from vendorwatch.web.exchange import TYPES, note_refusal, request_id

MEDIA_TYPE = "application/problem+json"
MOST_FAULTS = 100
"""An answer lists no more; `detail` tells how many there are."""

STATUS: dict[Kind, int] = {
    Kind.MALFORMED: 400,
    Kind.REFUSED: 422,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 409,
    Kind.TOO_LARGE: 413,
    Kind.UNSUPPORTED: 415,
    Kind.TOO_MANY: 429,
    Kind.TOO_SLOW: 408,
    Kind.UNAVAILABLE: 503,
}
if _forgotten := set(Kind) - STATUS.keys():
    raise RuntimeError(f"no status for {_forgotten}")


class BadParameter(VendorwatchError):
    """A parameter in the path, the query or a header is unknown, doubled, missing or has the wrong
    form.

    Correct the parameters that are named. Unknown ones are refused, so that a slip of the pen is
    not taken for a default.
    """

    kind = Kind.MALFORMED
    slug = "bad-parameter"
    title = "A parameter was refused"


class BadRequest(VendorwatchError):
    """The request breaks the rules of HTTP, before anything of its meaning was looked at.

    Look at what your client sends; a proxy on the way may have changed it.
    """

    kind = Kind.MALFORMED
    slug = "bad-request"
    title = "The request cannot be understood"


class BodyTooLarge(VendorwatchError):
    """The body is larger than is taken at this address.

    Send less at once. Logs go to /v1/uploads, which has limits of its own.
    """

    kind = Kind.TOO_LARGE
    slug = "body-too-large"
    title = "The body of the request is too large"


class UnsupportedMediaType(VendorwatchError):
    """The Content-Type is not one that this address takes.

    Send JSON as application/json in UTF-8, a mapping or a policy as application/toml, a log as
    application/x-ndjson, text/csv or application/json.
    """

    kind = Kind.UNSUPPORTED
    slug = "unsupported-media-type"
    title = "The content type is not taken here"


# What the framework refuses before any code of ours runs.
_REFUSED_BY_FRAMEWORK: dict[int, VendorwatchError] = {
    400: BadRequest("The request cannot be understood."),
    404: NotFound("There is nothing at this address."),
    413: BodyTooLarge("The body is larger than is taken here."),
    415: UnsupportedMediaType("The content type is not taken here."),
}
METHOD_NOT_ALLOWED = ("method-not-allowed", "The method is not allowed here")
_NOT_A_CHOICE = "Invalid enum value "
INTERNAL_ERROR = ("internal-error", "Something broke on our side")
"""Slug and title of the two problems that no error of ours stands for."""


class ProblemFault(msgspec.Struct, frozen=True, omit_defaults=True):
    """One mistake. `row` counts data rows from 1, `line` counts lines from 1."""

    code: str
    detail: str
    field: str | None = None
    row: int | None = None
    line: int | None = None


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    type: Annotated[
        str,
        msgspec.Meta(
            description="The page that explains it; constant.", examples=[TYPES + NotFound.slug]
        ),
    ]
    title: Annotated[str, msgspec.Meta(description="Constant for the type.")]
    status: int
    detail: Annotated[str, msgspec.Meta(description="This occurrence.")]
    request_id: Annotated[str, msgspec.Meta(description="Also in the header X-Request-ID.")]
    errors: tuple[ProblemFault, ...] = ()


def problem_responses(*errors: type[VendorwatchError]) -> dict[int, ResponseSpec]:
    """For a handler's `responses`: what it may answer besides what every handler may."""
    by_status: dict[int, list[type[VendorwatchError]]] = defaultdict(list)
    for error in errors:
        by_status[STATUS[error.kind]].append(error)
    return {
        status: ResponseSpec(
            Problem,
            generate_examples=False,
            description=" ".join(f"`{error.slug}`: {error.title}." for error in found),
            media_type=MEDIA_TYPE,
            examples=[
                Example(id=error.slug, value=example(status, error.slug, error.title))
                for error in found
            ],
        )
        for status, found in sorted(by_status.items())
    }


def example(status: int, slug: str, title: str) -> dict[str, object]:
    """A problem as it would be answered, but for its own detail."""
    problem = Problem(
        type=TYPES + slug, title=title, status=status, detail=f"{title}: ...", request_id="9f2c41"
    )
    return {name: value for name, value in msgspec.to_builtins(problem).items() if value}


def answer_error(request: Request[Any, Any, Any], error: VendorwatchError) -> Response[bytes]:
    note_refusal(request.scope, error)
    headers = {}
    if error.retry_after_seconds is not None:
        headers["Retry-After"] = str(error.retry_after_seconds)
    if error.kind is Kind.UNAUTHENTICATED:
        headers["WWW-Authenticate"] = 'Bearer realm="vendorwatch"'
    return _respond(
        request,
        status=STATUS[error.kind],
        slug=error.slug,
        title=error.title,
        detail=error.detail,
        faults=error.faults,
        extra=error.extra,
        headers=headers,
    )


def answer_framework_error(
    request: Request[Any, Any, Any], error: HTTPException
) -> Response[bytes]:
    if isinstance(error, ValidationException):
        return answer_error(request, _bad_parameter(request, error))
    if error.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return answer_unexpected(request, error)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return _answer_wrong_method(request, error)
    known = _REFUSED_BY_FRAMEWORK
    return answer_error(request, known.get(error.status_code, known[400]))


def _answer_wrong_method(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    given = {name.lower(): value for name, value in (error.headers or {}).items()}
    slug, title = METHOD_NOT_ALLOWED
    return _respond(
        request,
        status=405,
        slug=slug,
        title=title,
        detail="The header Allow lists the methods of this address.",
        headers={"Allow": given["allow"]} if "allow" in given else {},
    )


def answer_unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """A mistake of ours: told in full in the log, and not at all to the caller."""
    structlog.get_logger().error(
        "unexpected_error", request_id=request_id(request.scope), exc_info=error
    )
    slug, title = INTERNAL_ERROR
    detail = "It was logged under the request id."
    return _respond(request, status=500, slug=slug, title=title, detail=detail)


EXCEPTION_HANDLERS: dict[
    int | type[Exception], Callable[[Request[Any, Any, Any], Any], Response[Any]]
] = {
    VendorwatchError: answer_error,
    HTTPException: answer_framework_error,
    Exception: answer_unexpected,
}


def _bad_parameter(request: Request[Any, Any, Any], error: ValidationException) -> BadParameter:
    found = error.extra if isinstance(error.extra, list) else []
    faults = tuple(_fault(request, item) for item in found if isinstance(item, dict))
    if faults:
        return BadParameter("; ".join(map(str, faults)), faults=faults)
    # The framework's own text repeats the address, which is the caller's.
    missing = error.detail.split(" for path ")[0]
    return BadParameter(f"A parameter is missing or has the wrong form. {missing}.")


def _fault(request: Request[Any, Any, Any], item: Mapping[str, str]) -> Fault:
    """The framework names parameters as our code does, and not the values that one may have."""
    name, detail = item.get("key"), item["message"]
    found = request.route_handler.parsed_fn_signature.parameters.get(name or "")
    if found is None:
        return Fault("bad_value", detail, field=name)
    if detail.startswith(_NOT_A_CHOICE):
        known = ", ".join(_choices(found.raw))
        detail = f"{detail.removeprefix(_NOT_A_CHOICE)} is not one of {known}"
    return Fault("bad_value", detail, field=getattr(found.kwarg_definition, "name", None) or name)


def _choices(annotation: object) -> list[str]:
    if isinstance(annotation, str):
        return [annotation]
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return [str(each.value) for each in annotation]
    return [choice for part in get_args(annotation) for choice in _choices(part)]


def _respond(
    request: Request[Any, Any, Any],
    *,
    status: int,
    slug: str,
    title: str,
    detail: str,
    faults: tuple[Fault, ...] = (),
    extra: Mapping[str, object] | None = None,
    headers: dict[str, str] | None = None,
) -> Response[bytes]:
    problem = Problem(
        type=TYPES + slug,
        title=title,
        status=status,
        detail=detail,
        request_id=request_id(request.scope),
        errors=tuple(
            ProblemFault(fault.code, fault.detail, fault.field, fault.row, fault.line)
            for fault in faults[:MOST_FAULTS]
        ),
    )
    members = {**(extra or {}), **msgspec.to_builtins(problem)}
    return Response(
        content=encode(members),
        status_code=status,
        media_type=MEDIA_TYPE,
        headers=headers,
    )


def encode(members: Mapping[str, object]) -> bytes:
    """What callers sent may be quoted in it; half a character cannot be written as UTF-8."""
    try:
        return msgspec.json.encode(members)
    except UnicodeEncodeError:
        escaped = _without_surrogates(msgspec.to_builtins(members))
        return msgspec.json.encode(escaped)


def _without_surrogates(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {key: _without_surrogates(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_surrogates(item) for item in value]
    return value
