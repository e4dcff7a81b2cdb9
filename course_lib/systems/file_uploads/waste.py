"""What drops cost, in closed form: bytes sent again, time, and the best size of a chunk.

Drops come at random, on average one in `mean` bytes that were sent. A chunk is all or nothing, as
with a checksum or a part of a multipart upload. Then the bytes until a chunk of c gets through are
(e^(c/m) - 1) m on average: the waiting time for c bytes without a drop. It is the old question of
how often to save a long computation, with bytes for hours.
Leaves out: several chunks at once, and whole numbers (a file is cut into c-sized pieces exactly).
Source: Young, CACM 17(9), 1974 (the square root); Daly, FGCS 22(3), 2006 (the exact optimum).
"""

from __future__ import annotations

import math

__all__ = ["best_chunk", "expected_sent", "expected_time", "young_chunk"]


def expected_sent(size: float, chunk: float, mean: float) -> float:
    """Bytes that are sent on average for a file of `size` bytes, in chunks, with such drops.

    >>> round(expected_sent(1000, chunk=1000, mean=100))
    2202547
    """
    return size / chunk * mean * math.expm1(chunk / mean)


def expected_time(
    size: float, chunk: float, mean: float, bandwidth: float, fixed: float, repair: float
) -> float:
    """Seconds on average: `fixed` for each chunk that gets through, `repair` for each drop.

    >>> round(expected_time(1000, 100, mean=1e9, bandwidth=100, fixed=0.5, repair=2.0), 3)
    15.0
    """
    drops = math.expm1(chunk / mean)
    return size / chunk * (fixed + drops * (mean / bandwidth + repair))


def best_chunk(mean: float, bandwidth: float, fixed: float, repair: float) -> float:
    """The chunk with the least expected time: m (1 + W((f/K - 1)/e)), K = m/B + repair.

    >>> round(best_chunk(mean=4e6, bandwidth=1e6, fixed=0.2, repair=0.5))
    1088087
    """
    ratio = fixed / (mean / bandwidth + repair)
    return mean * (1 + _lambert_w((ratio - 1) / math.e))


def young_chunk(mean: float, bandwidth: float, fixed: float) -> float:
    """The rule of thumb for rare drops: the root of twice the fixed cost in bytes times m.

    >>> round(young_chunk(mean=4e6, bandwidth=1e6, fixed=0.2))
    1264911
    """
    return math.sqrt(2 * fixed * bandwidth * mean)


def _lambert_w(x: float) -> float:
    """The w >= -1 with w e^w = x, by Halley's method; x must be at least -1/e."""
    w = math.log1p(x) if x > 0 else -1 + math.sqrt(max(0.0, 2 * (1 + math.e * x)))
    for _ in range(50):
        e = math.exp(w)
        error = w * e - x
        step = error / (e * (w + 1) - (w + 2) * error / (2 * w + 2)) if w > -1 else 0.0
        w -= step
        if abs(step) < 1e-14:
            break
    return w
