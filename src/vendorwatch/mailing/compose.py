"""A mail from what it says: headers, a text part, an HTML part, and the PDFs.

The same letter is the same bytes, whoever composes it and however often.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from typing import Any

from typing_extensions import override

from vendorwatch.periods import Micros, to_datetime
from vendorwatch.scorecards.render.names import displayable

_LONGEST_IN_HEADER = 60  # graphemes of a name
_OURS = {"message-id", "subject", "from", "to", "list-unsubscribe"}


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a mail has whatever it says. `unsubscribe` is an address of ours, or None."""

    message_id: str
    sender: Address
    to: str
    name: str
    language: str
    date: Micros
    unsubscribe: str | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Text:
    """What the reader sees, in each form."""

    subject: str
    plain: str
    html: str


class _Policy(EmailPolicy):
    """The library's own folding wraps a long address into an encoded word, where no mail program
    finds it, and loses spaces between encoded words. The older `Header` does neither.
    """

    @override
    def fold(self, name: str, value: Any) -> str:
        if name.lower() not in _OURS:
            folded: str = super().fold(name, value)
            return folded
        return f"{name}: {_folded(name, value)}{self.linesep}"

    @override
    def fold_binary(self, name: str, value: Any) -> bytes:
        if name.lower() not in _OURS:
            folded: bytes = super().fold_binary(name, value)
            return folded
        return self.fold(name, value).encode("ascii")


_POLICY = _Policy(linesep="\r\n")


def message(envelope: Envelope, text: Text, attachments: Sequence[Attachment]) -> bytes:
    """As it goes over the wire, in seven bits. Raises ValueError for a line end in a header."""
    made = EmailMessage(policy=_POLICY)
    made["Message-ID"] = envelope.message_id
    made["Date"] = format_datetime(to_datetime(envelope.date))
    made["From"] = envelope.sender
    made["To"] = Address(displayable(envelope.name, _LONGEST_IN_HEADER), addr_spec=envelope.to)
    made["Subject"] = displayable(text.subject, 4 * _LONGEST_IN_HEADER)
    made["Auto-Submitted"] = "auto-generated"
    if envelope.unsubscribe is not None:
        made["List-Unsubscribe"] = f"<{envelope.unsubscribe}>"
        made["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    made.set_content(text.plain, cte="quoted-printable")
    made.add_alternative(text.html, subtype="html", cte="quoted-printable")
    for each in attachments:
        made.add_attachment(each.content, maintype="application", subtype="pdf", filename=each.name)
    made["Content-Language"] = envelope.language
    _name_boundaries(made, envelope.message_id)
    return made.as_bytes()


def _name_boundaries(made: EmailMessage, seed: str) -> None:
    """The library draws them by chance."""
    for number, part in enumerate(each for each in made.walk() if each.is_multipart()):
        digest = hashlib.sha256(f"{seed}/{number}".encode()).hexdigest()
        part.set_boundary(f"=_{digest[:40]}")


def _folded(name: str, value: Any) -> str:
    if not hasattr(value, "addresses"):
        return _encoded(str(value), len(name) + 2)
    return ", ".join(_mailbox(each, len(name) + 2) for each in value.addresses)


def _mailbox(address: Address, used: int) -> str:
    if address.display_name.isascii():
        return str(address)
    return f"{_encoded(address.display_name, used)}\r\n <{address.addr_spec}>"


def _encoded(text: str, used: int) -> str:
    """Words of ASCII stay as they are: no line is longer than mail may be."""
    if text.isascii():
        return text
    return Header(text, "utf-8", maxlinelen=76, header_name="x" * (used - 2)).encode(linesep="\r\n")
