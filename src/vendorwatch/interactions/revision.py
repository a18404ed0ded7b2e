"""A stored revision of an interaction, as it is shown."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

import msgspec

from vendorwatch.periods import format_instant

Instant = Annotated[str, msgspec.Meta(description="RFC 3339, UTC.")]
Pseudonym = Annotated[
    str, msgspec.Meta(description="HMAC-SHA-256 of the reference, in hexadecimal digits.")
]


class Revision(msgspec.Struct, frozen=True, kw_only=True):
    """The record's fields, then where they came from.

    Numbers with a fraction in `extra` are shown as text, with the digits that were sent. `claims`:
    what the vendor claimed and the events contradict. `first_reply_known` and `resolution_known`
    are false where the source has no such field at all.
    """

    interaction_id: str
    source_system: str
    source_account: str
    source_updated_at: Instant | None
    source_url: str | None
    channel: str
    direction: str
    status: str
    priority: str | None
    opened_at: Instant
    first_reply_at: Instant | None
    resolved_at: Instant | None
    abandoned_at: Instant | None
    agent_id: str | None
    first_reply_agent_id: str | None
    resolved_by_agent_id: str | None
    resolved_by: str
    customer_ref: Pseudonym | None
    order_ref: Pseudonym | None
    topic: str | None
    product: str | None
    language: str | None
    agent_replies: int | None
    customer_messages: int | None
    reopens: int | None
    handovers: int | None
    handle_seconds: int | None
    csat_invited_at: Instant | None
    csat_at: Instant | None
    csat: int | None
    nps: int | None
    vendor_quality: str | None
    tags: list[str]
    events: list[dict[str, object]]
    extra: dict[str, object]
    claims: dict[str, dict[str, object]]
    first_reply_known: bool
    resolution_known: bool
    in_force: bool
    upload_id: str
    row: Annotated[int, msgspec.Meta(description="Of the upload, counted from 1.")]
    content_sha256: str


_INSTANTS = (
    "source_updated_at",
    "opened_at",
    "first_reply_at",
    "resolved_at",
    "abandoned_at",
    "csat_invited_at",
    "csat_at",
)
_DIGESTS = ("customer_ref", "order_ref", "content_sha256")


def revision(row: Mapping[str, Any]) -> Revision:
    """From a row of `interactions` with the `upload_id` that its sequence means."""
    values = {name: row[name] for name in Revision.__struct_fields__ if name in row}
    for name in _INSTANTS:
        values[name] = _instant(values[name])
    for name in _DIGESTS:
        digest = values[name]
        values[name] = digest.hex() if isinstance(digest, bytes) else None
    values["row"] = row["row_number"]
    values["tags"] = _unpacked(row["tags"]) or []
    values["extra"] = _unpacked(row["extra"]) or {}
    values["claims"] = _unpacked(row["claims"]) or {}
    values["events"] = [
        event | {"at": _instant(event["at"])} for event in _unpacked(row["events"]) or []
    ]
    return msgspec.convert(values, Revision)


def _instant(value: object) -> str | None:
    return format_instant(value) if isinstance(value, int) else None


def _unpacked(packed: str | None) -> Any:
    return None if packed is None else json.loads(packed, parse_float=Decimal)
