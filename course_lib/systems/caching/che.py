"""How often a cache will hit, before it is built: the Che approximation for LRU, and FIFO's twin.

An LRU cache of C entries forgets a key that was not asked for during a time T, much the same for
all keys. T is where the expected number of keys asked for within T is C:
    sum(1 - exp(-p * T)) = C     and then     hit ratio = sum(p * (1 - exp(-p * T))).
A FIFO cache forgets a key T after it came in, hit or not: it holds it p T / (1 + p T) of the time.
Leaves out: popularity that moves, and keys of different sizes.
Sources: Che, Tung, Wang, Hierarchical Web Caching Systems, IEEE JSAC 20(7), 2002; Fricker,
Robert, Roberts, A versatile and accurate approximation for LRU cache performance, ITC 24, 2012;
for FIFO: Martina, Garetto, Leonardi, A unified approach to the performance analysis of caching
systems, INFOCOM 2014.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

__all__ = ["fifo_hit_ratio", "lru_hit_ratio", "zipf_weights"]


def zipf_weights(keys: int, skew: float) -> list[float]:
    """The chance of each key, most popular first: proportional to 1 / rank ** skew.

    >>> [round(p, 3) for p in zipf_weights(3, 1.0)]
    [0.545, 0.273, 0.182]
    """
    weights = [rank**-skew for rank in range(1, keys + 1)]
    total = math.fsum(weights)
    return [weight / total for weight in weights]


def lru_hit_ratio(weights: Sequence[float], size: int) -> float:
    """The share of requests that an LRU cache of `size` entries answers.

    >>> round(lru_hit_ratio(zipf_weights(1000, 1.0), 100), 4)
    0.5765
    """
    return _hit_ratio(weights, size, lambda p, t: -math.expm1(-p * t))


def fifo_hit_ratio(weights: Sequence[float], size: int) -> float:
    """The share of requests that a FIFO cache of `size` entries answers.

    >>> round(fifo_hit_ratio(zipf_weights(1000, 1.0), 100), 4)
    0.5202
    """
    return _hit_ratio(weights, size, lambda p, t: p * t / (1 + p * t))


def _hit_ratio(weights: Sequence[float], size: int, held: Callable[[float, float], float]) -> float:
    """`held(p, t)` is how likely a key of chance p is in the cache, for a characteristic time t."""
    if size >= len(weights):
        return 1.0

    def entries(t: float) -> float:
        return math.fsum(held(p, t) for p in weights)

    t = _root(entries, size)
    return math.fsum(p * held(p, t) for p in weights)


def _root(rising: Callable[[float], float], target: float) -> float:
    """Where a rising function reaches the target, by doubling and then halving."""
    low, high = 0.0, 1.0
    while rising(high) < target:
        low, high = high, 2 * high
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < target else (low, middle)
    return (low + high) / 2
