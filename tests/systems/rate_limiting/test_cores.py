"""Laws of all five pure cores."""

import math
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from course_lib.systems.rate_limiting import (
    GCRA,
    Algorithm,
    SlidingCounter,
    SlidingLog,
    TokenBucket,
)
from tests.systems.rate_limiting.cases import (
    BUCKETS,
    EPOCH,
    ORDINARY,
    TICK,
    algorithms,
    buckets,
    replay,
    traces,
)

ordinary = pytest.mark.parametrize("algorithm", ORDINARY, ids=lambda a: a.name)


@given(traces())
def test_retry_after_is_exact(case: Any) -> None:
    """A refused request is refused 1 microsecond before retry_after, and admitted at it."""
    algorithm, trace = case
    state = algorithm.initial
    for now, cost in trace:
        state, decision = algorithm.decide(state, now, cost)
        assert (decision.retry_after == 0.0) == decision.allowed
        assert (decision.retry_after == math.inf) == (cost > algorithm.limit)
        if 0 < decision.retry_after < math.inf:
            wait = round(decision.retry_after * 1_000_000)
            assert not algorithm.decide(state, now + wait - 1, cost)[1].allowed
            assert algorithm.decide(state, now + wait, cost)[1].allowed


@given(traces())
def test_remaining_is_exact(case: Any) -> None:
    """What remains can be spent at once, and one unit more cannot."""
    algorithm, trace = case
    state = algorithm.initial
    for now, cost in trace:
        state, decision = algorithm.decide(state, now, cost)
        left = decision.remaining
        assert decision.limit == algorithm.limit >= left >= 0
        assert left == 0 or algorithm.decide(state, now, left)[1].allowed
        assert not algorithm.decide(state, now, left + 1)[1].allowed


@given(traces())
def test_reset_after_is_exact(case: Any) -> None:
    """After reset_after the whole limit is there again, and 1 microsecond earlier it is not."""
    algorithm, trace = case
    state, decisions = replay(algorithm, trace)
    if not trace:
        return
    reset = round(decisions[-1].reset_after * 1_000_000)
    now = trace[-1][0]
    assert algorithm.decide(state, now + reset, algorithm.limit)[1].allowed
    assert reset == 0 or not algorithm.decide(state, now + reset - 1, algorithm.limit)[1].allowed


@given(traces())
def test_refused_requests_do_not_count(case: Any) -> None:
    """Leaving the refused requests out of a trace changes no other decision."""
    algorithm, trace = case
    _, decisions = replay(algorithm, trace)
    admitted = [request for request, d in zip(trace, decisions, strict=True) if d.allowed]
    assert replay(algorithm, admitted)[1] == [d for d in decisions if d.allowed]


@given(traces())
def test_refusing_changes_nothing(case: Any) -> None:
    """A refused request leaves the state as it was, but for times that left the log's window."""
    algorithm, trace = case
    state = algorithm.initial
    for now, cost in trace:
        before = state
        state, decision = algorithm.decide(state, now, cost)
        if not decision.allowed and not isinstance(algorithm, SlidingLog):
            assert state == before


@given(traces())
def test_a_cost_is_so_many_requests(case: Any) -> None:
    """A request of cost c is admitted if and only if c requests of cost 1 in its place are."""
    algorithm, trace = case
    state = algorithm.initial
    for now, cost in trace:
        _, units = replay_from(algorithm, state, [(now, 1)] * cost)
        state, decision = algorithm.decide(state, now, cost)
        assert decision.allowed == all(unit.allowed for unit in units)


def replay_from(algorithm: Any, state: Any, trace: list[tuple[int, int]]) -> tuple[Any, list[Any]]:
    decisions = []
    for now, cost in trace:
        state, decision = algorithm.decide(state, now, cost)
        decisions.append(decision)
    return state, decisions


BOUNDARY = (SlidingCounter(4, 4 * TICK), [(EPOCH + 3, 3), (EPOCH + 4, 1)])
"""Back over the edge of a window, where its counter once granted a second helping."""


@example(BOUNDARY, 1)
@given(traces(), st.integers(1, 200_000_000))
def test_a_clock_that_steps_back_grants_nothing(case: Any, step: int) -> None:
    """At an earlier time than the last request's, no more remains than did after that request."""
    algorithm, trace = case
    state, decisions = replay(algorithm, trace)
    if trace:
        _, probe = algorithm.decide(state, trace[-1][0] - step, algorithm.limit + 1)
        assert probe.remaining <= decisions[-1].remaining


