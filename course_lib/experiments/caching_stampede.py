"""Chapter 18's stampede: many readers of one popular key, and what its expiry does to the database.

The protections are the chapter's; the stores are in memory (caching_stores.py).
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Awaitable, Callable
from typing import Any

from course_lib.experiments.caching_stores import Shelf, Table, Texts, now
from course_lib.lab import load, measure
from course_lib.show import Series, Trace
from course_lib.systems import caching

__all__ = ["PROTECTIONS", "expiry", "recomputes", "stampede"]

KEY, END, LATENCY = "cup", 12, 0.001
PROTECTIONS = ("none", "single flight", "lease", "early recompute", "stale while revalidate")
Read = Callable[[str], Awaitable[Any]]


def readers(
    name: str, servers: int, table: Table, ttl: float, beta: float, seed: int
) -> list[Read]:
    """How each server reads, by the name of the protection; they share one cache."""
    shelf, texts = Shelf(10, LATENCY), Texts(LATENCY)

    def one(number: int) -> Read:
        source = random.Random(f"{seed} server {number}")
        made: dict[str, Callable[[], Any]] = {
            "none": lambda: caching.CacheAside(shelf, table, ttl),
            "single flight": lambda: caching.ReadThrough(shelf, table.read, ttl),
            "lease": lambda: caching.LeasedCacheAside(shelf, table, f"server {number}", ttl),
            "early recompute": lambda: caching.EarlyRecompute(
                texts, table.read, now, source, ttl, beta
            ),
            "stale while revalidate": lambda: caching.StaleWhileRevalidate(
                texts, table.read, now, fresh=ttl, stale=ttl
            ),
        }
        read: Read = made[name]().read
        return read

    return [one(number) for number in range(servers)]


async def stampede(
    *, seed: int, protection: str, rate: int, load_ms: int, ttl: float, beta: float, servers: int
) -> Trace:
    """`rate` reads a second of one key that takes `load_ms` to load and is kept `ttl` seconds."""
    table = Table(load_ms / 1000)
    table.rows[KEY] = "7 EUR"
    read = readers(protection, servers, table, ttl, beta, seed)
    waits: list[tuple[float, float]] = []

    async def request(number: int, t: float) -> None:
        await read[number % servers](KEY)
        waits.append((t, 1000 * (now() - t)))

    await load.replay(load.poisson(rate, END, f"{seed} readers"), request, origin=0)
    most = max((count for _, count in table.busy), default=0)
    slowest = max((wait for _, wait in waits), default=0.0)
    busy = [(t, count) for t, count in table.busy if t <= END]
    return Trace(
        end=END,
        title=f"One popular key, protection: {protection}",
        summary=(
            f"{len(waits)} reads, {len(table.reads)} loads, at most {most} at once; "
            f"the slowest read took {slowest:.0f} ms."
        ),
        tracks=[
            Series("The database at work on one row", {"loads": [(0.0, 0), *busy]}, unit="loads"),
            Series("Wait, by read", {"wait": sorted(waits)}, unit="ms"),
        ],
    )


async def expiry(*, seed: int, keys: int, ttl: float, jitter: int) -> Trace:
    """`keys` keys, all loaded at 0 s, each read every 0.1 s or so; `jitter` in percent."""
    table, source = Table(0.005), random.Random(f"{seed} jitter")
    cache = caching.Jittered(Shelf(keys, 0.0), jitter / 100, source)
    shop = caching.CacheAside(cache, table, ttl)
    for number in range(keys):
        table.rows[f"k{number}"] = "7 EUR"

    async def reader(number: int) -> None:
        await asyncio.sleep(0.1 * number / keys)
        while now() < END:
            await shop.read(f"k{number}")
            await asyncio.sleep(0.5)

    await asyncio.gather(*(reader(number) for number in range(keys)))
    buckets = measure.rates(sorted(table.reads), 0.25, end=END)
    most = max(rate for _, rate in buckets[4:])
    return Trace(
        end=END,
        title=f"{keys} keys stored together, jitter {jitter} %",
        summary=f"{len(table.reads)} loads, at most {most:.0f}/s after the first second.",
        tracks=[Series("Loads", {"loads": buckets}, unit="loads/s")],
    )


def recomputes(beta: float, expiries: int, seed: int) -> float:
    """How many recomputes begin for each expiry, on average, when there are many readers.

    A recompute takes one unit of time. Reads are Poisson, and the next expiry begins when the first
    recompute is done. The coin is EarlyRecompute's own.

    >>> recomputes(beta=1.0, expiries=1000, seed=18)       # e = 2.718...
    """
    reads, coin = random.Random(f"{seed} reads"), random.Random(f"{seed} coin")
    return sum(_begun(beta, reads, coin) for _ in range(expiries)) / expiries


def _begun(beta: float, reads: random.Random, coin: random.Random) -> int:
    """One expiry, at time 0: from long before it, until the first recompute is done."""
    rate, t, begun, done = 100 / beta, -11.0 * beta, 0, math.inf
    while (t := t + reads.expovariate(rate)) < done:
        if caching.is_due(-t, 1.0, beta, 1.0 - coin.random()):
            begun += 1
            done = min(done, t + 1.0)
    return begun
