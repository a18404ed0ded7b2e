"""A body on its way in: streamed to disk, bounded and verified, before anybody reads it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from litestar import Request

from vendorwatch.db.objects import Draft
from vendorwatch.errors import Kind, VendorwatchError
from vendorwatch.interactions.formats.faults import UploadTooLarge
from vendorwatch.interactions.headers import (
    BadContentLength,
    DigestCheck,
    content_length,
    only,
    refuse_undeclared,
)
from vendorwatch.interactions.model import Encoding, Limits
from vendorwatch.interactions.refusals import RequestInFlight

_RETRY_SECONDS = 5
_LONGEST_MAGIC = 4


class IncompleteUpload(VendorwatchError):
    """The connection ended before the body did, or the chunks of the body cannot be read. Nothing was
    stored.

    Send it again; the same bytes are never stored twice. Leave the writing of chunks to the HTTP
    library.
    """

    kind = Kind.MALFORMED
    slug = "incomplete-upload"
    title = "The body did not arrive whole"


async def receive_body(
    request: Request[Any, Any, Any], body: Draft, *, encoding: Encoding, limits: Limits
) -> None:
    """Returns only when the whole body is in `body` and is what its headers promise.

    Raises IncompleteUpload, UploadTooLarge, BadContentLength, UnsupportedEncoding, and the errors
    of DigestCheck. Headers are checked before a byte is read.
    """
    declared = content_length(only(request.headers, "Content-Length"))
    check = DigestCheck([only(request.headers, name) for name in ("Content-Digest", "Repr-Digest")])
    _refuse_long(declared or 0, limits)
    start = b""
    more = True
    while more:
        event: dict[str, Any] = dict(await request.receive())
        if event["type"] == "http.disconnect":
            raise IncompleteUpload(
                "The connection ended before the body did, or a chunk of the body cannot be read. "
                "Nothing was stored."
            )
        chunk: bytes = event.get("body", b"")
        more = event.get("more_body", False)
        if len(start) < _LONGEST_MAGIC:
            start += chunk[:_LONGEST_MAGIC]
            refuse_undeclared(encoding, start)
        _refuse_long(body.size + len(chunk), limits)
        body.write(chunk)
        check.update(chunk)
    if declared is not None and declared != body.size:
        raise BadContentLength(
            f"The Content-Length is {declared}, but {body.size} bytes came. Nothing was stored."
        )
    check.finish()


def _refuse_long(size: int, limits: Limits) -> None:
    if size > limits.wire_bytes:
        raise UploadTooLarge(
            f"A body may have {limits.wire_bytes} bytes. Compress it, or send it in parts."
        )


class InFlight:
    """Which keys this process is receiving an upload for.

    It only makes the answer to an impatient retry a quick 409. Two processes that get the same key
    at once are put in order by the engagement's lock, and the second finds the first's receipt.
    """

    def __init__(self) -> None:
        self._held: set[tuple[str, str]] = set()

    @contextmanager
    def hold(self, engagement_id: str, key: str | None) -> Iterator[None]:
        """Raises RequestInFlight while somebody else holds it. Without a key, nothing is held."""
        if key is None:
            yield
            return
        held = (engagement_id, key)
        if held in self._held:
            raise RequestInFlight(
                "The first request with this key has not ended yet. Ask again for its receipt.",
                retry_after_seconds=_RETRY_SECONDS,
            )
        self._held.add(held)
        try:
            yield
        finally:
            self._held.discard(held)
