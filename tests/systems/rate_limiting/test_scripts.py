"""Each script is its core, bit for bit."""

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.systems.rate_limiting import (
    Algorithm,
    FixedWindow,
    SlidingCounter,
    SlidingLog,
    TokenBucket,
)
from tests.systems.rate_limiting.cases import EPOCH, KINDS, ORDINARY, ClockedRedis, in_words, traces


def stored(redis: ClockedRedis) -> str:
    """What Redis holds under the key, as text."""
    if redis.client.type("k") == "list":
        return " ".join(redis.client.lrange("k", 0, -1))
    return redis.client.get("k") or ""


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_core_equals_script(kind: str, data: st.DataObject) -> None:
    """On random traces, stepping back included, the script decides and stores what the core does.

    A key may be missing only when the whole limit is there again; then the core forgets it too.
    """
    algorithm, trace = data.draw(traces(back=True, most=12, among=KINDS[kind]))
    redis, state = ClockedRedis(), algorithm.initial
    for now, cost in trace:
        state, decision = algorithm.decide(state, now, cost)
        assert redis.hit(algorithm, now, cost) == decision
        with redis.at(now):
            text = stored(redis)
        if text == "":
            assert algorithm.decide(state, now, algorithm.limit)[1].allowed
            state = algorithm.initial
        else:
            assert text == in_words(state)


@settings(deadline=None, max_examples=150)
@given(traces(most=12, among=KINDS["sliding_log"]), st.data())
def test_a_log_outlives_a_change_of_limit(case: Any, data: st.DataObject) -> None:
    """A log written under other limits, higher or lower, is decided on as the core does."""
    algorithm, trace = case
    redis, state = ClockedRedis(), algorithm.initial
    for now, cost in trace:
        changed = replace(algorithm, limit=data.draw(st.integers(1, 7)))
        state, decision = changed.decide(state, now, cost)
        assert redis.hit(changed, now, cost) == decision


@settings(deadline=None, max_examples=150)
@given(traces(back=True, most=12, among=st.sampled_from(ORDINARY)))
def test_a_key_lives_as_long_as_it_means_something(case: Any) -> None:
    """After each request the key is still there in the last microsecond before the reset."""
    algorithm, trace = case
    redis = ClockedRedis()
    for now, cost in trace:
        reset = round(redis.hit(algorithm, now, cost).reset_after * 1_000_000)
        with redis.at(now + max(0, reset - 1)):
            assert reset == 0 or redis.client.exists("k")


@pytest.mark.parametrize("algorithm", ORDINARY, ids=lambda a: a.name)
def test_idle_keys_vanish(algorithm: Algorithm[Any]) -> None:
    """An idle key goes 2 milliseconds after its reset at most; a sliding log a window later."""
    redis = ClockedRedis()
    window = algorithm.period if isinstance(algorithm, SlidingLog) else 0
    for now in (EPOCH + 123_456, EPOCH + 59_000_000, EPOCH + 61_000_000):
        decision = redis.hit(algorithm, now)
    with redis.at(now + round(decision.reset_after * 1_000_000) + window + 3_000):
        assert not redis.client.exists("k")


@pytest.mark.parametrize("algorithm", ORDINARY, ids=lambda a: a.name)
def test_no_trace_of_what_never_fits(algorithm: Algorithm[Any]) -> None:
    """A request above the whole limit is refused for ever, and leaves no key behind."""
    redis = ClockedRedis()
    decision = redis.hit(algorithm, EPOCH, cost=6)
    assert (decision.allowed, decision.retry_after, decision.remaining) == (False, math.inf, 5)
    with redis.at(EPOCH):
        assert not redis.client.exists("k")


@pytest.mark.parametrize(
    "algorithm",
    [
        FixedWindow(2**53, 60),
        SlidingCounter(2**53 // 3_600_000_000, 3600),
        SlidingCounter(2**53 // 60_000_000, 60),
        TokenBucket(rate=1e-6, burst=1_000),
        TokenBucket(rate=1_000_000, burst=2**50),
    ],
    ids=repr,
)
def test_huge_numbers_stay_exact(algorithm: Any) -> None:
    """At the largest limits that are allowed, a script's doubles lose nothing."""
    redis, state = ClockedRedis(), algorithm.initial
    part = algorithm.limit // 3 or 1
    for now, cost in [
        (EPOCH + 59_999_999, part),
        (EPOCH + 60_000_001, part),
        (EPOCH + 90_000_001, part + 1),
    ] * 2:
        state, decision = algorithm.decide(state, now, cost)
        assert redis.hit(algorithm, now, cost) == decision
