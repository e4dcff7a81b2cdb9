import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.lab import measure

VALUES = st.lists(st.integers(-100, 100), min_size=1, max_size=40)
TIMES = st.lists(st.integers(0, 60) | st.floats(0, 60), max_size=40)
WINDOWS = st.integers(1, 30) | st.floats(0.01, 30)


@given(VALUES, st.floats(0, 100))
def test_percentile_definition(values, q):
    """At least q percent of the values are at or below the percentile, and it is the least such."""
    found = measure.percentile(values, q)
    enough = Fraction(str(q)) / 100 * len(values)
    assert found in values
    assert sum(value <= found for value in values) >= enough
    assert not any(
        value < found and sum(other <= value for other in values) >= max(enough, 1)
        for value in values
    )


@pytest.mark.parametrize(("q", "value"), [(0, 1), (50, 500), (99, 990), (99.9, 999), (100, 1000)])
def test_percentile_of_thousand(q, value):
    """Of 1 to 1000, the q-th percentile is 10 q: no rounding moves the rank."""
    assert measure.percentile(range(1000, 0, -1), q) == value


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: measure.percentile([], 50), "no percentile of nothing"),
        (lambda: measure.percentile([1], 101), "between 0 and 100"),
        (lambda: measure.percentile([1, math.nan], 50), "finite numbers"),
        (lambda: measure.worst_window([1], 0), "longer than 0"),
        (lambda: measure.worst_window([math.inf], 1), "finite numbers"),
        (lambda: measure.worst_window([1], 1, [1, 2]), "1 times, 2 weights"),
        (lambda: measure.worst_window([1], 1, [-1]), "below 0"),
        (lambda: measure.series([1], -1), "longer than 0"),
        (lambda: measure.trailing([1], math.nan), "longer than 0"),
    ],
)
def test_refused(make, sentence):
    """What cannot be measured is refused with a sentence."""
    with pytest.raises(ValueError, match=sentence):
        make()


def test_summary():
    """A summary names count, mean, percentiles and the ends, in one line."""
    assert repr(measure.summary(range(1, 101))) == (
        "100 values: mean 50.5, p50 50, p95 95, p99 99, from 1 to 100"
    )


@given(TIMES, st.floats(0.1, 20))
def test_series_counts_all(times, width):
    """The buckets follow each other without a gap, and every time from the start on is in one."""
    buckets = measure.series(times, width)
    assert [t for t, _ in buckets] == [number * width for number in range(len(buckets))]
    assert sum(count for _, count in buckets) == len(times)


def test_series_edges():
    """A bucket has its left edge and not its right; weights are summed; the end cuts off."""
    times, weights = [0, 1, 1.5, 2, 9], [1, 2, 3, 4, 5]
    assert measure.series(times, 1, end=3) == [(0, 1), (1, 2), (2, 1)]
    assert measure.series(times, 1, end=3, weights=weights) == [(0, 1), (1, 5), (2, 4)]
    assert measure.series(times, 1, start=1, end=3) == [(1, 2), (2, 1)]
    assert measure.series([], 1) == []
    assert measure.series([], 1, end=2) == [(0, 0), (1, 0)]


def test_rates():
    """A rate is the count over the width of its bucket."""
    assert measure.rates([0, 0, 0, 5], 2, end=6) == [(0, 1.5), (2, 0), (4, 0.5)]


@given(st.lists(st.integers(0, 60), max_size=30), st.integers(1, 30))
def test_trailing_is_the_count(times, window):
    """Between its steps, `trailing` is the number of times in (t - window, t]; it ends at 0."""
    steps = dict(measure.trailing(times, window))
    current = 0
    for t in range(100):
        current = steps.get(t, current)
        assert current == sum(t - window < time <= t for time in times)
    assert current == 0


@given(TIMES, WINDOWS, st.booleans(), st.data())
def test_worst_is_the_maximum(times, window, closed, data):
    """The worst window is the heaviest of all that end at a request, tried one by one."""
    weighed = st.integers(0, 9) | st.sampled_from([0.1, 0.25, 1.5])
    weights = data.draw(st.none() | st.lists(weighed, min_size=len(times), max_size=len(times)))

    def within(time, end):
        age, width = Fraction(end) - Fraction(time), Fraction(window)
        return 0 <= age < width or (closed and age == width)

    pairs = list(zip(times, weights or [1] * len(times), strict=True))
    sums = [sum(Fraction(w) for t, w in pairs if within(t, end)) for end in times]
    worst = measure.worst_window(times, window, weights, closed=closed)
    assert worst.count == float(max(sums, default=0))
    if worst.count:
        assert worst.end == min(
            end for end, total in zip(times, sums, strict=True) if total == max(sums)
        )
        assert worst.start == worst.end - window


def test_edge_is_open():
    """Two requests exactly one window apart count together only if the window is closed."""
    assert measure.worst_window([0, 60], 60).count == 1
    assert measure.worst_window([0, 60], 60, closed=True).count == 2
    assert measure.worst_window([1, 60], 60).count == 2


def test_exact_on_large_and_small():
    """Neither microseconds of today nor sums of tenths are rounded."""
    today = 1_767_225_600_000_000 * 10**6
    assert measure.worst_window([today, today + 59, today + 60], 60).count == 2
    # 0.1 + 0.2 in floats is above 0.3, yet the float 0.3 is below three times the float 0.1.
    assert measure.worst_window([0.1, 0.3], 0.2).count == 2
    assert measure.worst_window([0, 1, 2], 5, [0.1, 0.2, 0.3]).count == 0.6


def test_worst_says_it():
    """The result says in words how many, and in which window."""
    assert repr(measure.worst_window([0, 58, 59, 60, 61], 60)) == (
        "at most 4 in any window; the first such window is (1, 61]"
    )
    assert measure.worst_window([], 60).count == 0
