"""The API told about itself: `/openapi.json`, and `/docs`, a page that loads nothing from elsewhere."""

import re
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

import jinja2
import msgspec
from litestar import Litestar, MediaType, Request, Response, Router, get
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from markupsafe import Markup, escape

from vendorwatch.db.engine import DatabaseUnavailable
from vendorwatch.resources import REPORTS
from vendorwatch.web.exchange import KeyInAddress, SlowBody
from vendorwatch.web.framing import BadFraming
from vendorwatch.web.hosts import UnknownHost
from vendorwatch.web.limits import TooManyRequests
from vendorwatch.web.problems import INTERNAL_ERROR, MEDIA_TYPE, BadParameter, example

SECURITY = "key"
_PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
_DOCUMENT = "vendorwatch_openapi"
_EVERYWHERE = {
    400: (
        (BadFraming.slug, BadFraming.title),
        (BadParameter.slug, BadParameter.title),
        (KeyInAddress.slug, KeyInAddress.title),
        (UnknownHost.slug, UnknownHost.title),
    ),
    401: (("unauthenticated", "A valid API key is needed"),),
    408: ((SlowBody.slug, SlowBody.title),),
    429: ((TooManyRequests.slug, TooManyRequests.title),),
    500: (INTERNAL_ERROR,),
    503: ((DatabaseUnavailable.slug, DatabaseUnavailable.title),),
}
"""What any operation under /v1 may answer: slugs and titles by status."""


def openapi_config() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="vendorwatch",
        version=version("vendorwatch"),
        summary="Scores of outsourced customer support, computed from raw interaction logs.",
        components=Components(
            security_schemes={
                SECURITY: SecurityScheme(
                    type="http",
                    scheme="bearer",
                    bearer_format="vw_live_<id>_<secret>",
                    description="Made by `vendorwatch key create`; belongs to one engagement.",
                )
            }
        ),
        use_handler_docstrings=True,
        operation_id_creator=_operation_id,
        # The framework insists on addresses of its own; they must look like any other unknown one.
        openapi_router=Router(
            "/schema", route_handlers=[], include_in_schema=False, before_request=_not_found
        ),
        render_plugins=[JsonRenderPlugin()],
    )


def _operation_id(handler: HTTPRouteHandler, *_: object) -> str:
    return handler.handler_name


def _not_found(request: Request[Any, Any, Any]) -> None:
    raise NotFoundException


def document(app: Litestar) -> dict[str, Any]:
    """The OpenAPI document, with the problems that every operation shares, and with examples."""
    found: dict[str, Any] | None = app.state.get(_DOCUMENT)
    if found is None:
        found = app.openapi_schema.to_schema()
        for path, item in found["paths"].items():
            if path.startswith("/v1/"):
                for operation in item.values():
                    _add_shared_problems(operation)
        _add_examples(found)
        app.state[_DOCUMENT] = found
    return found


def _add_shared_problems(operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    for status, problems in _EVERYWHERE.items():
        if status == HTTPStatus.UNAUTHORIZED and not operation.get("security"):
            continue
        if status == HTTPStatus.REQUEST_TIMEOUT and "requestBody" not in operation:
            continue
        declared = responses.get(str(status), {"content": {}})
        # Where there are parameters, the framework declares a 400 of its own form.
        ours = declared["content"].get(MEDIA_TYPE, {"examples": {}})
        told = [declared["description"]] if MEDIA_TYPE in declared["content"] else []
        examples = {slug: {"value": example(status, slug, title)} for slug, title in problems}
        responses[str(status)] = {
            "description": " ".join(told + [f"`{slug}`: {title}." for slug, title in problems]),
            "content": {
                MEDIA_TYPE: {
                    "schema": {"$ref": "#/components/schemas/Problem"},
                    "examples": ours["examples"] | examples,
                }
            },
        }
    operation["responses"] = dict(sorted(responses.items()))


def _add_examples(found: dict[str, Any]) -> None:
    """Of schemas, and of answers that have none: the framework takes them nowhere near a struct."""
    examples = msgspec.json.decode((REPORTS / "api" / "examples.json").read_bytes())
    for name, value in examples["schemas"].items():
        found["components"]["schemas"][name]["examples"] = [value]
    by_id = {
        each["operationId"]: each for item in found["paths"].values() for each in item.values()
    }
    for name, answer in examples["answers"].items():
        for operation in answer["operations"]:
            for status, response in by_id[operation]["responses"].items():
                if status.startswith("2"):
                    media = response["content"]["application/json"]
                    media["examples"] = {name: {"value": answer["value"]}}


@get("/openapi.json", include_in_schema=False, sync_to_thread=False)
def openapi_json(request: Request[Any, Any, Any]) -> Response[bytes]:
    return Response(
        msgspec.json.encode(document(request.app)), media_type="application/vnd.oai.openapi+json"
    )


@get("/docs", include_in_schema=False, sync_to_thread=False)
def docs(request: Request[Any, Any, Any]) -> Response[str]:
    found = document(request.app)
    operations = [
        (method.upper(), path, operation)
        for path, item in sorted(found["paths"].items())
        for method, operation in item.items()
    ]
    page = _templates().get_template("operations.html")
    return Response(
        page.render(info=found["info"], operations=operations),
        media_type=MediaType.HTML,
        headers={"Content-Security-Policy": _PAGE_POLICY},
    )


def _templates() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(REPORTS / "api"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    made.filters["code"] = _code
    return made


def _code(text: str) -> Markup:
    """What stands between backticks, as Markdown has it."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704  escaped first


HANDLERS = (openapi_json, docs)
