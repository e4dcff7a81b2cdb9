"""Chapter 18's eviction: the same keys through FIFO, LRU and S3-FIFO, beside what Che predicts."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from functools import cache

from course_lib.lab import load
from course_lib.show import Series, Trace
from course_lib.systems import caching

__all__ = ["POLICIES", "WORKLOADS", "eviction", "keys_of"]

POLICIES = {"FIFO": caching.FIFO, "LRU": caching.LRU, "S3-FIFO": caching.S3FIFO}
WORKLOADS = ("Zipf", "Zipf and a scan", "a hot set and pairs")
KEYS, REQUESTS, STEP = 500, 6_000, 250


def keys_of(workload: str, skew: float, requests: int, seed: int, size: int) -> list[int]:
    """The keys of a workload; in the last two, every other request goes to popular keys.

    "Zipf and a scan": the others walk through keys that nobody asks for twice. "a hot set and
    pairs": the others ask for a new key, and for it once more a little later: when 15 % of `size`
    new keys have come in between.

    >>> keys_of("Zipf", 1.0, 5, seed=18, size=50)
    [4, 51, 27, 3, 133]
    """
    popular = load.zipf(KEYS, skew, seed)
    coin = random.Random(f"{seed} others")
    if workload == "Zipf":
        return popular.take(requests)
    if workload == "Zipf and a scan":
        scan = itertools.count(KEYS)
        return [next(scan) if coin.random() < 0.5 else popular() for _ in range(requests)]
    others = _pairs(max(1, 15 * size // 100))
    hot = max(1, size // 3)
    return [next(others) if coin.random() < 0.5 else coin.randrange(hot) for _ in range(requests)]


def _pairs(distance: int) -> Iterator[int]:
    """A new key comes, and again when `distance` newer ones have come."""
    for number in itertools.count():
        yield KEYS + number
        if number >= distance:
            yield KEYS + number - distance


@cache
def predicted(skew: float, size: int) -> dict[str, float]:
    """Che's hit ratios for the sliders' keys."""
    weights = caching.zipf_weights(KEYS, skew)
    return {
        "FIFO": caching.fifo_hit_ratio(weights, size),
        "LRU": caching.lru_hit_ratio(weights, size),
    }


def eviction(*, seed: int, workload: str, skew: float, size: int) -> Trace:
    """Hit rate of each policy, in steps of 250 requests; `size` entries of 500 keys."""
    keys = keys_of(workload, skew, REQUESTS, seed, size)
    lines, totals = {}, {}
    for name, policy in POLICIES.items():
        map_, found = policy(size), []
        for start in range(0, REQUESTS, STEP):
            found.append(caching.hits(map_, keys[start : start + STEP]))
        lines[name] = [(STEP * (n + 1), 100 * count / STEP) for n, count in enumerate(found)]
        totals[name] = sum(found[4:]) / (REQUESTS - 4 * STEP)
    said = ", ".join(f"{name} {share:.1%}" for name, share in totals.items())
    che = predicted(skew, size) if workload == "Zipf" else {}
    told = "".join(f"; Che says {name} {share:.1%}" for name, share in che.items())
    return Trace(
        end=REQUESTS,
        clock="steps",
        title=f"{workload}, {size} entries",
        summary=f"Hit rate after the first {4 * STEP:,}: {said}{told}.",
        tracks=[Series("Hit rate, by requests", lines, unit="%", shape="line")],
    )
