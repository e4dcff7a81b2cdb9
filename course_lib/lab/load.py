"""Load: when requests arrive, as plain lists of virtual seconds.

The lists are made before the run, so that every setting under test meets the very same arrivals.
What sends them is in `drive` (replay, closed loop) and which keys they ask for is in `keys` (Zipf);
both are also offered here. Left out: sessions, and any arrival that reads the wall clock.
Sources: Poisson arrivals have exponential gaps; a varying rate is thinned from its peak (Lewis and
Shedler 1979).
"""

import itertools
import math
import random
from collections.abc import Callable

from course_lib.lab.checks import check_count, check_positive, check_rate, check_span
from course_lib.lab.drive import Call, closed, exponential, replay
from course_lib.lab.keys import Zipf, zipf

__all__ = [
    "Call",
    "Zipf",
    "boundary_attack",
    "bursts",
    "closed",
    "poisson",
    "ramp",
    "replay",
    "spike",
    "steady",
    "zipf",
]


def steady(rate: float, end: float, *, start: float = 0.0) -> list[float]:
    """Arrivals at even gaps, `rate` a second, from `start` (included) to `end` (not), in seconds.

    >>> steady(2, 2)
    [0.0, 0.5, 1.0, 1.5]
    """
    check_rate(rate)
    check_span(start, end)
    if rate == 0:
        return []
    times = (start + number / rate for number in itertools.count())
    return list(itertools.takewhile(lambda t: t < end, times))


def poisson(rate: float, end: float, seed: int | str, *, start: float = 0.0) -> list[float]:
    """Independent arrivals, on average `rate` a second; a later `end` only adds to the list.

    >>> [round(t, 3) for t in poisson(2, 2, seed=12)]
    [0.322, 0.857, 1.406, 1.483, 1.489, 1.724, 1.884]
    """
    check_rate(rate)
    check_span(start, end)
    return _gaps(rate, end, random.Random(seed), start)


def bursts(
    rate: float,
    burst: int,
    every: float,
    end: float,
    seed: int,
    *,
    spread: float = 0.0,
    start: float = 0.0,
) -> list[float]:
    """Poisson background at `rate`, and `burst` more requests every `every` seconds.

    Each burst begins on its moment and is spread evenly at random over `spread` seconds. The
    background does not change when `burst`, `every` or `spread` do.

    >>> bursts(0, 3, 10, 20, seed=1)
    [0.0, 0.0, 0.0, 10.0, 10.0, 10.0]
    """
    check_count("burst", burst)
    check_positive("every", every)
    check_span(start, end)
    if not 0 <= spread <= every:
        raise ValueError(
            f"A burst must fit between two bursts: spread is {spread}, every is {every}."
        )
    offsets = random.Random(f"{seed} bursts")
    moments = itertools.takewhile(lambda t: t < end, (start + n * every for n in itertools.count()))
    extra = [t + spread * offsets.random() for t in moments for _ in range(burst)]
    return sorted(poisson(rate, end, seed, start=start) + [t for t in extra if t < end])


def boundary_attack(
    limit: int, window: float, end: float, *, spread: float | None = None, start: float = 0.0
) -> list[float]:
    """`limit` requests just before and `limit` just after every multiple of `window`.

    Each half takes `spread` seconds (default: a thousandth of the window); the second begins on the
    edge itself.

    >>> boundary_attack(2, 10, 15, spread=1)
    [9.0, 9.5, 10.0, 10.5]
    """
    check_count("limit", limit)
    check_positive("window", window)
    check_span(start, end)
    spread = window / 1000 if spread is None else spread
    if not 0 < spread <= window / 2:
        raise ValueError(
            f"spread must be above 0 and at most half the window of {window} s: {spread}."
        )
    steps = [spread * number / limit for number in range(limit)]
    first = max(1, math.floor(start / window))
    edges = itertools.takewhile(
        lambda edge: edge - spread < end, (n * window for n in itertools.count(first))
    )
    times = [edge + side + step for edge in edges for side in (-spread, 0.0) for step in steps]
    return [t for t in times if start <= t < end]


def ramp(low: float, high: float, end: float, seed: int, *, start: float = 0.0) -> list[float]:
    """Poisson arrivals whose rate goes in a straight line from `low` at `start` to `high` at `end`.

    >>> times = ramp(0, 20, 10, seed=1)
    >>> sum(t < 5 for t in times) < sum(t >= 5 for t in times)
    True
    """
    check_rate(low)
    check_rate(high)
    check_span(start, end)

    def rate_at(t: float) -> float:
        return low + (high - low) * (t - start) / (end - start)

    return _thinned(rate_at, max(low, high), end, seed, start)


def spike(
    rate: float,
    peak: float,
    begins: float,
    lasts: float,
    end: float,
    seed: int,
    *,
    start: float = 0.0,
) -> list[float]:
    """Poisson arrivals at `rate`, and at `peak` for `lasts` seconds from `begins`.

    >>> spike(0, 50, begins=4, lasts=1, end=10, seed=1)[0] >= 4
    True
    """
    check_rate(rate)
    check_rate(peak)
    check_span(start, end)
    if lasts < 0:
        raise ValueError(f"A spike cannot last {lasts} s.")

    def rate_at(t: float) -> float:
        return peak if begins <= t < begins + lasts else rate

    return _thinned(rate_at, max(rate, peak), end, seed, start)


def _gaps(rate: float, end: float, source: random.Random, start: float) -> list[float]:
    times: list[float] = []
    t = start
    while rate and (t := t + exponential(source) / rate) < end:
        times.append(t)
    return times


def _thinned(
    rate_at: Callable[[float], float], peak: float, end: float, seed: int, start: float
) -> list[float]:
    keep = random.Random(f"{seed} thinning")
    candidates = _gaps(peak, end, random.Random(seed), start)
    return [t for t in candidates if keep.random() * peak < rate_at(t)]
