"""When to try again after a lost connection: full jitter.

Clients that lost one server at one moment must not come back at one moment. Each waits a time drawn
evenly between zero and a bound that doubles with each failure.
Source: AWS Architecture Blog, Exponential Backoff and Jitter (2015).
"""

from __future__ import annotations

import random as dice

__all__ = ["full_jitter"]


def full_jitter(attempt: int, *, base: float, cap: float, random: dice.Random) -> float:
    """Seconds to wait after failure number `attempt`, counted from 0.

    Evenly between 0 and base * 2**attempt, but no more than `cap`.

    >>> full_jitter(3, base=1, cap=30, random=dice.Random(1)) <= 8
    True
    """
    # 2**attempt is a large number before it is a long wait.
    bound = min(cap, base * 2 ** min(attempt, 62))
    return random.uniform(0, bound)
