"""Keys as JSON: what is shown of one, and what is asked for."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from vendorwatch.access.model import OVERLAP, SCOPES, BadKeyRequest, StoredKey
from vendorwatch.errors import Fault
from vendorwatch.periods import SECOND, Micros, format_instant, to_shown_micros


class KeyItem(msgspec.Struct, frozen=True, kw_only=True):
    """Never its text: only a hash of that is stored."""

    key_id: str
    state: Literal["live", "expired", "revoked"]
    scopes: list[str]
    created_at: str
    last_used_at: str | None
    expires_at: str | None
    revoked_at: str | None


class KeyRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    scopes: Annotated[
        list[str],
        msgspec.Meta(description=f"Of {', '.join(SCOPES)}; only what the caller's key has."),
    ]
    expires_at: Annotated[
        str | None, msgspec.Meta(description="RFC 3339 with an offset. Default: never.")
    ] = None


class RotationRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    overlap_seconds: Annotated[
        int, msgspec.Meta(description="How long the old key stays good; at most 30 days.")
    ] = OVERLAP // SECOND


def read_instant(text: str | None) -> Micros | None:
    try:
        return None if text is None else to_shown_micros(datetime.fromisoformat(text))
    except ValueError as error:
        fault = Fault("bad_value", "write it as 2027-01-31T00:00:00Z", field="expires_at")
        raise BadKeyRequest(str(fault), faults=(fault,)) from error


def key_item(key: StoredKey, now: Micros) -> KeyItem:
    return KeyItem(
        key_id=key.key_id,
        state=key.state(now),
        scopes=sorted(key.scopes),
        created_at=format_instant(key.created_at),
        last_used_at=_shown(key.last_used_at),
        expires_at=_shown(key.expires_at),
        revoked_at=_shown(key.revoked_at),
    )


def _shown(instant: Micros | None) -> str | None:
    return None if instant is None else format_instant(instant)
