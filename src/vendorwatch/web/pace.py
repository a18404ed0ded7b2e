"""How slowly a body may come. Pure: whoever waits tells how long it took."""

import math


class Pace:
    """At least `floor` bytes a second, averaged over `grace` seconds; a floor of 0 asks for nothing.

    Waiting uses a credit up, of `grace` seconds at first, and bytes restore it, up to that. Only
    time that was spent waiting for the sender counts: a server that is slow itself closes nobody.
    """

    def __init__(self, *, floor: int, grace: float) -> None:
        self._floor = floor
        self._grace = grace
        self._credit = grace if floor else math.inf

    @property
    def patience(self) -> float | None:
        """For how many seconds more to wait for the next bytes; null: for ever."""
        return None if math.isinf(self._credit) else max(0.0, self._credit)

    def note(self, size: int, waited: float) -> None:
        if self._floor:
            self._credit = min(self._grace, self._credit - waited + size / self._floor)

    @property
    def is_too_slow(self) -> bool:
        return self._credit <= 0
