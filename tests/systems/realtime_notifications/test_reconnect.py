"""When to come back: full jitter."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from course_lib.systems.realtime_notifications import full_jitter
from course_lib.systems.realtime_notifications.popular import back_in


@given(st.integers(0, 10**6), st.floats(0.01, 10), st.floats(0.01, 100), st.integers())
def test_bounds(attempt: int, base: float, cap: float, seed: int) -> None:
    """Never below 0, above the cap, or above the doubled base; a long outage is no error."""
    wait = full_jitter(attempt, base=base, cap=cap, random=Random(seed))
    assert 0 <= wait <= min(cap, base * 2.0 ** min(attempt, 100))


def test_spread_evenly() -> None:
    """Each tenth of the time gets its share, within four standard deviations."""
    dice = Random(28)
    waits = [full_jitter(2, base=1, cap=30, random=dice) for _ in range(10_000)]
    shares = [sum(int(wait / 0.4) == tenth for wait in waits) for tenth in range(10)]
    assert sum(shares) == 10_000
    assert all(abs(share - 1000) < 4 * 30 for share in shares)


def test_the_popular_wait_is_the_same_for_all() -> None:
    """Three seconds, whoever asks and however often."""
    assert {back_in(attempt) for attempt in range(9)} == {3.0}