@given(traces(back=True), st.integers(0, 10**15))
def test_a_clock_that_steps_back_locks_nobody_out(case: Any, step: int) -> None:
    """However far the clock went back, a fitting request is admitted within two spans of asking."""
    algorithm, trace = case
    state, _ = replay(algorithm, trace)
    now = EPOCH - step
    state, decision = algorithm.decide(state, now, algorithm.limit)
    # In whole microseconds: a float of seconds can be a hair above the fraction that it stands for.
    wait = round(decision.retry_after * 1_000_000)
    assert wait <= 2 * algorithm.span * 1_000_000
    if not decision.allowed:
        assert algorithm.decide(state, now + wait, algorithm.limit)[1].allowed


@given(buckets(TokenBucket), st.data())
def test_token_bucket_and_gcra_decide_alike(bucket: TokenBucket, data: st.DataObject) -> None:
    """With the same rate and burst, the token bucket and GCRA give the same decisions."""
    gcra = GCRA(bucket.rate, bucket.burst)
    _, trace = data.draw(traces())
    assert replay(bucket, trace)[1] == replay(gcra, trace)[1]


@given(algorithms, algorithms, st.data())
def test_a_changed_limit_is_taken_over(old: Any, new: Any, data: st.DataObject) -> None:
    """A state that was left under another limit or window breaks nothing and locks nobody out."""
    if old.name == new.name:
        _, trace = data.draw(traces())
        state, _ = replay(old, trace)
        now = trace[-1][0] if trace else EPOCH
        state, decision = new.decide(state, now, new.limit)
        assert decision.remaining <= new.limit
        assert new.decide(state, now + 10**12, new.limit)[1].allowed


@ordinary
def test_the_first_requests(algorithm: Algorithm[Any]) -> None:
    """A new client may spend the whole limit at once, and not one more."""
    _, decisions = replay(algorithm, [(EPOCH, 1)] * 6)
    assert [d.allowed for d in decisions] == [True] * 5 + [False]
    assert [d.remaining for d in decisions] == [4, 3, 2, 1, 0, 0]


@ordinary
@pytest.mark.parametrize("cost", [0, -1, 1.5, True, "1", None, math.nan])
def test_cost_must_be_positive(algorithm: Algorithm[Any], cost: Any) -> None:
    """A cost is a whole number from 1; anything else is refused with a sentence, by the script too.

    A negative cost would hand out tokens.
    """
    with pytest.raises(ValueError, match="cost must be"):
        algorithm.decide(algorithm.initial, EPOCH, cost)
    with pytest.raises(ValueError, match="cost must be"):
        algorithm.arguments(cost)


@ordinary
@pytest.mark.parametrize("limit", [0, -1, 1.0, True, "5", None, 2**60])
def test_limits_make_sense(algorithm: Algorithm[Any], limit: Any) -> None:
    """A limit or burst is a whole number from 1 and not absurd; or a sentence says so."""
    like: Any = algorithm
    duration = like.rate if isinstance(algorithm, BUCKETS) else like.window
    with pytest.raises(ValueError, match=r"must be|centuries"):
        make(algorithm, limit, duration)


@ordinary
@pytest.mark.parametrize("number", [0, -1, math.nan, math.inf, True, "60", None, 1e-10, 1e30])
def test_windows_and_rates_make_sense(algorithm: Algorithm[Any], number: Any) -> None:
    """A window or rate is a finite number above 0 and not absurd; or a sentence says so."""
    with pytest.raises(ValueError, match=r"must be|centuries"):
        make(algorithm, 5, number)


def make(like: Any, limit: Any, duration: Any) -> Any:
    """Another algorithm of the same kind; the duration is a bucket's rate."""
    return type(like)(*([duration, limit] if isinstance(like, BUCKETS) else [limit, duration]))


@ordinary
def test_a_share_is_a_part(algorithm: Algorithm[Any]) -> None:
    """Two servers' shares add up to no more than the limit, and a share is never below one."""
    assert 2 * algorithm.share(2).limit <= algorithm.limit
    assert algorithm.share(100).limit == 1
    assert algorithm.share(100, at_least=3).limit == 3


@ordinary
def test_repr_is_what_one_types(algorithm: Algorithm[Any]) -> None:
    """An algorithm prints as the call that makes it."""
    from course_lib.systems import rate_limiting

    assert eval(repr(algorithm), vars(rate_limiting)) == algorithm
