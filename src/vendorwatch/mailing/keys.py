"""What names a mail, and what may be done without a key of the API: both follow from ids alone."""

import base64
import hashlib
import hmac
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from vendorwatch.db.scope import Scope

Purpose = Literal["unsubscribe", "report"]
UniqueKey = tuple[str, str, str, str]
"""engagement_id, subject_key, recipient_id, kind: what a row of `deliveries` is unique by."""

_TAG_BYTES = 16
_ID_BYTES = 16


def message_id(rows: Iterable[UniqueKey], host: str) -> str:
    """The same rows are the same mail, whoever sends it and however often: readers' programs show
    a doubled one once.
    """
    text = "\n".join("\0".join(row) for row in sorted(rows))
    return f"<{hashlib.sha256(text.encode()).hexdigest()}@{host}>"


@dataclass(frozen=True, slots=True)
class Permit:
    """What a signed link in a mail allows: `subject` is a recipient's id, or a delivery's."""

    scope: Scope
    subject: str


def sign(permit: Permit, purpose: Purpose, secret: bytes) -> str:
    ids = (permit.scope.merchant_id, permit.scope.engagement_id, permit.subject)
    body = b"".join(uuid.UUID(each).bytes for each in ids)
    return base64.urlsafe_b64encode(_tag(body, purpose, secret) + body).rstrip(b"=").decode()


def read(token: str, purpose: Purpose, secret: bytes) -> Permit | None:
    """None unless this server signed it for this purpose."""
    try:
        raw = base64.b64decode(
            token.encode("ascii") + b"=" * (-len(token) % 4), altchars=b"-_", validate=True
        )
    except ValueError:
        return None
    tag, body = raw[:_TAG_BYTES], raw[_TAG_BYTES:]
    if len(body) != 3 * _ID_BYTES or not hmac.compare_digest(tag, _tag(body, purpose, secret)):
        return None
    merchant, engagement, subject = (
        str(uuid.UUID(bytes=body[start : start + _ID_BYTES]))
        for start in range(0, len(body), _ID_BYTES)
    )
    return Permit(Scope(merchant_id=merchant, engagement_id=engagement), subject)


def _tag(body: bytes, purpose: Purpose, secret: bytes) -> bytes:
    return hmac.digest(secret, f"mail:{purpose}:".encode() + body, hashlib.sha256)[:_TAG_BYTES]
