"""The most that a limiter admits in any trailing window: by formula, and by search.

Time is a grid: requests come at multiples of a tick. The trailing window (t - span, t] is open on
the left, so it holds n = span / tick instants, and the first and the last are n - 1 ticks apart.
For a limit L and a window of w ticks, or a burst b and a token every i ticks:

    fixed window     L * (1 + ceil((n - 1) / w))     2L from n = 2 on
    sliding log      L * ceil(n / w)                 L up to n = w
    sliding counter  L + floor(L * (n - 2) / w)      for 2 <= n <= w; L for n = 1
    token bucket     b + floor((n - 1) / i)          and GCRA

With ever finer ticks these become 2L, L, L(1 + x/W) and b + rx for a window of x seconds. The
sliding counter's: a client spends L in the last instant of a window. At e ticks into the next one
these count as L(w - e)/w, so that floor(Le/w) more are admitted; the n instants hold the last one
of the old window and e = n - 2 ticks of the new.

Leaves out: windows longer than w for the sliding counter, and clocks that run back.
Source: derived here; each formula equals the exhaustive search on small grids (see the tests).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import ceil
from typing import Any, TypeVar

from course_lib.systems.rate_limiting.decision import (
    SECOND,
    Algorithm,
    Seconds,
    microseconds,
    whole,
)
from course_lib.systems.rate_limiting.fixed_window import FixedWindow
from course_lib.systems.rate_limiting.gcra import GCRA
from course_lib.systems.rate_limiting.sliding_counter import SlidingCounter
from course_lib.systems.rate_limiting.sliding_log import SlidingLog
from course_lib.systems.rate_limiting.token_bucket import TokenBucket

__all__ = ["Worst", "bound", "search"]

MICROSECOND = Fraction(1, SECOND)
State = TypeVar("State")
Arrivals = tuple[tuple[int, int], ...]
Chooser = Callable[[Any, int], list[tuple[int, Any]]]
Planner = Callable[[Any, int, int], tuple[int, Arrivals]]


def bound(algorithm: Algorithm[Any], span: Seconds, tick: Seconds = MICROSECOND) -> int:
    """The most units that `algorithm` admits in any trailing window of `span` seconds: the formula.

    >>> bound(FixedWindow(limit=100, window=60), span=60)
    200
    >>> bound(SlidingCounter(limit=100, window=60), span=30), bound(SlidingLog(100, 60), span=60)
    (149, 100)
    """
    step = microseconds("tick", tick)
    n = _instants(span, step)
    match algorithm:
        case FixedWindow(limit=limit):
            return limit * (1 + -(-(n - 1) // _instants(algorithm.window, step)))
        case SlidingLog(limit=limit):
            return limit * -(-n // _instants(algorithm.window, step))
        case SlidingCounter(limit=limit):
            w = _instants(algorithm.window, step)
            if n > w:
                raise ValueError(f"span must be at most the window, {algorithm.window} s")
            return limit + limit * max(0, n - 2) // w
        case TokenBucket(burst=burst) | GCRA(burst=burst):
            return burst + (n - 1) * step // algorithm.interval
    raise ValueError(f"no formula is known for {algorithm!r}")


@dataclass(frozen=True)
class Worst:
    """The worst trace: `admitted` units in (start, end], in seconds, and when each unit came.

    arrivals: (seconds, units), those before the window included.
    """

    admitted: int
    start: float
    end: float
    arrivals: tuple[tuple[float, int], ...]


def search(algorithm: Algorithm[Any], span: Seconds, tick: Seconds) -> Worst:
    """Try every arrival pattern on the grid, and give back the worst trailing window of `span`.

    Knows nothing of the algorithm but `initial` and `decide`. Takes well under a second for a limit
    of 3 and a window of 6 ticks; the sliding log, whose states are many, sets the pace.

    >>> search(FixedWindow(limit=3, window=4), span=4, tick=1)
    Worst(admitted=6, start=0.0, end=4.0, arrivals=((1.0, 3), (4.0, 3)))
    """
    step = microseconds("tick", tick)
    n = _instants(span, step)
    choices = _chooser(algorithm, step)
    most = _planner(choices)
    paths: dict[Any, Arrivals] = {algorithm.initial: ()}
    worst: tuple[int, int, Arrivals] = (0, 0, ())
    for first in range(2 * ceil(algorithm.span * SECOND / step) + 1):
        for state, path in paths.items():
            admitted, plan = most(state, first, n)
            if admitted > worst[0]:
                worst = (admitted, first, path + plan)
        paths = {
            after: path + _arrival(first, units)
            for state, path in reversed(paths.items())
            for units, after in choices(state, first)
        }
    admitted, first, arrivals = worst
    seconds = step / SECOND
    return Worst(
        admitted,
        (first - 1) * seconds,
        (first + n - 1) * seconds,
        tuple((at * seconds, units) for at, units in arrivals),
    )


def _chooser(algorithm: Algorithm[State], step: int) -> Chooser:
    @cache
    def choices(state: State, instant: int) -> list[tuple[int, State]]:
        """All that a client can get at one instant: 0 units, 1 unit, and so on until refused."""
        found = [(0, state)]
        state, decision = algorithm.decide(state, instant * step)
        while decision.allowed:
            found.append((len(found), state))
            state, decision = algorithm.decide(state, instant * step)
        return found

    return choices


def _planner(choices: Chooser) -> Planner:
    @cache
    def most(state: Any, instant: int, left: int) -> tuple[int, Arrivals]:
        """The most that can be admitted in `left` instants from here, and by which arrivals."""
        if not left:
            return 0, ()
        best: tuple[int, Arrivals] = (-1, ())
        for units, after in choices(state, instant):
            later, plan = most(after, instant + 1, left - 1)
            if units + later >= best[0]:
                best = units + later, _arrival(instant, units) + plan
        return best

    return most


def _arrival(instant: int, units: int) -> Arrivals:
    return ((instant, units),) if units else ()


def _instants(span: Seconds, step: int) -> int:
    length = microseconds("span", span)
    if length % step:
        raise ValueError(f"{length / SECOND} s is not a whole number of ticks of {step / SECOND} s")
    return whole("span in ticks", length // step)
