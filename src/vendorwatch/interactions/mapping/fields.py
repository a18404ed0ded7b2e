"""What a mapping needs to know of the record's fields."""

from typing import Literal

import msgspec

from vendorwatch.interactions.fields import Field, refuse, show
from vendorwatch.interactions.record import FIELDS

__all__ = ["FIELDS", "Field", "Kind", "bounds_of", "kind_of", "objection"]

Kind = Literal["instant", "text", "choice", "integer", "decimal", "tags", "events"]

_KINDS: dict[str, Kind] = {
    "instant": "instant",
    "id": "text",
    "text": "text",
    "url": "text",
    "language": "text",
    "choice": "choice",
    "integer": "integer",
    "decimal": "decimal",
    "tags": "tags",
    "events": "events",
}
_KIND_OF: dict[str, Kind] = {name: _KINDS[field.kind] for name, field in FIELDS.items()}
_PERCENTAGE = (0, 100)


def kind_of(field: Field) -> Kind:
    return _KIND_OF[field.name]


def bounds_of(field: Field) -> tuple[int, int] | None:
    """The lowest and the highest value of a number that has both."""
    if field.kind == "decimal":
        return _PERCENTAGE
    if field.kind != "integer" or field.low is None or field.high is None:
        return None
    return field.low, field.high


def objection(field: Field, text: str) -> str | None:
    """Why the field cannot hold `text`, if so. Instants, tags and events are not judged here."""
    if kind_of(field) in {"instant", "tags", "events"}:
        return None
    if field.kind == "id" and text != text.strip():
        return refuse(field, text).detail
    try:
        msgspec.convert(text, field.annotation, strict=field.kind != "integer")
    except msgspec.ValidationError:
        return f"{show(text)} is not {field.wanted}"
    return None
