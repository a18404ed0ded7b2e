"""Ids in addresses, and who may look."""

import unicodedata
from typing import Any
from urllib.parse import unquote

from litestar import Request

ANYBODY = ("read", "manage", "upload")
"""Each of these scopes is enough to look; what there is to see may depend on it."""


def id_as_sent(request: Request[Any, Any, Any], normalised: str, after: str) -> str:
    """The framework folds slashes, which may well stand in an id."""
    raw = request.scope.get("raw_path") or b""
    sent = unquote(raw.decode("latin-1")).partition(after)[2]
    return unicodedata.normalize("NFC", sent or normalised.removeprefix("/"))
