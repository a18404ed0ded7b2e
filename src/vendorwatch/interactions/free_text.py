"""Which fields of an accepted row are flagged. Pure; nothing is changed or left out because of it."""

import re
from collections.abc import Iterator, Sequence

from vendorwatch.interactions.flags import Flag
from vendorwatch.interactions.personal_data import (
    FEWEST_DIGITS,
    holds_personal_data,
    label_holds_personal_data,
)
from vendorwatch.interactions.record import Interaction

# Unicode's Bidi_Control. One of them can show "91" where "19" is written.
_CONTROL = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# The same in UTF-8. Latin letters, Vietnamese and Thai have none of the bytes that they begin with.
_ARABIC, _PUNCTUATION = 0xD8, 0xE2
_CONTROL_BYTES = re.compile(rb"\xd8\x9c|\xe2(?:\x80[\x8e\x8f\xaa-\xae]|\x81[\xa6-\xa9])")
_ASCII = bytes(range(128))
_AT, _PLUS = b"@+"
_CODE = re.compile(rb"\+[1-9]")
_MERGED = bytes.maketrans(b"123456789", b"000000000")
_LONG_NUMBER = b"0" * FEWEST_DIGITS
_HASHED = frozenset({"customer_ref", "order_ref"})  # not stored as sent

Flags = Sequence[tuple[Flag, set[str]]]


def flags(sent: Interaction, content: bytes, extra: bytes) -> Flags:
    """Each with the names of the fields, `extra.name` for what is not the record's.

    `content` is what the row is hashed as (record.content), and `extra` its part of that name: as
    bytes, most rows are known to be harmless at a glance.
    """
    if (
        (sent.topic is None or not label_holds_personal_data(sent.topic))
        and (sent.product is None or not label_holds_personal_data(sent.product))
        and not (sent.tags and any(map(holds_personal_data, sent.tags)))
        and not sent.events
        and (not extra or not _may_be_personal(extra))
        and (content.isascii() or not _may_hold_control(content))
    ):
        return ()
    personal, turned = _personal(sent), set[str]()
    if not content.isascii() and _may_hold_control(content):
        turned = {name for name, text in _all_texts(sent) if _CONTROL.search(text)}
    found: list[tuple[Flag, set[str]]] = [("pii-in-text", personal), ("direction-controls", turned)]
    return [(flag, fields) for flag, fields in found if fields]


def _personal(sent: Interaction) -> set[str]:
    """Whoever works on it, and what links to it, is no free text."""
    return {name for name, text in _free_texts(sent) if holds_personal_data(text)}


def _free_texts(sent: Interaction) -> Iterator[tuple[str, str]]:
    """With the names of their fields."""
    yield "topic", sent.topic or ""
    yield "product", sent.product or ""
    for tag in sent.tags:
        yield "tags", tag
    for event in sent.events:
        if event.extra:
            yield from _extra("events", event.extra)
    yield from _extra("extra", sent.extra)


def _may_be_personal(packed: bytes) -> bool:
    return (
        _AT in packed
        or (_PLUS in packed and _CODE.search(packed) is not None)
        or _LONG_NUMBER in packed.translate(_MERGED, b" -")  # as a card number may be grouped
    )


def _may_hold_control(content: bytes) -> bool:
    if _PUNCTUATION not in content and _ARABIC not in content:
        return False
    # A short text is searched faster than a long one is, and no two characters become a third.
    return _CONTROL_BYTES.search(content.translate(None, _ASCII)) is not None


def _all_texts(sent: Interaction) -> Iterator[tuple[str, str]]:
    for name in Interaction.__struct_fields__:
        value = getattr(sent, name)
        if isinstance(value, str) and name not in _HASHED:
            yield name, value
    for event in sent.events:
        yield "events.agent_id", event.agent_id or ""
    yield from _free_texts(sent)
    for name, claim in sent.claims.items():
        yield from ((name, text) for text in _texts(claim))


def _extra(where: str, extra: dict[str, object]) -> Iterator[tuple[str, str]]:
    for name, value in extra.items():
        yield f"{where}.{name}", name
        yield from ((f"{where}.{name}", text) for text in _texts(value))


def _texts(value: object) -> Iterator[str]:
    """Also whole numbers: a card's may be sent as one."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, int):
        yield str(value)
