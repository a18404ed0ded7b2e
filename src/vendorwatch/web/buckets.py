"""Token buckets: how much each of many callers may still do. Pure; `now` is an argument."""

import math
from collections import OrderedDict
from dataclasses import dataclass

from vendorwatch.periods import SECOND, Micros

_MOST_REMEMBERED = 100_000


@dataclass(frozen=True, slots=True)
class Standing:
    """What is left of a quota, so many in each window. `window` and `more_after`, when there is one
    more than remains, are whole seconds, rounded up.
    """

    quota: int
    window: int
    allowed: bool
    remaining: int
    more_after: int


class Buckets:
    """One bucket a name: `quota` tokens at once, and as many again spread over `window` seconds.

    Names that were not heard of for longest are forgotten first, and a forgotten bucket is full:
    memory stays bounded whoever calls.
    """

    def __init__(self, *, quota: int, window: int, remembered: int = _MOST_REMEMBERED) -> None:
        self.quota = quota
        self.window = window
        self._remembered = remembered
        self._step = window * SECOND / quota  # microseconds until one token more is there
        # Until when the bucket is not full: one number tells all, and needs no upkeep.
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def take(self, name: str, now: Micros) -> Standing:
        """Takes a token if there is one."""
        missing = self._missing(name, now)
        allowed = self._left(missing) >= 1
        if allowed:
            missing += self._step
        self._full_at[name] = now + missing
        self._full_at.move_to_end(name)
        while len(self._full_at) > self._remembered:
            self._full_at.popitem(last=False)
        return self._standing(allowed=allowed, missing=missing)

    def _missing(self, name: str, now: Micros) -> float:
        """Microseconds until the bucket is full.

        More than of an empty one is missing only where the clock was set back. Set back a little, as
        happens all the time, it finds an empty bucket; set back by more than a window, a full one, so
        that nobody is kept out until it has caught up.
        """
        empty = self.window * SECOND
        missing = max(0.0, self._full_at.get(name, 0.0) - now)
        return min(missing, empty) if missing <= 2 * empty else 0.0

    def _left(self, missing: float) -> float:
        # A thousandth of a token is the sum of rounding, not a refusal.
        return (self.window * SECOND - missing) / self._step + 0.001

    def _standing(self, *, allowed: bool, missing: float) -> Standing:
        left = self._left(missing)
        return Standing(
            quota=self.quota,
            window=self.window,
            allowed=allowed,
            remaining=math.floor(left),
            more_after=max(1, math.ceil((math.floor(left) + 1 - left) * self._step / SECOND)),
        )
