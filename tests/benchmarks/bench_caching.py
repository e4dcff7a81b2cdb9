"""One million Zipf requests through each eviction policy: CPU seconds, and as a ratio to LRU.

The keys are drawn beforehand: what is timed is the cache. The target is at most SECONDS for a
million requests through LRU and S3-FIFO, on an idle core.
"""

import statistics
import sys
from collections.abc import Callable
from functools import partial

from course_lib.lab import load
from course_lib.systems import caching
from tests.benchmarks.report import Table, finish, rounds

REQUESTS, KEYS, SIZE, SKEW, ROUNDS, SECONDS = 1_000_000, 10_000, 1_000, 1.0, 3, 2.0
POLICIES = {"FIFO": caching.FIFO, "LRU": caching.LRU, "S3-FIFO": caching.S3FIFO}
BOUNDED = ("LRU", "S3-FIFO")


def replay(policy: Callable[[int], caching.Eviction], keys: list[int]) -> int:
    """Send all keys through a new cache; returns how many there were."""
    caching.hits(policy(SIZE), keys)
    return len(keys)


def table() -> Table:
    """Seconds for a million requests, and the hit ratio; a target is missed above SECONDS."""
    keys = load.zipf(KEYS, SKEW, seed=18).take(REQUESTS)
    speeds = rounds({name: partial(replay, each, keys) for name, each in POLICIES.items()}, ROUNDS)
    seconds = {name: REQUESTS / statistics.median(found) for name, found in speeds.items()}
    rows = [
        {
            "policy": name,
            "seconds for a million": f"{seconds[name]:.2f}",
            "times LRU": f"{seconds[name] / seconds['LRU']:.2f}",
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
