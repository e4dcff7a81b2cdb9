"""Known numbers, one algorithm at a time."""

from fractions import Fraction

import pytest

from course_lib.systems.rate_limiting import FixedWindow, SlidingCounter, SlidingLog, TokenBucket
from tests.systems.rate_limiting.cases import replay

SECOND = 1_000_000


def test_cloudflare_example() -> None:
    """Limit 50 a minute, 42 in the last minute, 18 in 15 s of this one: the estimate is 49.5."""
    counter = SlidingCounter(limit=50, window=60)
    state, _ = replay(counter, [(30 * SECOND, 1)] * 42 + [(75 * SECOND, 1)] * 18)
    assert state == (60 * SECOND, 18, 42)
    assert counter.estimate(state, 75 * SECOND) == Fraction(99, 2)
    assert not counter.decide(state, 75 * SECOND)[1].allowed


def test_twice_the_limit_at_the_boundary() -> None:
    """A fixed window of 100 a minute admits 200 in two microseconds."""
    trace = [(60 * SECOND - 1, 100), (60 * SECOND, 100)]
    assert all(d.allowed for d in replay(FixedWindow(100, 60), trace)[1])
    assert not all(d.allowed for d in replay(SlidingLog(100, 60), trace)[1])


def test_the_log_forgets_at_the_window() -> None:
    """The window is (t - 60 s, t]: a request counts for 60 s less a microsecond."""
    log = SlidingLog(limit=1, window=60)
    assert [
        d.allowed for d in replay(log, [(0, 1), (60 * SECOND - 1, 1), (60 * SECOND, 1)])[1]
    ] == [
        True,
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("rate", "interval"), [(10, 100_000), (3, 333_334), (100 / 60, 600_000), (1 / 3, 3_000_000)]
)
def test_the_interval_is_rounded_up(rate: float, interval: int) -> None:
    """A rate that does not divide a million is rounded down; 1/3 as a float is meant as 1/3."""
    assert TokenBucket(rate, burst=1).interval == interval
