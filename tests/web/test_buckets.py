"""No more than the quota at once, and no more than it in every window after that."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendorwatch.periods import SECOND
from vendorwatch.web.buckets import Buckets


def test_a_quota_is_used_up_and_comes_back() -> None:
    buckets = Buckets(quota=3, window=60)
    assert [buckets.take("a", 0).remaining for _ in range(3)] == [2, 1, 0]
    refused = buckets.take("a", 0)
    assert (refused.allowed, refused.remaining) == (False, 0)
    assert refused.more_after == 20
    assert not buckets.take("a", 19 * SECOND).allowed
    assert buckets.take("a", 20 * SECOND).allowed
    assert buckets.take("b", 0).remaining == 2  # somebody else's is untouched


@pytest.mark.parametrize("quota", [1, 7, 600, 6_000, 99_999])
def test_retry_after_is_when_it_works_again(quota: int) -> None:
    buckets = Buckets(quota=quota, window=60)
    while (standing := buckets.take("a", 0)).allowed:
        pass
    assert buckets.take("a", standing.more_after * SECOND).allowed


def test_a_clock_that_is_set_back_keeps_nobody_out() -> None:
    buckets = Buckets(quota=2, window=60)
    for _ in range(3):
        buckets.take("a", 3_600 * SECOND)
    assert [buckets.take("a", 0).allowed for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize("quota", [1, 6_000])
def test_requests_that_overtake_each_other_are_counted_all_the_same(quota: int) -> None:
    """Threads read the clock in another order than they come here, and clocks are put right."""
    buckets = Buckets(quota=quota, window=60)
    now = 3_600 * SECOND
    for _ in range(quota):
        buckets.take("a", now)
    for late in (1, SECOND, 30 * SECOND):
        standing = buckets.take("a", now - late)
        assert (standing.allowed, standing.remaining) == (False, 0)
    assert standing.more_after == -(-60 // quota)
    assert buckets.take("a", now - 30 * SECOND + standing.more_after * SECOND).allowed


def test_memory_is_bounded() -> None:
    buckets = Buckets(quota=1, window=60, remembered=100)
    for number in range(1_000):
        buckets.take(str(number), 0)
    assert not buckets.take("999", 0).allowed
    assert buckets.take("0", 0).allowed


@given(
    quota=st.integers(1, 50),
    waits=st.lists(st.integers(0, 5 * SECOND), min_size=1, max_size=200),
)
def test_never_more_than_a_quota_and_what_grew_since(quota: int, waits: list[int]) -> None:
    buckets = Buckets(quota=quota, window=10)
    now = allowed = 0
    for wait in waits:
        now += wait
        standing = buckets.take("a", now)
        allowed += standing.allowed
        assert allowed <= quota + now * quota / (10 * SECOND) + 0.01 * len(waits)
        assert 0 <= standing.remaining < quota
        assert 1 <= standing.more_after <= 10
