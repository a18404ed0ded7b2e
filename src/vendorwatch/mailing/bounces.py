"""What a report of a failed delivery says (RFC 3464), read from a mail that anybody may have sent.

Only who has had a mail of ours knows its Message-ID, 256 bits long: a report without one that we
gave is nobody's, and so is every mail that is no report, as an automatic reply.
"""

import email
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from typing import Any

from vendorwatch.scorecards.render.names import displayable

MOST_BYTES = 2**20
"""Of a report: it has the headers of our mail, and no more of it."""

_MOST_PARTS = 100
_REPLY = 200  # graphemes that are kept of the other server's words
_MESSAGE_ID = re.compile(r"<?([0-9a-f]{64}@[^\s<>@]+)>?")
_XTEXT = re.compile(r"\+([0-9A-F]{2})")
_STATUS = re.compile(r"\s*(5\.\d{1,3}\.\d{1,3})\b")
_NO_SUCH_ADDRESS = re.compile(r"5\.1\.\d+|5\.2\.1|5\.4\.4")
"""The address, the mailbox or the host is none. Whatever else is final may be our own server's
fault, as a 5.7.1: it fails one mail and says nothing about the next one."""


@dataclass(frozen=True, slots=True)
class Bounce:
    """`message_id` is what the report names, with brackets. `is_dead`: mail to that address never
    arrives.
    """

    message_id: str
    status: str
    said: str
    is_dead: bool


def read_report(content: bytes) -> Bounce | None:
    """None for what is no report of a mail that failed for good."""
    if len(content) > MOST_BYTES:
        return None
    try:
        mail = email.message_from_bytes(content)
    except (ValueError, LookupError, RecursionError):  # whoever wrote it did not mean to be read
        return None
    if mail.get_content_type() != "multipart/report":
        return None
    parts = [part for part, _ in zip(mail.walk(), range(_MOST_PARTS), strict=False)]
    failed = next((found for part in parts for found in _failures(part)), None)
    message_id = next((found for part in parts for found in _names(part)), None)
    if failed is None or message_id is None:
        return None
    status, said = failed
    return Bounce(f"<{message_id}>", status, said, bool(_NO_SUCH_ADDRESS.fullmatch(status)))


def _failures(part: Message) -> Iterator[tuple[str, str]]:
    """Status and words of each recipient whom it will not reach."""
    if part.get_content_type() != "message/delivery-status" or not part.is_multipart():
        return
    for fields in _inside(part):
        status = _STATUS.match(_text(fields, "Status"))
        if _text(fields, "Action").strip().lower() == "failed" and status:
            said = _text(fields, "Diagnostic-Code") or status[1]
            yield status[1], displayable(said, _REPLY)


def _names(part: Message) -> Iterator[str]:
    """What the report is about: the envelope's id, or the Message-ID among the headers returned."""
    kind = part.get_content_type()
    if kind == "message/delivery-status" and part.is_multipart():
        for fields in _inside(part):
            yield from _known(_XTEXT.sub(_character, _text(fields, "Original-Envelope-Id")))
    elif kind == "text/rfc822-headers":
        payload = part.get_payload(decode=True)
        if isinstance(payload, bytes):
            yield from _known(_text(email.message_from_bytes(payload), "Message-ID"))
    elif kind == "message/rfc822" and part.is_multipart():
        for returned in _inside(part):
            yield from _known(_text(returned, "Message-ID"))


def _inside(part: Message) -> list[Message]:
    payload: Any = part.get_payload()
    return [each for each in payload if isinstance(each, Message)]


def _known(text: str) -> Iterator[str]:
    found = _MESSAGE_ID.fullmatch(text.strip())
    if found:
        yield found[1]


def _character(found: re.Match[str]) -> str:
    return chr(int(found[1], 16))


def _text(fields: Message, name: str) -> str:
    return str(fields.get(name, ""))
