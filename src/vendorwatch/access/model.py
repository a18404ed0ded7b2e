"""What an API key may do, and how a caller is refused."""

from dataclasses import dataclass, field
from typing import Literal

import msgspec

from vendorwatch.db.scope import Scope
from vendorwatch.errors import Fault, Kind, VendorwatchError
from vendorwatch.periods import DAY, LAST_INSTANT, Micros, format_instant

SCOPES = {
    "upload": "send logs, the roster and mappings; read one's own uploads",
    "read": "read everything of the engagement",
    "score": "compute scorecards",
    "manage": "set policies and rubrics, review interactions, manage checks and keys",
}
DEFAULT_SCOPE = "upload"


class Unauthenticated(VendorwatchError):
    """There is no key, or it is unknown, revoked or expired. There is one text for every reason:
    which of them it is would help only somebody who guesses.

    Send `Authorization: Bearer vw_live_...`, once, with a key that is still good.
    """

    kind = Kind.UNAUTHENTICATED
    slug = "unauthenticated"
    title = "A valid API key is needed"

    def __init__(self) -> None:
        super().__init__(
            "Send the key as `Authorization: Bearer vw_live_...`. "
            "Keys that are unknown, expired or revoked are all answered like this."
        )


class BadKeyRequest(VendorwatchError):
    """A scope is unknown or missing, the key would expire before it is made, or the one that is to
    be replaced is no longer good.

    Correct what is named.
    """

    kind = Kind.REFUSED
    slug = "bad-key-request"
    title = "The key cannot be created"


@dataclass(frozen=True, slots=True)
class StoredKey:
    scope: Scope
    key_id: str
    secret_hash: bytes = field(repr=False)
    scopes: frozenset[str]
    created_at: Micros
    expires_at: Micros | None
    last_used_at: Micros | None
    revoked_at: Micros | None

    def state(self, now: Micros) -> Literal["live", "expired", "revoked"]:
        if self.revoked_at is not None:
            return "revoked"
        return "live" if self.expires_at is None or now < self.expires_at else "expired"


def told(key: StoredKey) -> dict[str, object]:
    """Of a new key, in the audit."""
    expires_at = None if key.expires_at is None else format_instant(key.expires_at)
    return {"key_id": key.key_id, "scopes": sorted(key.scopes), "expires_at": expires_at}


class NewKey(msgspec.Struct, frozen=True, kw_only=True):
    """`key` is shown this once and cannot be shown again."""

    key_id: str
    key: str


OVERLAP: Micros = 7 * DAY
LONGEST_OVERLAP: Micros = 30 * DAY


def lifetime_from(old: StoredKey, now: Micros) -> Micros | None:
    """When its successor expires: it lives as long as the old one was meant to."""
    if old.expires_at is None:
        return None
    return min(now + old.expires_at - old.created_at, LAST_INSTANT)


def check_rotation(old: StoredKey, overlap: Micros, now: Micros) -> None:
    """Raises BadKeyRequest."""
    if old.state(now) != "live":
        raise BadKeyRequest(f"The key is {old.state(now)}; make a new one.")
    if not 0 <= overlap <= LONGEST_OVERLAP:
        fault = Fault("out_of_range", "lies between 0 and 30 days", field="overlap_seconds")
        raise BadKeyRequest(str(fault), faults=(fault,))


def check_request(scopes: frozenset[str], expires_at: Micros | None, now: Micros) -> None:
    """Raises BadKeyRequest with every fault."""
    faults = [
        Fault("bad_value", f"{scope!r} is not one of {', '.join(SCOPES)}", field="scope")
        for scope in sorted(scopes - SCOPES.keys())
    ]
    if not scopes:
        faults.append(Fault("missing_required", "a key needs at least one scope", field="scope"))
    if expires_at is not None and expires_at <= now:
        faults.append(Fault("out_of_range", "lies in the past", field="expires_at"))
    if faults:
        raise BadKeyRequest("; ".join(map(str, faults)), faults=tuple(faults))
