"""Cursor pages: `limit` and `cursor` in the query, an RFC 8288 `Link` to the next page.

A cursor holds the place after which the next page starts. It is signed for one engagement and one
list, so that it can neither be made up nor be used anywhere else.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import urlencode

import msgspec
from litestar import Request
from litestar.params import QueryParameter

from vendorwatch.db.scope import Scope
from vendorwatch.errors import Kind, VendorwatchError

T = TypeVar("T")
DEFAULT_LIMIT = 50
_HIGHEST_LIMIT = 500
_TAG_BYTES = 16

Limit = Annotated[
    int, QueryParameter(ge=1, le=_HIGHEST_LIMIT, description="How many to list at most.")
]
CursorText = Annotated[
    str | None,
    QueryParameter(max_length=2_000, description="From the Link header of the page before."),
]

Place = list[str | int | None]
"""The values that the list is ordered by, of the last item of a page."""


class BadCursor(VendorwatchError):
    """The cursor was not made by this server for this list and this engagement.

    Follow the address in the header Link of the page before, as it stands there; or start without a
    cursor.
    """

    kind = Kind.MALFORMED
    slug = "bad-cursor"
    title = "The cursor was refused"


@dataclass(frozen=True, slots=True)
class Cursors:
    """The cursors of one list (`name`) of one engagement. `secret` is the server's."""

    secret: bytes
    scope: Scope
    name: str

    def write(self, place: Place) -> str:
        body = msgspec.json.encode(place)
        return base64.urlsafe_b64encode(self._tag(body) + body).rstrip(b"=").decode()

    def read(self, text: str | None) -> Place | None:
        """None for the first page. Raises BadCursor."""
        if text is None:
            return None
        raw = _decoded(text)
        tag, body = raw[:_TAG_BYTES], raw[_TAG_BYTES:]
        if not hmac.compare_digest(tag, self._tag(body)):
            raise BadCursor(
                "Take the cursor from the Link header of the page before, as it stands there."
            )
        return msgspec.json.decode(body, type=list[str | int | None])

    def _tag(self, body: bytes) -> bytes:
        message = f"cursor:{self.name}:{self.scope.engagement_id}:".encode() + body
        return hmac.digest(self.secret, message, hashlib.sha256)[:_TAG_BYTES]


def _decoded(text: str) -> bytes:
    """Empty where it is not base64: no tag fits that."""
    try:
        return base64.b64decode(
            text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True
        )
    except ValueError:
        return b""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    items: Sequence[T]
    headers: dict[str, str]


def page(
    request: Request[Any, Any, Any],
    found: Sequence[T],
    *,
    limit: int,
    cursors: Cursors,
    place: Callable[[T], Place],
) -> Page[T]:
    """From up to `limit + 1` items: the one too many only tells that there is a next page."""
    items = found[:limit]
    if len(found) <= limit:
        return Page(items, {})
    query = [
        (name, value) for name, value in request.query_params.multi_items() if name != "cursor"
    ]
    query.append(("cursor", cursors.write(place(items[-1]))))
    # Relative, so that no header of the caller decides where the next request goes.
    target = f"{request.scope['path']}?{urlencode(query)}"
    return Page(items, {"Link": f'<{target}>; rel="next"'})
