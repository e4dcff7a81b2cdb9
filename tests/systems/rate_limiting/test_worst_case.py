"""The formulas, the search, and random traffic agree."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings

from course_lib.lab.measure import worst_window
from course_lib.systems.rate_limiting import (
    GCRA,
    FixedWindow,
    SlidingCounter,
    SlidingLog,
    TokenBucket,
    bound,
    search,
)
from tests.systems.rate_limiting.cases import TICK, replay, traces

SMALL: list[Any] = [
    *(
        kind(limit, window)
        for kind in (FixedWindow, SlidingCounter)
        for limit in (1, 2, 3, 5)
        for window in (1, 2, 3, 5, 8)
    ),
    *(SlidingLog(limit, window) for limit in (1, 2, 3) for window in (1, 2, 5)),
    *(
        kind(Fraction(1, interval), burst)
        for kind in (TokenBucket, GCRA)
        for interval in (1, 2, 3)
        for burst in (1, 2, 4)
    ),
    *(kind(Fraction(2, 3), 3) for kind in (TokenBucket, GCRA)),
]


@pytest.mark.parametrize("algorithm", SMALL, ids=repr)
def test_the_search_finds_the_formula(algorithm: Any) -> None:
    """On small grids, the worst trace of all has as many admissions as the formula says."""
    longest = algorithm.window if isinstance(algorithm, SlidingCounter) else 6
    for span in range(1, longest + 1):
        assert search(algorithm, span, tick=1).admitted == bound(algorithm, span, tick=1)


@pytest.mark.parametrize("algorithm", SMALL[::3], ids=repr)
def test_the_worst_trace_is_real(algorithm: Any) -> None:
    """Replaying the trace that was found admits all of it, and the count in its window is right."""
    worst = search(algorithm, span=1, tick=1)
    trace = [(int(at * 1_000_000), units) for at, units in worst.arrivals]
    assert all(decision.allowed for decision in replay(algorithm, trace)[1])
    inside = [units for at, units in worst.arrivals if worst.start < at <= worst.end]
    assert sum(inside) == worst.admitted


@settings(deadline=None)
@given(traces())
def test_never_more_than_the_formula(case: Any) -> None:
    """On random traffic, no trailing window holds more than the formula for its length says."""
    algorithm, trace = case
    _, decisions = replay(algorithm, trace)
    admitted = [request for request, d in zip(trace, decisions, strict=True) if d.allowed]
    if not admitted:
        return
    times, units = [now for now, _ in admitted], [cost for _, cost in admitted]
    for span in {1, 2, int(algorithm.span * 1_000_000)}:
        if not isinstance(algorithm, SlidingCounter) or span <= algorithm.period:
            worst = worst_window(times, span, weights=units)
            assert worst.count <= bound(algorithm, span * TICK)


def test_in_human_numbers() -> None:
    """100 a minute is 200, 199, 199 or 100 in the worst minute, as one counts."""
    bucket = TokenBucket(rate=100 / 60, burst=100)
    limiters = [FixedWindow(100, 60), SlidingCounter(100, 60), bucket, SlidingLog(100, 60)]
    assert [bound(limiter, span=60) for limiter in limiters] == [200, 199, 199, 100]


def test_what_has_no_formula() -> None:
    """A span that is not on the grid, or beyond the derivation, is refused with a sentence."""
    with pytest.raises(ValueError, match="whole number of ticks"):
        bound(FixedWindow(1, 60), span=1.5, tick=1)
    with pytest.raises(ValueError, match="at most the window"):
        bound(SlidingCounter(1, 60), span=61)
    with pytest.raises(ValueError, match="no formula"):
        bound(object(), span=1)  # type: ignore[arg-type]
