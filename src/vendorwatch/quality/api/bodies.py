"""Bodies that are read mistake by mistake, for the OpenAPI document: it cannot see how."""

from dataclasses import dataclass
from typing import get_args

from litestar.openapi.spec import Example, OpenAPIMediaType, Operation, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType

from vendorwatch.quality.record import (
    MOST_CRITERIA,
    MOST_REVIEWS,
    NOT_APPLICABLE,
    Reviewer,
    Sampling,
)

_EXAMPLE_RUBRIC = {
    "title": "Written replies",
    "criteria": [
        {"criterion_id": "greeting", "title": "Greets by name", "weight": 1, "maximum": 1},
        {"criterion_id": "answer", "title": "Solves the question", "weight": 3, "maximum": 5},
        {
            "criterion_id": "privacy",
            "title": "Asks who it is before giving data away",
            "weight": 2.5,
            "maximum": 1,
            "critical": True,
        },
    ],
}
_EXAMPLE_REVIEWS = [
    {
        "review_id": "2026-10-0001",
        "interaction_id": "T-1001",
        "rubric_id": "written",
        "sampling": "random",
        "scores": {"greeting": 1, "answer": 4.5, "privacy": NOT_APPLICABLE},
        "comment": "Friendly, and right.",
        "reviewed_at": "2026-11-02T09:00:00+07:00",
    }
]

_text = Schema(type=OpenAPIType.STRING)
_number = Schema(
    type=[OpenAPIType.NUMBER, OpenAPIType.STRING],
    description="A decimal number, or the same as text; read exactly.",
)
_RUBRIC = Schema(
    type=OpenAPIType.OBJECT,
    required=["title", "criteria"],
    properties={
        "title": _text,
        "criteria": Schema(
            type=OpenAPIType.ARRAY,
            min_items=1,
            max_items=MOST_CRITERIA,
            items=Schema(
                type=OpenAPIType.OBJECT,
                required=["criterion_id", "title", "weight", "maximum"],
                properties={
                    "criterion_id": _text,
                    "title": _text,
                    "weight": _number,
                    "maximum": _number,
                    "critical": Schema(type=OpenAPIType.BOOLEAN, default=False),
                },
            ),
        ),
    },
)
_REVIEW = {
    "review_id": _text,
    "interaction_id": _text,
    "source_account": Schema(type=OpenAPIType.STRING, default=""),
    "rubric_id": _text,
    "rubric_version": Schema(type=OpenAPIType.INTEGER, minimum=1, description="Else the newest."),
    "reviewer": Schema(type=OpenAPIType.STRING, enum=list(get_args(Reviewer)), default="merchant"),
    "sampling": Schema(type=OpenAPIType.STRING, enum=list(get_args(Sampling))),
    "scores": Schema(
        type=OpenAPIType.OBJECT,
        additional_properties=_number,
        description=f"Every criterion of the rubric: a number up to its maximum, or "
        f"`{NOT_APPLICABLE}`.",
    ),
    "comment": _text,
    "reviewed_at": Schema(
        type=OpenAPIType.STRING,
        format=OpenAPIFormat.DATE_TIME,
        description="With an offset. Else now; or when it was, where the review is known.",
    ),
}
_REVIEWS = Schema(
    type=OpenAPIType.ARRAY,
    min_items=1,
    max_items=MOST_REVIEWS,
    items=Schema(
        type=OpenAPIType.OBJECT,
        required=["review_id", "interaction_id", "rubric_id", "sampling", "scores"],
        properties={**_REVIEW},
    ),
)


def _body(schema: Schema, example: object) -> RequestBody:
    media = OpenAPIMediaType(schema=schema, examples={"example": Example(value=example)})
    return RequestBody(required=True, content={"application/json": media})


@dataclass
class RubricOperation(Operation):
    def __post_init__(self) -> None:
        self.request_body = _body(_RUBRIC, _EXAMPLE_RUBRIC)


@dataclass
class ReviewsOperation(Operation):
    def __post_init__(self) -> None:
        self.request_body = _body(_REVIEWS, _EXAMPLE_REVIEWS)
