"""Chapter 18's eviction: the same keys through FIFO, LRU and S3-FIFO, beside what Che predicts."""

from __future__ import annotations

import itertools
import random
from functools import cache

from course_lib.lab import load
from course_lib.show import Series, Trace
from course_lib.systems import caching

__all__ = ["POLICIES", "WORKLOADS", "eviction", "keys_of"]

POLICIES = {"FIFO": caching.FIFO, "LRU": caching.LRU, "S3-FIFO": caching.S3FIFO}
WORKLOADS = ("Zipf", "Zipf and a scan", "favourites change")
KEYS, REQUESTS, STEP = 500, 6_000, 250


def keys_of(workload: str, skew: float, requests: int, seed: int, size: int) -> list[int]:
    """The keys of a workload.

    "Zipf and a scan": half of the requests walk through keys that nobody asks for twice.
    "favourites change": after every `4 * size` requests, all keys are new ones, as news are.

    >>> keys_of("Zipf", 1.0, 5, seed=18, size=50)
    [1, 49, 4, 1, 15]
    """
    popular = load.zipf(KEYS, skew, seed).take(requests)
    if workload == "Zipf and a scan":
        scan, coin = itertools.count(KEYS), random.Random(f"{seed} scan")
        return [next(scan) if coin.random() < 0.5 else key for key in popular]
    if workload == "favourites change":
        return [key + KEYS * (number // (4 * size)) for number, key in enumerate(popular)]
    return popular


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
