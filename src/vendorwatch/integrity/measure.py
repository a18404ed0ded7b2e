"""When something is told: where it makes out a part of the month that can move its figures."""

from fractions import Fraction

MATERIAL = Fraction(1, 50)
"""Of the contacts: less than that hardly moves a rate by what a policy's points can show."""


def is_material(some: int, of: int, share: Fraction = MATERIAL) -> bool:
    """Exact; at the share itself it is."""
    return some > 0 and some * share.denominator >= of * share.numerator
