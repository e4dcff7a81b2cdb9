"""One million Zipf requests through each eviction policy, beside functools.lru_cache (in C).

The keys are drawn beforehand: what is timed is the cache. The target is at most SECONDS for a
million requests through LRU and S3-FIFO, on an idle core.
"""

import functools
import statistics
import sys
from collections.abc import Callable

from course_lib.lab import load
from course_lib.systems import caching
from tests.benchmarks.report import Table, finish, ratio, rounds

REQUESTS, KEYS, SIZE, SKEW, ROUNDS, SECONDS = 1_000_000, 10_000, 1_000, 1.0, 3, 2.0
POLICIES = {"FIFO": caching.FIFO, "LRU": caching.LRU, "S3-FIFO": caching.S3FIFO}
BOUNDED, PEER = ("LRU", "S3-FIFO"), "functools.lru_cache"


def replay(policy: Callable[[int], caching.Eviction], keys: list[int]) -> int:
    """Send all keys through a new cache; returns how many there were."""
    caching.hits(policy(SIZE), keys)
    return len(keys)


def peer(keys: list[int]) -> int:
    """Send all keys through Python's own LRU cache."""
    cached = functools.lru_cache(SIZE)(lambda key: key)
    for key in keys:
        cached(key)
    return len(keys)


def table() -> Table:
    """Seconds for a million requests, and the hit ratio; a target is missed above SECONDS."""
    keys = load.zipf(KEYS, SKEW, seed=18).take(REQUESTS)
    ours = {name: functools.partial(replay, each, keys) for name, each in POLICIES.items()}
    speeds = rounds({**ours, PEER: functools.partial(peer, keys)}, ROUNDS)
    seconds = {name: REQUESTS / statistics.median(found) for name, found in speeds.items()}
    rows = [
        {
            "policy": name,
            "seconds for a million": f"{seconds[name]:.2f}",
            PEER: f"{seconds[PEER]:.2f}",
            f"times {PEER}": f"{ratio(speeds[name], speeds[PEER]):.2f}",
            "hit ratio": f"{caching.hits(each(SIZE), keys) / REQUESTS:.4f}",
        }
        for name, each in POLICIES.items()
    ]
    missed = [
        f"{name} takes {seconds[name]:.2f} s for a million requests, not {SECONDS:g}."
        for name in BOUNDED
        if seconds[name] > SECONDS
    ]
    title = f"{REQUESTS:,} requests, {KEYS:,} keys of skew {SKEW:g}, {SIZE:,} entries; CPU time"
    return Table(f"{title}, median of {ROUNDS} interleaved rounds", rows, missed)


if __name__ == "__main__":
    sys.exit(finish(table()))
