"""`/v1/scorecards/{id}/agents/{agent}`: one agent's page, as JSON, PDF and HTML."""

import asyncio
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIResponse, Operation, Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import FromPath, QueryParameter

from vendorwatch.db.engine import Database
from vendorwatch.errors import NotFound
from vendorwatch.scorecards import service
from vendorwatch.scorecards.model import ScorecardNotVerifiable
from vendorwatch.scorecards.render import (
    AgentReport,
    Renderer,
    RenderFailed,
    html_of_agents,
    languages,
    report_name,
)
from vendorwatch.scoring.document import Document
from vendorwatch.web.addresses import id_to_find
from vendorwatch.web.principal import InsufficientScope, Principal
from vendorwatch.web.problems import BadParameter, problem_responses

_IN_WORDS = {".pdf": "application/pdf", ".html": "text/html"}
_SUFFIXES = (*_IN_WORDS, ".json")
_PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


@dataclass
class AgentOperation(Operation):
    """The framework knows of one content type for each status."""

    def __post_init__(self) -> None:
        success = (self.responses or {})["200"]
        if isinstance(success, OpenAPIResponse):
            success.content = {
                "application/json": OpenAPIMediaType(schema=Schema(type=OpenAPIType.OBJECT)),
                **{media: OpenAPIMediaType() for media in _IN_WORDS.values()},
            }


@get(
    "/scorecards/{scorecard:str}/agents/{agent:path}",
    tags=["scorecards"],
    summary="One agent's scorecard, for coaching",
    description="As JSON by the agent's id; as a document by the id and `.pdf` or `.html`. An id that "
    "itself ends so is asked for with `.json` behind it. As the scorecard knew things, whatever has "
    "been corrected since; it names no other agent.",
    operation_class=AgentOperation,
    responses=problem_responses(
        InsufficientScope, NotFound, BadParameter, RenderFailed, ScorecardNotVerifiable
    ),
)
async def get_agent_scorecard(
    request: Request[Any, Any, Any],
    scorecard: FromPath[str],
    agent: FromPath[str],
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    renderer: NamedDependency[Renderer],
    language: Annotated[
        str | None,
        QueryParameter(description=f"Of PDF and HTML: {', '.join(languages())}. Default en."),
    ] = None,
) -> Response[Any]:
    principal.require("read", "score")
    asked = id_to_find(request, agent, "/agents/")
    suffix = next((each for each in _SUFFIXES if asked.endswith(each)), "")
    agent_id = asked.removesuffix(suffix)
    if language is not None and (suffix not in _IN_WORDS or language not in languages()):
        raise BadParameter(f"language is for .pdf and .html, and one of {', '.join(languages())}.")
    async with database.read(principal.scope) as connection:
        card, documents = await service.agent_documents(
            connection, principal.scope, scorecard, agent=agent_id
        )
    if suffix not in _IN_WORDS:
        return Response(_representation(scorecard, agent_id, documents[0]))
    report = AgentReport(card.document, documents, language or "en", of_one=True)
    if suffix == ".html":
        page = await asyncio.to_thread(html_of_agents, report)
        headers = {"Content-Security-Policy": _PAGE_POLICY}
        return Response(page.encode(), media_type="text/html; charset=utf-8", headers=headers)
    pdf = await renderer.pdf_async(report)
    disposition = f"attachment; filename*=UTF-8''{quote(report_name(report), safe='')}"
    return Response(pdf, media_type=_IN_WORDS[suffix], headers={"Content-Disposition": disposition})


def _representation(scorecard: str, agent_id: str, document: Document) -> Document:
    """With what belongs to the store beside it."""
    home = f"/v1/scorecards/{scorecard}/agents/{quote(agent_id, safe='')}"
    links = {"self": f"{home}.json", "pdf": f"{home}.pdf", "html": f"{home}.html"}
    return {"scorecard_id": scorecard, "links": links, **document}


HANDLERS = (get_agent_scorecard,)
