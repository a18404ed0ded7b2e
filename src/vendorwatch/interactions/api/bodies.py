"""Bodies that are streamed in or out, for the OpenAPI document: the framework cannot know them."""

from dataclasses import dataclass

from litestar.openapi.spec import (
    Example,
    OpenAPIMediaType,
    OpenAPIResponse,
    Operation,
    RequestBody,
    Schema,
)
from litestar.openapi.spec.enums import OpenAPIType

from vendorwatch.interactions.model import MEDIA_TYPES
from vendorwatch.web.strict import TOML

_EXAMPLE_ROW = (
    '{"interaction_id":"T-1001","channel":"email","status":"resolved",'
    '"opened_at":"2026-10-01T09:00:00+07:00","first_reply_at":"2026-10-01T09:12:30+07:00",'
    '"resolved_at":"2026-10-01T15:40:00+07:00","agent_id":"linh","topic":"returns"}\n'
)
_EXAMPLE_CSV = (
    "interaction_id,channel,status,opened_at,first_reply_at,resolved_at,agent_id,topic\r\n"
    "T-1001,email,resolved,2026-10-01T09:00:00+07:00,2026-10-01T09:12:30+07:00,"
    "2026-10-01T15:40:00+07:00,linh,returns\r\n"
)


_TEXT = Schema(type=OpenAPIType.STRING)


def _body(**examples: tuple[str, str]) -> RequestBody:
    return RequestBody(
        required=True,
        content={
            media: OpenAPIMediaType(schema=_TEXT, examples={name: Example(value=value)})
            for name, (media, value) in examples.items()
        },
    )


@dataclass
class UploadOperation(Operation):
    def __post_init__(self) -> None:
        self.request_body = _body(
            ndjson=("application/x-ndjson", _EXAMPLE_ROW),
            csv=("text/csv", _EXAMPLE_CSV),
            array=("application/json", f"[{_EXAMPLE_ROW.strip()}]"),
        )


@dataclass
class MappingOperation(Operation):
    def __post_init__(self) -> None:
        self.request_body = _body(toml=(TOML, "# see docs/reference/mapping.md\n"))


def _answers_with(operation: Operation, *media_types: str) -> None:
    success = (operation.responses or {})["200"]
    if isinstance(success, OpenAPIResponse):
        success.content = {media: OpenAPIMediaType(schema=_TEXT) for media in media_types}


@dataclass
class RejectsOperation(Operation):
    def __post_init__(self) -> None:
        _answers_with(self, "application/x-ndjson", "text/csv")


@dataclass
class SourceOperation(Operation):
    def __post_init__(self) -> None:
        _answers_with(self, *MEDIA_TYPES)
