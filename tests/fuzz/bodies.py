"""Hooks of schemathesis: bodies that are text go out as they are."""

from typing import Any

import schemathesis


def _as_text(ctx: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


for _media_type in ("application/x-ndjson", "application/toml", "text/csv"):
    schemathesis.serializer(_media_type)(_as_text)
