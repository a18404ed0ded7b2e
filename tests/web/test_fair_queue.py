"""Who is next: engagement by engagement, and inside one in the order of arrival."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendorwatch.web.fair_queue import FairQueue

GROUPS = ("a", "b", "c", "d")
STEPS = st.lists(
    st.tuples(st.sampled_from(["join", "free", "quit"]), st.sampled_from(GROUPS)), max_size=120
)


def test_turns_go_round() -> None:
    queue: FairQueue[str] = FairQueue(at_once=1)
    for item in ("a1", "a2", "a3", "b1", "c1", "c2"):
        queue.join(item[0], item)
    order = []
    while started := queue.next():
        order += started
        queue.free(started[0][0])
    assert order == ["a1", "b1", "c1", "a2", "c2", "a3"]


def test_a_flood_waits_for_itself_only() -> None:
    queue: FairQueue[str] = FairQueue(at_once=2)
    for number in range(1_000):
        queue.join("a", f"a{number}")
    assert queue.next() == ["a0"]  # the second place stays free for anybody else
    queue.join("b", "b0")
    assert queue.next() == ["b0"]
    assert (queue.placed, queue.waiting) == (2, 999)


def test_what_never_was_is_a_mistake() -> None:
    queue: FairQueue[str] = FairQueue(at_once=1)
    with pytest.raises(ValueError, match="holds no place"):
        queue.free("a")
    with pytest.raises(ValueError, match="not in deque"):
        queue.quit("a", "x")


class Watched:
    """A queue with a plain model of it beside it."""

    def __init__(self, *, at_once: int, of_one: int) -> None:
        self.queue: FairQueue[int] = FairQueue(at_once=at_once, of_one=of_one)
        self.at_once, self.of_one = at_once, of_one
        self.waiting: dict[str, list[int]] = {group: [] for group in GROUPS}
        self.placed: Counter[str] = Counter()
        self.passed: Counter[str] = Counter()  # starts of others while a group could have started

    def step(self, step: str, group: str, number: int) -> None:
        if step == "join":
            self.queue.join(group, number)
            self.waiting[group].append(number)
        elif step == "quit" and self.waiting[group]:
            self.queue.quit(group, self.waiting[group].pop())
        elif step == "free" and self.placed[group]:
            self.queue.free(group)
            self.placed[group] -= 1
        for item in self.queue.next():
            self.start(item)

    def start(self, item: int) -> None:
        mine = next(each for each in GROUPS if item in self.waiting[each])
        assert self.waiting[mine].pop(0) == item  # in the order of arrival
        self.placed[mine] += 1
        self.passed[mine] = 0
        for other in self.eligible():
            self.passed[other] += other != mine
            # Giving a place back sends a group to the end, too: once for each place it can hold.
            assert self.passed[other] <= (len(GROUPS) - 1) * (2 * self.of_one - 1)

    def eligible(self) -> list[str]:
        return [each for each in GROUPS if self.waiting[each] and self.placed[each] < self.of_one]

    def check(self) -> None:
        for each in set(GROUPS) - set(self.eligible()):
            self.passed[each] = 0
        assert self.placed.total() == self.queue.placed <= self.at_once
        assert max(self.placed.values(), default=0) <= self.of_one
        assert self.queue.waiting == sum(map(len, self.waiting.values()))
        # No place is free for which somebody waits.
        assert self.queue.placed == self.at_once or not self.eligible()


@given(steps=STEPS, at_once=st.integers(1, 4), of_one=st.integers(1, 3))
def test_what_holds_after_every_step(
    steps: list[tuple[str, str]], at_once: int, of_one: int
) -> None:
    watched = Watched(at_once=at_once, of_one=of_one)
    for number, (step, group) in enumerate(steps):
        watched.step(step, group, number)
        watched.check()
