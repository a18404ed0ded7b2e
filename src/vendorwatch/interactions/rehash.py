"""The hash of a stored revision's content, computed again from its columns."""

import hashlib
import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from vendorwatch.interactions.events import next_replies
from vendorwatch.interactions.record import Interaction, content

_PACKED = ("tags", "events", "extra", "claims")
_HASHED = ("customer_ref", "order_ref")
_LEFT_OUT = next(
    field.default for field in msgspec.structs.fields(Interaction) if field.name == "source_system"
)


def is_as_received(row: Mapping[str, Any]) -> bool:
    """Whether the columns of `interactions` still say what content_sha256 was made of.

    So do the replies that follow from its events.
    """
    # Numbers beyond the record's fields once became floats, which spell an exponent otherwise.
    return _is_as_received(row, Decimal) or _is_as_received(row, float)


def _is_as_received(row: Mapping[str, Any], read: Callable[[str], object]) -> bool:
    values = {
        name: json.loads(row[name], parse_float=read) if name in _PACKED else row[name]
        for name in Interaction.__struct_fields__
        if name not in _HASHED and row[name] is not None
    }
    try:
        sent = msgspec.convert(values, Interaction)
    except msgspec.ValidationError:
        return False
    told = [list(run) for run in next_replies(sent.events, sent.opened_at)] if sent.events else None
    if told != (None if row["next_replies"] is None else json.loads(row["next_replies"])):
        return False
    # A source that was sent is in the hash, and one that was left out is not: both are stored
    # alike.
    unsaid = msgspec.structs.replace(sent, source_system=_LEFT_OUT)
    possible = [sent, unsaid] if sent.source_system == _LEFT_OUT else [sent]
    return any(_hash(each, row) == row["content_sha256"] for each in possible)


def _hash(sent: Interaction, row: Mapping[str, Any]) -> bytes:
    made = content(sent, customer=row["customer_ref"], order=row["order_ref"])
    return hashlib.sha256(made).digest()
