"""The text of an API key: `vw_live_<id>_<secret><crc>`.

The id finds the key, the secret proves it, and the checksum tells a mistyped or invented key apart
without asking the database. Only the keyed hash of the secret is ever stored.
"""

import hashlib
import hmac
import re
import secrets
import zlib
from dataclasses import dataclass, field
from typing import Literal

from typing_extensions import override

Environment = Literal["live", "test"]

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ID_LENGTH = 12
_SECRET_LENGTH = 43  # 256 bits
_CHECK_LENGTH = 6
_KEY = re.compile(
    rf"(?P<body>vw_(?P<environment>live|test)_(?P<id>[0-9A-Za-z]{{{_ID_LENGTH}}})"
    rf"_(?P<secret>[0-9A-Za-z]{{{_SECRET_LENGTH}}}))(?P<check>[0-9A-Za-z]{{{_CHECK_LENGTH}}})",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class KeyText:
    key_id: str
    secret: str = field(repr=False)
    environment: Environment = "live"

    @override
    def __str__(self) -> str:
        body = f"vw_{self.environment}_{self.key_id}_{self.secret}"
        return body + _checksum(body)


def make(environment: Environment = "live") -> KeyText:
    return KeyText(_random(_ID_LENGTH), _random(_SECRET_LENGTH), environment)


def parse(text: str) -> KeyText | None:
    """None unless `text` has the form of a key and its checksum is right."""
    found = _KEY.fullmatch(text)
    if not found or found["check"] != _checksum(found["body"]):
        return None
    return KeyText(
        found["id"], found["secret"], "live" if found["environment"] == "live" else "test"
    )


def digest(key: KeyText, *, secret: bytes) -> bytes:
    """What is stored: HMAC-SHA-256 under the server's own secret."""
    return hmac.digest(secret, f"api-key:{key.key_id}:{key.secret}".encode(), hashlib.sha256)


def matches(key: KeyText, stored: bytes, *, secret: bytes) -> bool:
    """Takes as long for a wrong key as for the right one."""
    return hmac.compare_digest(digest(key, secret=secret), stored)


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _checksum(text: str) -> str:
    rest = zlib.crc32(text.encode())
    letters = ""
    for _ in range(_CHECK_LENGTH):
        rest, digit = divmod(rest, len(_ALPHABET))
        letters = _ALPHABET[digit] + letters
    return letters
