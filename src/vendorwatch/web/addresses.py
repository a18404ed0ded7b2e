"""Ids as they stand in addresses."""

from typing import Any
from urllib.parse import unquote

from litestar import Request

from vendorwatch.db.text import is_illegal, nfc


def id_as_sent(request: Request[Any, Any, Any], normalised: str, after: str) -> str:
    """In NFC. The framework folds slashes, which may well stand in an id.

    Bytes that are no UTF-8 become halves of surrogate pairs, which are refused wherever ids are: as
    anything else, two ids would become one.
    """
    raw = request.scope.get("raw_path") or b""
    sent = unquote(raw.decode("latin-1"), errors="surrogateescape").partition(after)[2]
    return nfc(sent or normalised.removeprefix("/"))


def id_to_find(request: Request[Any, Any, Any], normalised: str, after: str) -> str:
    """Like `id_as_sent`, but empty for what no id can be: nothing is found under it."""
    name = id_as_sent(request, normalised, after)
    return "" if is_illegal(name) else name
