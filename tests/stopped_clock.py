"""A clock that stands still until a test moves it."""

from datetime import datetime

from vendorwatch.periods import SECOND, Micros, to_micros


class StoppedClock:
    """Shows `now` whenever it is asked."""

    def __init__(self, now: Micros) -> None:
        self.now = now

    def __call__(self) -> Micros:
        return self.now

    def advance(self, *, seconds: int) -> None:
        self.now += seconds * SECOND

    def set(self, text: str) -> None:
        """RFC 3339."""
        self.now = to_micros(datetime.fromisoformat(text))
