"""Who is next, when many wait for few places. Pure: no clock, no threads, no event loop."""

from collections import Counter, OrderedDict, deque
from typing import Generic, TypeVar

T = TypeVar("T")


class FairQueue(Generic[T]):
    """Round robin between groups, first come first served inside a group.

    At most `at_once` items hold a place, and at most `of_one` of the same group: however much one
    group brings, another's first item waits for no more than what holds the places already.
    Items must differ from each other.
    """

    def __init__(self, *, at_once: int, of_one: int = 1) -> None:
        self._at_once = at_once
        self._of_one = of_one
        self._lines: OrderedDict[str, deque[T]] = OrderedDict()  # in the order of their turns
        self._placed: Counter[str] = Counter()

    @property
    def waiting(self) -> int:
        return sum(map(len, self._lines.values()))

    @property
    def placed(self) -> int:
        return self._placed.total()

    def join(self, group: str, item: T) -> None:
        self._lines.setdefault(group, deque()).append(item)

    def quit(self, group: str, item: T) -> None:
        """Of an item that waits no more. Raises ValueError if it does not wait."""
        line = self._lines.get(group, deque())
        line.remove(item)
        if not line:
            del self._lines[group]

    def free(self, group: str) -> None:
        """An item of the group gave its place back."""
        if not self._placed[group]:
            raise ValueError(f"{group} holds no place")
        self._placed[group] -= 1
        if not self._placed[group]:
            del self._placed[group]
        if group in self._lines:
            self._lines.move_to_end(group)  # whoever came meanwhile has had no turn yet

    def next(self) -> list[T]:
        """Those that get a place now, in the order of their turns."""
        started: list[T] = []
        while self.placed < self._at_once and (group := self._next_group()) is not None:
            line = self._lines.pop(group)
            started.append(line.popleft())
            self._placed[group] += 1
            if line:
                self._lines[group] = line  # at the end: the others come first now
        return started

    def _next_group(self) -> str | None:
        return next((each for each in self._lines if self._placed[each] < self._of_one), None)
