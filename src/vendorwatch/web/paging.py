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
from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from vendorwatch.db.scope import Scope
from vendorwatch.errors import Kind, VendorwatchError
from vendorwatch.web.principal import Principal

P = TypeVar("P")
S = TypeVar("S")
T = TypeVar("T")
_DEFAULT_LIMIT = 50
_HIGHEST_LIMIT = 500
_TAG_BYTES = 16

Limit = Annotated[
    int, QueryParameter(ge=1, le=_HIGHEST_LIMIT, description="How many to list at most.")
]
CursorText = Annotated[
    str | None,
    QueryParameter(max_length=2_000, description="From the Link header of the page before."),
]


class BadCursor(VendorwatchError):
    """The cursor was not made by this server for this list and this engagement.

    Follow the address in the header Link of the page before, as it stands there; or start without a
    cursor.
    """

    kind = Kind.MALFORMED
    slug = "bad-cursor"
    title = "The cursor was refused"


@dataclass(frozen=True, slots=True)
class Cursors(Generic[P]):
    """The cursors of one list (`name`) of one engagement. `secret` is the server's.

    A place is what the list is ordered by, of the last item of a page: a text, a whole number, or
    several of them.
    """

    secret: bytes
    scope: Scope
    name: str
    place: type[P]

    def write(self, place: P) -> str:
        body = msgspec.json.encode(place)
        return base64.urlsafe_b64encode(self._tag(body) + body).rstrip(b"=").decode()

    def read(self, text: str | None) -> P | None:
        """None for the first page. Raises BadCursor."""
        if text is None:
            return None
        raw = _decoded(text)
        tag, body = raw[:_TAG_BYTES], raw[_TAG_BYTES:]
        refused = BadCursor(
            "Take the cursor from the Link header of the page before, as it stands there."
        )
        if not hmac.compare_digest(tag, self._tag(body)):
            raise refused
        try:
            return msgspec.json.decode(body, type=self.place)
        except msgspec.ValidationError as error:  # another release's
            raise refused from error

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
class Listing(Generic[P]):
    """One page of one list. `place` is that of the last item of the page before; None: there was
    none. `wanted` is one more than are shown: it only tells that there is a next page.
    """

    request: Request[Any, Any, Any]
    cursors: Cursors[P]
    place: P | None
    wanted: int

    @property
    def start(self: "Listing[int]") -> int:
        """How many came before, in a list that is answered by number."""
        return self.place or 0

    def answer(
        self, found: Sequence[T], *, place: Callable[[T], P], show: Callable[[T], S]
    ) -> Response[list[S]]:
        """Of up to `wanted` items."""
        items, headers = found[: self.wanted - 1], {}
        if len(found) >= self.wanted:
            query = self.request.query_params.multi_items()
            rest = [(name, value) for name, value in query if name != "cursor"]
            rest.append(("cursor", self.cursors.write(place(items[-1]))))
            # Relative, so that no header of the caller decides where the next request goes.
            target = f"{self.request.scope['path']}?{urlencode(rest)}"
            headers = {"Link": f'<{target}>; rel="next"'}
        return Response([show(item) for item in items], headers=headers)

    def answer_by_number(
        self: "Listing[int]", found: Sequence[T], *, show: Callable[[T], S]
    ) -> Response[list[S]]:
        """Of up to `wanted` items from `start` on, of a list that never changes: where each stands
        is its place.
        """
        numbered = list(enumerate(found, start=self.start + 1))
        return self.answer(numbered, place=lambda each: each[0], show=lambda each: show(each[1]))


def as_is(item: T) -> T:
    """How an item is shown that is what the answer holds."""
    return item


@dataclass(frozen=True, slots=True)
class Pages:
    """What a request says of the page that it wants."""

    request: Request[Any, Any, Any]
    secret: bytes
    scope: Scope
    limit: int
    cursor: str | None

    def of(self, name: str, place: type[P]) -> Listing[P]:
        """`name` tells the list from all others of the engagement, `place` is what it is ordered by.
        Raises BadCursor.
        """
        cursors = Cursors(self.secret, self.scope, name, place)
        return Listing(self.request, cursors, cursors.read(self.cursor), self.limit + 1)


async def provide_pages(
    request: Request[Any, Any, Any],
    principal: NamedDependency[Principal],
    secret: NamedDependency[bytes],
    limit: Limit = _DEFAULT_LIMIT,
    cursor: CursorText = None,
) -> Pages:
    """What handlers of lists get as `pages`."""
    return Pages(request, secret, principal.scope, limit, cursor)
