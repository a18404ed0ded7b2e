"""Text that both databases keep as it is."""

import re

_ILLEGAL = re.compile("[\x00\ud800-\udfff]")


def is_illegal(text: str) -> bool:
    """PostgreSQL keeps no NUL, and half a surrogate pair has no form in UTF-8."""
    return _ILLEGAL.search(text) is not None
