"""The limiter in one process."""

from typing import Any

import pytest

from course_lib.systems.rate_limiting import Algorithm, FixedWindow, LocalLimiter, TokenBucket
from tests.systems.rate_limiting.cases import ORDINARY


class Clock:
    """Seconds, as the test says."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("algorithm", ORDINARY, ids=lambda a: a.name)
def test_retry_after_holds(algorithm: Algorithm[Any]) -> None:
    """Who waits for as long as told, on a clock of floats, is admitted."""
    clock = Clock()
    limiter = LocalLimiter(algorithm, clock)
    for _ in range(50):
        decision = limiter.hit("user", 2)
        clock.now += decision.retry_after
        assert decision.allowed or limiter.hit("user", 2).allowed
        clock.now += 0.1


def test_memory_is_bounded() -> None:
    """However many keys come, no more than `keys` are kept."""
    limiter = LocalLimiter(FixedWindow(1, 60), Clock(), keys=10)
    for number in range(1_000):
        assert limiter.hit(f"user {number}").allowed
        assert len(limiter) <= 10


def test_idle_keys_go() -> None:
    """Keys that mean nothing any more go when others come, twice as fast."""
    clock = Clock()
    limiter = LocalLimiter(TokenBucket(rate=1, burst=1), clock)
    for number in range(100):
        limiter.hit(f"user {number}")
    clock.now = 1.0
    for number in range(50):
        limiter.hit(f"newcomer {number}")
    assert len(limiter) == 50


def test_the_one_used_longest_ago_goes() -> None:
    """A full limiter forgets the key used longest ago; a key in use keeps its count."""
    limiter = LocalLimiter(FixedWindow(1, 60), Clock(), keys=2)
    assert limiter.hit("a").allowed
    assert limiter.hit("b").allowed
    assert not limiter.hit("a").allowed
    assert limiter.hit("c").allowed
    assert not limiter.hit("a").allowed
    assert limiter.hit("b").allowed


def test_a_useless_key_is_not_kept() -> None:
    """A request that can never be admitted leaves nothing behind."""
    limiter = LocalLimiter(FixedWindow(1, 60), Clock())
    assert not limiter.hit("a", cost=2).allowed
    assert repr(limiter) == "LocalLimiter(FixedWindow(limit=1, window=60), 0 of 10000 keys)"
