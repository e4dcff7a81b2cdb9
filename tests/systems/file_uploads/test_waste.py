"""The closed forms, against counting and against the numbers of the source."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.systems import file_uploads as fu

MEANS, RATES, COSTS = st.floats(1e5, 1e8), st.floats(1e4, 1e8), st.floats(1e-3, 5)


def counted(chunks: int, chunk: float, mean: float, draw: random.Random) -> float:
    """Bytes sent until so many chunks are through, by throwing dice for each attempt."""
    sent = 0.0
    for _ in range(chunks):
        while (until := draw.expovariate(1 / mean)) < chunk:
            sent += until
        sent += chunk
    return sent


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0, 2.0])
def test_expected_sent(share):
    """The mean over 40,000 chunks is the formula, within 3%."""
    found = counted(40_000, share, 1.0, random.Random(29)) / 40_000
    assert found == pytest.approx(fu.expected_sent(share, share, 1.0), rel=0.03)


@given(MEANS, RATES, COSTS, COSTS)
def test_best_is_best(mean, bandwidth, fixed, repair):
    """No chunk a little smaller or larger takes less time than the best one."""
    best = fu.best_chunk(mean, bandwidth, fixed, repair)

    def time(chunk):
        return fu.expected_time(1e9, chunk, mean, bandwidth, fixed, repair)

    least = time(best)
    assert all(time(best * share) >= least * (1 - 1e-9) for share in (0.5, 0.9, 0.99, 1.01, 1.1, 2))


@given(MEANS, RATES)
def test_rule_of_thumb(mean, bandwidth):
    """Where chunks are cheap beside a drop, the best size is the square root's."""
    fixed = 1e-6 * mean / bandwidth
    best = fu.best_chunk(mean, bandwidth, fixed, repair=0.0)
    assert best == pytest.approx(fu.young_chunk(mean, bandwidth, fixed), rel=1e-3)


def test_a_gigabyte_from_zero():
    """One drop in 100 MB: 2.2 TB for a gigabyte in one piece."""
    assert fu.expected_sent(1e9, 1e9, 1e8) == pytest.approx(1e8 * math.expm1(10))
