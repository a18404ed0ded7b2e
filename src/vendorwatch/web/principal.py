"""Who is calling, once the key was checked."""

from dataclasses import dataclass

from vendorwatch.db.scope import MerchantScope, Scope
from vendorwatch.errors import Kind, VendorwatchError


class InsufficientScope(VendorwatchError):
    """The key is valid, but was made without the scope that this needs.

    Use a key with one of the scopes that `detail` names: `vendorwatch key create --scope`.
    """

    kind = Kind.FORBIDDEN
    slug = "insufficient-scope"
    title = "The key may not do this"


@dataclass(frozen=True, slots=True)
class Principal:
    scope: Scope
    key_id: str
    scopes: frozenset[str]

    @property
    def reach(self) -> Scope | MerchantScope:
        """Keys that manage are the merchant's own; all others see what a vendor may see."""
        return self.scope.of_merchant() if "manage" in self.scopes else self.scope

    def require(self, *scopes: str) -> None:
        """Any one of `scopes` is enough. Raises InsufficientScope, which names them."""
        if self.scopes.isdisjoint(scopes):
            needed = " or ".join(scopes)
            raise InsufficientScope(
                f"This needs a key with the scope {needed}; "
                f"this key has {', '.join(sorted(self.scopes))}."
            )
