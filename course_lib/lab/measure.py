"""Measure: percentiles, counts over time, and the worst trailing window.

Everything is computed from plain lists, exactly: nearest-rank percentiles (always a value that was
seen, never an interpolated one), and windows that are open on the left and closed on the right, (t
- W, t], as a rate limit means "in the last W seconds". Left out: streaming sketches and histograms
of unbounded data (chapter 31).
Source: nearest rank, the smallest value with at least q percent of all values at or below it.
"""

import itertools
import math
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

__all__ = [
    "Summary",
    "Worst",
    "percentile",
    "rates",
    "series",
    "summary",
    "trailing",
    "worst_window",
]

_Exact = int | Fraction
_ZERO: _Exact = 0


def percentile(values: Sequence[float], q: float) -> float:
    """The nearest-rank percentile: the least value with `q` percent of all at or below it.

    `q` runs from 0 (the smallest) to 100 (the largest). No values, or a NaN, is a ValueError.

    >>> percentile([15, 20, 35, 40, 50], 40)
    20
    """
    if not 0 <= q <= 100:
        raise ValueError(f"A percentile lies between 0 and 100: {q}.")
    _check_numbers("values", values)
    if not values:
        raise ValueError("There is no percentile of nothing: the list of values is empty.")
    # 99.9 as a float is a little less than 99.9: through its text, the rank is exact.
    rank = math.ceil(Fraction(str(q)) / 100 * len(values))
    return sorted(values)[max(rank, 1) - 1]


@dataclass(frozen=True, repr=False)
class Summary:
    """What a list of measurements comes to; the unit is that of the measurements."""

    count: int
    mean: float
    least: float
    p50: float
    p95: float
    p99: float
    most: float

    def __repr__(self) -> str:
        return (
            f"{self.count} values: mean {self.mean:.6g}, p50 {self.p50:.6g}, p95 {self.p95:.6g}, "
            f"p99 {self.p99:.6g}, from {self.least:.6g} to {self.most:.6g}"
        )


def summary(values: Sequence[float]) -> Summary:
    """Count, mean, least, median, p95, p99 and most of `values`.

    >>> summary([1, 2, 3, 4])
    4 values: mean 2.5, p50 2, p95 4, p99 4, from 1 to 4
    """
    p50, p95, p99 = (percentile(values, q) for q in (50, 95, 99))
    mean = math.fsum(values) / len(values)
    return Summary(len(values), mean, min(values), p50, p95, p99, max(values))


def series(
    times: Sequence[float],
    width: float,
    *,
    start: float = 0.0,
    end: float | None = None,
    weights: Sequence[float] | None = None,
) -> list[tuple[float, float]]:
    """The count (or the weight) in each bucket [t, t + width), as (t, count).

    The buckets run from `start` up to `end`, empty ones included. Without `end`, the
    last bucket is that of the last time.

    >>> series([0.1, 0.2, 2.5], 1.0)
    [(0.0, 2), (1.0, 0), (2.0, 1)]
    """
    _check_numbers("times", times)
    _check_width(width)
    if end is None:
        number = math.floor((max(times) - start) / width) + 1 if times else 0
    else:
        number = math.ceil((end - start) / width)
    sums: Counter[int] = Counter()
    for t, weight in _weighted(times, weights):
        if end is None or t < end:
            sums[math.floor((t - start) / width)] += weight  # type: ignore[assignment]
    return [(start + bucket * width, sums[bucket]) for bucket in range(number)]


def rates(
    times: Sequence[float], width: float, *, start: float = 0.0, end: float | None = None
) -> list[tuple[float, float]]:
    """The rate per second in each bucket [t, t + width), as (t, rate); see `series`.

    >>> rates([0.1, 0.2, 2.5], 2.0)
    [(0.0, 1.0), (2.0, 0.5)]
    """
    return [(t, count / width) for t, count in series(times, width, start=start, end=end)]


def trailing(times: Sequence[float], window: float) -> list[tuple[float, int]]:
    """How many of `times` lie in (t - window, t], as steps (t, count) from each change on.

    >>> trailing([0, 1, 5], 3)
    [(0, 1), (1, 2), (3, 1), (4, 0), (5, 1), (8, 0)]
    """
    _check_numbers("times", times)
    _check_width(window)
    changes = Counter(times)
    changes.subtract(Counter(t + window for t in times))
    counts = itertools.accumulate(changes[t] for t in sorted(changes))
    return list(zip(sorted(changes), counts, strict=True))


@dataclass(frozen=True, repr=False)
class Worst:
    """The heaviest window: its count (or weight), and where it starts and ends."""

    count: float
    start: float
    end: float
    closed: bool = False

    def __repr__(self) -> str:
        left = "[" if self.closed else "("
        window = f"{left}{_short(self.start)}, {_short(self.end)}]"
        return f"at most {self.count} in any window; the first such window is {window}"


def _short(time: float) -> float:
    """Six decimals: enough for microseconds, and no trace of binary fractions."""
    return time if isinstance(time, int) else round(time, 6)


def worst_window(
    times: Sequence[float],
    window: float,
    weights: Sequence[float] | None = None,
    *,
    closed: bool = False,
) -> Worst:
    """The heaviest trailing window (t - window, t] over all t, by count or by `weights`.

    Exact: whole numbers of any size are compared as such, and floats at their binary value, without
    rounding. With `closed`, the window is [t - window, t], so that two requests exactly one window
    apart count together. Times may come in any order; a weight below 0, a NaN or a window that is
    not above 0 is a ValueError. O(n) on sorted times.

    >>> worst_window([0, 58, 59, 60, 61], 60)
    at most 4 in any window; the first such window is (1, 61]
    """
    _check_numbers("times", times)
    _check_width(window)
    inside = deque[tuple[float, _Exact]]()
    load, heaviest, end = _ZERO, _ZERO, 0.0
    for t, weight in sorted((t, _exact(w)) for t, w in _weighted(times, weights)):
        inside.append((t, weight))
        load += weight
        while _left(t, inside[0][0], window, closed):
            load -= inside.popleft()[1]
        if load > heaviest:
            heaviest, end = load, t
    return Worst(_plain(heaviest), end - window, end, closed)


def _left(now: float, then: float, window: float, closed: bool) -> bool:
    if isinstance(now, int) and isinstance(then, int) and isinstance(window, int):
        over: float = now - then - window
    else:
        # fsum rounds once, at the end, so its sign is the sign of the true difference.
        over = math.fsum((now, -then, -window))
    return over > 0 or (over == 0 and not closed)


def _exact(weight: float) -> _Exact:
    return weight if isinstance(weight, int) else Fraction(weight)


def _plain(number: _Exact) -> float:
    return number.numerator if number.denominator == 1 else float(number)


def _weighted(times: Sequence[float], weights: Sequence[float] | None) -> list[tuple[float, float]]:
    if weights is None:
        return [(t, 1) for t in times]
    if len(weights) != len(times):
        raise ValueError(f"Each time needs its weight: {len(times)} times, {len(weights)} weights.")
    _check_numbers("weights", weights)
    if any(weight < 0 for weight in weights):
        raise ValueError("A weight cannot be below 0.")
    return list(zip(times, weights, strict=True))


def _check_numbers(name: str, values: Sequence[float]) -> None:
    if not all(math.isfinite(value) for value in values):
        raise ValueError(
            f"{name} must be finite numbers: there is a NaN or an infinity among them."
        )


def _check_width(width: float) -> None:
    if not (math.isfinite(width) and width > 0):
        raise ValueError(f"A window must be longer than 0: {width}.")
