"""From which share on something is flagged."""

from fractions import Fraction

MATERIAL = Fraction(1, 50)
"""A round share, the same for everybody; it was chosen, not derived."""


def is_material(some: int, of: int, share: Fraction = MATERIAL) -> bool:
    """Exact; at the share itself it is."""
    return some > 0 and some * share.denominator >= of * share.numerator
