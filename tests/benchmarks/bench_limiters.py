"""Decisions a second beside the packages `limits` and `pyrate-limiter`, on the same stores.

Equal atomicity: each contestant checks and counts in one step; in Redis that is one script and one
round trip. Ours also reads the server's clock and answers what remains and when to come back.
`limits` answers yes or no, `pyrate-limiter` also when to come back; the columns `whole` hold
what they say of the rest too, asked in a second step, as a service does that sends RateLimit
fields. Each run sends requests of one client against LIMIT a minute: the first LIMIT are admitted,
the rest refused.

fakeredis takes 25 to 80 microseconds for each command inside a script, which a real Redis does in
about one. So where redis-server is installed, it is measured too, its CPU time included.
"""

import asyncio
import itertools
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
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
from tests.benchmarks.report import Table, finish, ratio

ROUNDS = 9
LIMIT = 100
HITS = {"fakeredis": 200, "Redis": 400, "memory": 2_000}
OTHERS = ("limits", "limits, whole", "pyrate-limiter", "pyrate-limiter, whole")
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
Ask = Callable[[], Awaitable[object]]
Pool = redis.asyncio.ConnectionPool


def fake_pool() -> Pool:
    """Connections to a fakeredis."""
    kind = fakeredis.FakeAsyncRedisConnection
    return Pool(connection_class=kind, server=fakeredis.FakeServer())


@contextmanager
def real_pool() -> Iterator[Pool]:
    """Connections to a Redis of our own, which keeps nothing."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            "redis-server",
            "--port",
            "0",
            "--unixsocket",
            "r",
            "--save",
            "",
            "--dir",
            folder,
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout
            next(line for line in server.stdout if "ready to accept" in line.lower())
            kind = redis.asyncio.UnixDomainSocketConnection
            yield Pool(connection_class=kind, path=f"{folder}/r")
            server.terminate()


def cpu_seconds(pool: Pool | None) -> float:
    """The CPU time so far, ours and a real server's."""
    if pool is None or pool.connection_class is fakeredis.FakeAsyncRedisConnection:
        return time.process_time()
    used = runner.run(redis.asyncio.Redis.from_pool(pool).info("cpu"))
    server = sum(float(used[f"used_cpu_{part}_main_thread"]) for part in ("user", "sys"))
    return time.process_time() + server


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


async def ours_in_redis(kind: str, pool: Pool, key: str) -> Ask:
    """This course's, over Redis."""
    return partial(RedisLimiter(redis.asyncio.Redis.from_pool(pool), OURS[kind]).hit, key)


async def limits_in_redis(kind: str, pool: Pool, key: str) -> Ask:
    """The package `limits`, over Redis: yes or no."""
    return partial(limits_strategy(kind, pool).hit, PER_MINUTE, key)


async def limits_whole_in_redis(kind: str, pool: Pool, key: str) -> Ask:
    """The package `limits`, over Redis: yes or no, then what remains and until when."""
    strategy = limits_strategy(kind, pool)

    async def hit() -> object:
        return await strategy.hit(PER_MINUTE, key), await strategy.get_window_stats(PER_MINUTE, key)

    return hit


def limits_strategy(kind: str, pool: Pool) -> Any:
    """A strategy of `limits` over a pool of ours; the address is not used."""
    address = "async+redis://nowhere:6379"
    storage = RedisStorage(address, implementation="redispy", connection_pool=pool)
    return getattr(in_redis, LIMITS[kind])(storage)


async def pyrate_in_redis(kind: str, pool: Pool, key: str) -> Ask:
    """The package `pyrate-limiter`, over Redis, at its bucket: its Limiter adds a lock."""
    bucket = await pyrate_bucket_in_redis(kind, pool, key)
    return lambda: bucket.put(pyrate.RateItem(key, bucket.now()))


async def pyrate_whole_in_redis(kind: str, pool: Pool, key: str) -> Ask:
    """The package `pyrate-limiter`, over Redis: the decision, then what is used up."""
    bucket = await pyrate_bucket_in_redis(kind, pool, key)

    async def hit() -> object:
        return await bucket.put(pyrate.RateItem(key, bucket.now())), await bucket.count()

    return hit


async def pyrate_bucket_in_redis(kind: str, pool: Pool, key: str) -> Any:
    """A bucket of `pyrate-limiter` over a pool of ours."""
    client = redis.asyncio.Redis.from_pool(pool)
    if kind == "sliding log":
        return await pyrate.RedisBucket.init(RATES, client, key)  # type: ignore[misc]
    return pyrate.StateBucket(RATES, PYRATE[kind](), pyrate.RedisStateStore(client, key))


