"""The HTTP edge: who is calling, and the keys that callers have."""

from vendorwatch.access.api.calling import me, note_use, provide_principal, require_key
from vendorwatch.access.api.keys import create_key, list_keys, revoke_key, rotate_key

__all__ = ["HANDLERS", "note_use", "provide_principal", "require_key"]

HANDLERS = (me, list_keys, create_key, rotate_key, revoke_key)
