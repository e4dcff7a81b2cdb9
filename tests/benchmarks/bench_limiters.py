"""Decisions a second beside the packages `limits` and `pyrate-limiter`, on the same stores.

Equal atomicity: each contestant checks and counts in one step; in Redis that is one script and one
round trip. Ours also reads the server's clock, and answers what remains and how long to wait; the
others answer yes or no. Each run sends requests of one client against LIMIT a minute: the first
LIMIT are admitted, the rest refused.
"""

import asyncio
import itertools
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import fakeredis
import limits
import pyrate_limiter as pyrate
import redis.asyncio
from limits import strategies as in_memory
from limits.aio import strategies as in_redis
from limits.aio.storage import RedisStorage
from limits.storage import MemoryStorage

from course_lib.systems.rate_limiting import (
    GCRA,
    FixedWindow,
    LocalLimiter,
    RedisLimiter,
    SlidingCounter,
    SlidingLog,
    TokenBucket,
)
from tests.benchmarks.report import Table, finish, ratio, rounds

ROUNDS = 9
LIMIT = 100
HITS = {"fakeredis": 200, "memory": 2_000}
OURS: dict[str, Any] = {
    "fixed window": FixedWindow(LIMIT, 60),
    "sliding log": SlidingLog(LIMIT, 60),
    "sliding counter": SlidingCounter(LIMIT, 60),
    "token bucket": TokenBucket(LIMIT / 60, LIMIT),
    "GCRA": GCRA(LIMIT / 60, LIMIT),
}
LIMITS = {
    "fixed window": "FixedWindowRateLimiter",
    "sliding log": "MovingWindowRateLimiter",
    "sliding counter": "SlidingWindowCounterRateLimiter",
}
PYRATE: dict[str, Callable[[], Any]] = {"token bucket": pyrate.TokenBucket, "GCRA": pyrate.GCRA}
PER_MINUTE = limits.RateLimitItemPerMinute(LIMIT)
RATES = [pyrate.Rate(LIMIT, pyrate.Duration.MINUTE)]

names = (f"user:{number}" for number in itertools.count())
runner = asyncio.Runner()
POOL = redis.asyncio.ConnectionPool(
    connection_class=fakeredis.FakeAsyncRedisConnection, server=fakeredis.FakeServer()
)
CLIENT = redis.asyncio.Redis.from_pool(POOL)
Ask = Callable[[], Awaitable[object]]


async def ask(make: Callable[[str], Awaitable[Ask]], times: int) -> int:
    """Ask a new contestant for a new key, so many times."""
    hit = await make(next(names))
    for _ in range(times):
        await hit()
    return times


def call(make: Callable[[str], Callable[[], object]], times: int) -> int:
    """Call a new contestant for a new key, so many times."""
    hit = make(next(names))
    for _ in range(times):
        hit()
    return times


async def ours_in_redis(kind: str, key: str) -> Ask:
    """This course's, over Redis."""
    return partial(RedisLimiter(CLIENT, OURS[kind]).hit, key)


async def limits_in_redis(kind: str, key: str) -> Ask:
    """The package `limits`, over Redis."""
    storage = RedisStorage(
        "async+redis://nowhere:6379", implementation="redispy", connection_pool=POOL
    )
    return partial(getattr(in_redis, LIMITS[kind])(storage).hit, PER_MINUTE, key)


async def pyrate_in_redis(kind: str, key: str) -> Ask:
    """The package `pyrate-limiter`, over Redis, at its bucket: its Limiter adds a lock."""
    bucket: Any
    if kind == "sliding log":
        bucket = await pyrate.RedisBucket.init(RATES, CLIENT, key)  # type: ignore[misc]
    else:
        bucket = pyrate.StateBucket(RATES, PYRATE[kind](), pyrate.RedisStateStore(CLIENT, key))
    return lambda: bucket.put(pyrate.RateItem(key, bucket.now()))


def ours_in_memory(kind: str, key: str) -> Callable[[], object]:
    """This course's, in memory."""
    return partial(LocalLimiter(OURS[kind], time.monotonic).hit, key)


def limits_in_memory(kind: str, key: str) -> Callable[[], object]:
    """The package `limits`, in memory."""
    return partial(getattr(in_memory, LIMITS[kind])(MemoryStorage()).hit, PER_MINUTE, key)


def pyrate_in_memory(kind: str, key: str) -> Callable[[], object]:
    """The package `pyrate-limiter`, in memory, at its bucket."""
    bucket: Any = (
        pyrate.InMemoryBucket(RATES)
        if kind == "sliding log"
        else pyrate.StateBucket(RATES, PYRATE[kind]())
    )
    return lambda: bucket.put(pyrate.RateItem(key, bucket.now()))


def contestants(kind: str, store: str) -> dict[str, Callable[[], int]]:
    """Everybody who has this algorithm, on this store."""
    who = ["ours"]
    who += ["limits"] * (kind in LIMITS)
    who += ["pyrate-limiter"] * (kind in PYRATE or kind == "sliding log")
    run = in_memory_run if store == "memory" else in_redis_run
    return {name: partial(run, name, kind, HITS[store]) for name in who}


def in_redis_run(who: str, kind: str, times: int) -> int:
    """One run over Redis."""
    make = {"ours": ours_in_redis, "limits": limits_in_redis, "pyrate-limiter": pyrate_in_redis}
    return runner.run(ask(partial(make[who], kind), times))


def in_memory_run(who: str, kind: str, times: int) -> int:
    """One run in memory."""
    make = {"ours": ours_in_memory, "limits": limits_in_memory, "pyrate-limiter": pyrate_in_memory}
    return call(partial(make[who], kind), times)


def measured(kind: str, store: str) -> dict[str, Any]:
    """One row: decisions a second of each, and how many times ours is faster."""
    speeds = rounds(contestants(kind, store), ROUNDS)
    row: dict[str, Any] = {"store": store, "algorithm": kind}
    for name in ("ours", "limits", "pyrate-limiter"):
        row[name] = statistics.median(speeds[name]) if name in speeds else None
        if name != "ours":
            row[f"times {name}"] = ratio(speeds["ours"], speeds[name]) if name in speeds else None
    return row


def rows() -> list[dict[str, Any]]:
    """Decisions a second of CPU time and ratios, an algorithm and a store a row; None: has none."""
    return [measured(kind, store) for store in HITS for kind in OURS]


def table(found: list[dict[str, Any]]) -> Table:
    """The rows as a table; a target is missed where ours is slower."""
    missed = [
        f"{row['algorithm']} in {row['store']}: {row[name]:.2f} {name}, not 1."
        for row in found
        for name in ("times limits", "times pyrate-limiter")
        if row[name] is not None and row[name] < 1
    ]
    title = f"Decisions a second of CPU time, median of {ROUNDS} interleaved rounds"
    return Table(title, [{key: text(key, row[key]) for key in row} for row in found], missed)


def text(column: str, value: Any) -> str:
    """A cell: speeds whole, ratios with two places, a dash for what is not there."""
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    return f"{value:.2f}" if column.startswith("times") else f"{value:,.0f}"


if __name__ == "__main__":
    sys.exit(finish(table(rows())))
