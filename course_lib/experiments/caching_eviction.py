"""Chapter 18's eviction: the same keys through FIFO, LRU and S3-FIFO, beside what Che predicts."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Sequence
from functools import cache

from course_lib.lab import load
from course_lib.show import Series, Trace
from course_lib.systems import caching

__all__ = ["POLICIES", "WORKLOADS", "eviction", "keys_of", "load_saved", "measured_hit_ratio"]

POLICIES: dict[str, Callable[[int], caching.Eviction]] = {
    "FIFO": caching.FIFO,
    "LRU": caching.LRU,
    "S3-FIFO": caching.S3FIFO,
}
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
        policy_of_size, found = policy(size), []
        for start in range(0, REQUESTS, STEP):
            found.append(caching.hits(policy_of_size, keys[start : start + STEP]))
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


def measured_hit_ratio(policy: str, keys: Sequence[int], size: int) -> float:
    """The share of the second half of `keys` that a cache of `size` entries answers."""
    held, half = POLICIES[policy](size), len(keys) // 2
    caching.hits(held, keys[:half])
    return caching.hits(held, keys[half:]) / (len(keys) - half)


def load_saved(
    read_share: float, size: int, *, keys: int = 1000, skew: float = 1.0, seed: int = 18
) -> float:
    """The share of the database's statements that cache-aside saves, LRU of `size` of `keys` keys.

    A write is a statement with or without a cache, and it deletes the entry.

    >>> load_saved(read_share=0.95, size=250)
    """
    asked = load.zipf(keys, skew, seed).take(8_000)
    held, dice, statements = caching.LRU(size), random.Random(f"{seed} reads"), 0
    for number, key in enumerate(asked):
        spent = 1
        if dice.random() >= read_share:
            held.drop(key)
        elif held.get(key) is None:
            held.put(key, True)
        else:
            spent = 0
        statements += spent if number >= 4_000 else 0
    return 1 - statements / 4_000