def ours_in_memory(kind: str, key: str) -> Callable[[], object]:
    """This course's, in memory."""
    return partial(LocalLimiter(OURS[kind], time.monotonic).hit, key)


def limits_in_memory(kind: str, key: str) -> Callable[[], object]:
    """The package `limits`, in memory."""
    return partial(getattr(in_memory, LIMITS[kind])(MemoryStorage()).hit, PER_MINUTE, key)


def limits_whole_in_memory(kind: str, key: str) -> Callable[[], object]:
    """The package `limits`, in memory: yes or no, then what remains and until when."""
    strategy = getattr(in_memory, LIMITS[kind])(MemoryStorage())
    return lambda: (strategy.hit(PER_MINUTE, key), strategy.get_window_stats(PER_MINUTE, key))


def pyrate_in_memory(kind: str, key: str) -> Callable[[], object]:
    """The package `pyrate-limiter`, in memory, at its bucket."""
    bucket = pyrate_bucket_in_memory(kind)
    return lambda: bucket.put(pyrate.RateItem(key, bucket.now()))


def pyrate_whole_in_memory(kind: str, key: str) -> Callable[[], object]:
    """The package `pyrate-limiter`, in memory: the decision, then what is used up."""
    bucket = pyrate_bucket_in_memory(kind)
    return lambda: (bucket.put(pyrate.RateItem(key, bucket.now())), bucket.count())


def pyrate_bucket_in_memory(kind: str) -> Any:
    """A bucket of `pyrate-limiter` in memory."""
    if kind == "sliding log":
        return pyrate.InMemoryBucket(RATES)
    return pyrate.StateBucket(RATES, PYRATE[kind]())


IN_REDIS: dict[str, Any] = {
    "ours": ours_in_redis,
    "limits": limits_in_redis,
    "limits, whole": limits_whole_in_redis,
    "pyrate-limiter": pyrate_in_redis,
    "pyrate-limiter, whole": pyrate_whole_in_redis,
}
IN_MEMORY: dict[str, Any] = {
    "ours": ours_in_memory,
    "limits": limits_in_memory,
    "limits, whole": limits_whole_in_memory,
    "pyrate-limiter": pyrate_in_memory,
    "pyrate-limiter, whole": pyrate_whole_in_memory,
}


def contestants(kind: str) -> list[str]:
    """Everybody who has this algorithm."""
    theirs = ["limits"] if kind in LIMITS else []
    theirs += ["pyrate-limiter"] if kind in [*PYRATE, "sliding log"] else []
    return ["ours", *(name + part for name in theirs for part in ("", ", whole"))]


def speeds(kind: str, store: str, pool: Pool | None) -> dict[str, list[float]]:
    """Decisions a second of CPU time, of each contestant in each interleaved round."""
    who = contestants(kind)
    found: dict[str, list[float]] = {name: [] for name in who}
    for turn in range(ROUNDS + 1):
        for name in who[turn % len(who) :] + who[: turn % len(who)]:
            begin = cpu_seconds(pool)
            if pool is None:
                call(partial(IN_MEMORY[name], kind), HITS[store])
            else:
                runner.run(ask(partial(IN_REDIS[name], kind, pool), HITS[store]))
            if turn:
                found[name].append(HITS[store] / (cpu_seconds(pool) - begin))
    return found


def measured(kind: str, store: str, pool: Pool | None) -> dict[str, Any]:
    """One row: decisions a second of each, and how many times ours is faster; None: has none."""
    found = speeds(kind, store, pool)
    row: dict[str, Any] = {"store": store, "algorithm": kind}
    for name in ("ours", *OTHERS):
        row[name] = statistics.median(found[name]) if name in found else None
    for name in OTHERS:
        row[f"times {name}"] = ratio(found["ours"], found[name]) if name in found else None
    return row


def rows() -> list[dict[str, Any]]:
    """All rows: an algorithm on fakeredis, on a real Redis if there is one, and in memory."""
    found = [measured(kind, "fakeredis", fake_pool()) for kind in OURS]
    if shutil.which("redis-server"):
        with real_pool() as pool:
            found += [measured(kind, "Redis", pool) for kind in OURS]
            runner.run(pool.disconnect())
    return found + [measured(kind, "memory", None) for kind in OURS]


def table(found: list[dict[str, Any]]) -> Table:
    """The rows as a table; a target is missed where ours is slower at an equal answer.

    `limits` alone is shown, but has no target: it says neither what remains nor when to come back.
    """
    missed = [
        f"{row['algorithm']} in {row['store']}: {row[f'times {name}']:.2f} times {name}, not 1."
        for row in found
        for name in OTHERS[1:]
        if row[f"times {name}"] is not None and row[f"times {name}"] < 1
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
