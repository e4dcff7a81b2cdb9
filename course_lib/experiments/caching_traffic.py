"""Chapter 18's main sliders: one thousand requests through a strategy, and what they cost.

Every setting meets the same arrivals, keys and read-or-write draws for its seed. The strategies are
the chapter's; the stores are in memory (caching_stores.py).
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from course_lib.experiments.caching_stores import Shelf, Table, Tray
from course_lib.lab import load, measure
from course_lib.show import Series, Trace
from course_lib.systems import caching

__all__ = ["STRATEGIES", "Bill", "bill", "traffic"]

KEYS, RATE, END = 300, 75, 10
CACHE_LATENCY, DATABASE_LATENCY, CRASH = 0.001, 0.005, 6.0
BOUND, FLUSH_EVERY, BUCKET = 50, 1.0, 0.5
STRATEGIES = ("no cache", "TTL only", "cache-aside", "leases", "write-through", "write-back")


@dataclass
class Stage:
    """The stores of one run, and the strategy between them."""

    shelf: Shelf
    table: Table
    tray: Tray
    strategy: Any

    def crash(self) -> None:
        """The cache restarts empty, and the write-back buffer with it."""
        self.shelf.forget()
        self.tray.forget()

    async def run(self, requests: Coroutine[Any, Any, object]) -> None:
        """Let the requests run; write-back flushes meanwhile and once at the end."""
        if not isinstance(self.strategy, caching.WriteBack):
            await requests
            return
        flusher = asyncio.ensure_future(self.strategy.run())
        await requests
        flusher.cancel()
        await self.strategy.flush()


def staged(name: str, size: int, ttl: float, jitter: float, source: random.Random) -> Stage:
    """Stores, and a strategy by its name."""
    shelf, table, tray = Shelf(size, CACHE_LATENCY), Table(DATABASE_LATENCY), Tray(CACHE_LATENCY)
    cache = caching.Jittered(shelf, jitter, source)
    leased = caching.LeasedCacheAside(cache, table, "server", ttl, pause=0.005)
    made: dict[str, Callable[[], Any]] = {
        "no cache": lambda: table,
        "TTL only": lambda: caching.CacheAside(cache, table, ttl, deletes=False),
        "cache-aside": lambda: caching.CacheAside(cache, table, ttl),
        "leases": lambda: leased,
        "write-through": lambda: caching.WriteThrough(cache, table, leased, ttl),
        "write-back": lambda: caching.WriteBack(tray, table, leased, BOUND, FLUSH_EVERY),
    }
    return Stage(shelf, table, tray, made[name]())


@dataclass
class Bill:
    """What a run came to; times in seconds.

    `reads` and `writes` are (sent, how long it took); `ages` (sent, how far the answer was behind
    the last acknowledged write); `loads` and `saves` the moments of the database's statements.
    """

    reads: list[tuple[float, float]] = field(default_factory=list)
    writes: list[tuple[float, float]] = field(default_factory=list)
    ages: list[tuple[float, float]] = field(default_factory=list)
    loads: list[float] = field(default_factory=list)
    saves: list[float] = field(default_factory=list)
    lost: int = 0

    @property
    def hit_ratio(self) -> float:
        """The share of reads for which nobody asked the database."""
        return 1 - len(self.loads) / len(self.reads) if self.reads else 0.0

    @property
    def statements(self) -> float:
        """The database's statements a second."""
        return (len(self.loads) + len(self.saves)) / END

    @property
    def mean_age(self) -> float:
        """By how much answers were behind, on average over all of them."""
        return math.fsum(age for _, age in self.ages) / len(self.ages) if self.ages else 0.0

    @property
    def most_age(self) -> float:
        """The most by which an answer was behind."""
        return max((age for _, age in self.ages), default=0.0)

    @property
    def write_wait(self) -> float:
        """How long a write took until it was acknowledged, on average."""
        return math.fsum(wait for _, wait in self.writes) / max(1, len(self.writes))


class History:
    """Which value followed which, and when each was acknowledged: the truth to compare with."""

    def __init__(self) -> None:
        self._values: dict[str, list[str]] = {}
        self._acknowledged: dict[str, float] = {}

    def began(self, key: str, value: str) -> None:
        """A write was sent."""
        self._values.setdefault(key, []).append(value)

    def ended(self, value: str, t: float) -> None:
        """A write was acknowledged."""
        self._acknowledged[value] = t

    def age(self, key: str, answer: str | None, asked: float) -> float:
        """How long before `asked` the first write was acknowledged that the answer lacks."""
        values = self._values.get(key, [])
        later = values[values.index(answer) + 1 :] if answer in values else values
        known = (self._acknowledged.get(value, math.inf) for value in later)
        return max(0.0, asked - min(known, default=math.inf))

    def lost(self, rows: dict[str, str]) -> int:
        """How many acknowledged writes are newer than what the database holds."""
        count = 0
        for key, values in self._values.items():
            row = rows.get(key)
            later = values[values.index(row) + 1 :] if row in values else values
            count += sum(value in self._acknowledged for value in later)
        return count


async def bill(
    *,
    seed: int,
    strategy: str,
    skew: float,
    size: int,
    ttl: float,
    jitter: float,
    read_share: float,
    crash: bool,
) -> Bill:
    """Send the requests of ten seconds, and add up; `ttl` seconds, shares from 0 to 1.

    The cache begins warm. With `crash` it forgets everything at 6 s, the write-back buffer too.
    """
    stage = staged(strategy, size, ttl, jitter, random.Random(seed + 1))
    _warm(stage, min(size, KEYS), ttl, jitter, random.Random(seed + 2))
    # One seed, three independent streams: or popular keys would come in at popular moments.
    arrivals = load.poisson(RATE, END, f"{seed} arrivals")
    keys, dice = load.zipf(KEYS, skew, seed).take(len(arrivals)), random.Random(f"{seed} reads")
    is_read = [dice.random() < read_share for _ in arrivals]
    sheet, history, loop = Bill(), History(), asyncio.get_running_loop()

    async def request(number: int, t: float) -> None:
        key = f"k{keys[number]}"
        if is_read[number]:
            answer = await stage.strategy.read(key)
            sheet.ages.append((t, history.age(key, answer, t)))
            sheet.reads.append((t, loop.time() - t))
        else:
            history.began(key, f"write {number}")
            await stage.strategy.write(key, f"write {number}")
            history.ended(f"write {number}", loop.time())
            sheet.writes.append((t, loop.time() - t))

    if crash:
        loop.call_at(CRASH, stage.crash)
    await stage.run(load.replay(arrivals, request, origin=0))
    sheet.loads, sheet.saves = stage.table.reads, stage.table.writes
    sheet.lost = history.lost(stage.table.rows)
    return sheet


def _warm(stage: Stage, size: int, ttl: float, jitter: float, source: random.Random) -> None:
    """The most popular keys were all loaded at 0 s, as after a deploy."""
    stage.table.rows.update((f"k{number}", f"first {number}") for number in range(KEYS))
    for number in reversed(range(size)):
        left = caching.jittered(ttl, jitter, source)
        stage.shelf.entries.set(f"k{number}", f"first {number}", left)


async def traffic(
    *,
    seed: int,
    strategy: str,
    skew: float,
    size: int,
    ttl: float,
    jitter: int,
    read_share: int,
    crash: str,
) -> Trace:
    """The picture of `bill`; `jitter` and `read_share` in percent."""
    sheet = await bill(
        seed=seed,
        strategy=strategy,
        skew=skew,
        size=size,
        ttl=ttl,
        jitter=jitter / 100,
        read_share=read_share / 100,
        crash=crash != "never",
    )
    return Trace(
        end=END,
        title=f"{strategy}, {read_share} % reads",
        summary=_sentence(sheet),
        tracks=[
            Series("Hit rate", {"hits": _hit_rate(sheet)}, unit="%"),
            Series(
                "Database",
                {"reads": _rates(sheet.loads), "writes": _rates(sheet.saves)},
                unit="statements/s",
            ),
            Series("Behind the last write, by read", {"behind": sorted(sheet.ages)}, unit="s"),
        ],
    )


def _sentence(sheet: Bill) -> str:
    return (
        f"hit rate {sheet.hit_ratio:.0%}, {sheet.statements:.0f} statements/s, "
        f"a write waits {1000 * sheet.write_wait:.1f} ms; "
        f"answers behind by {sheet.mean_age:.2f} s on average, {sheet.most_age:.1f} s at most; "
        f"{sheet.lost} of {len(sheet.writes)} acknowledged writes lost."
    )


def _rates(times: list[float]) -> list[tuple[float, float]]:
    return measure.rates(sorted(times), BUCKET, end=END)


def _hit_rate(sheet: Bill) -> list[tuple[float, float]]:
    reads = measure.series([t for t, _ in sheet.reads], BUCKET, end=END)
    loads = measure.series(sorted(sheet.loads), BUCKET, end=END)
    return [
        (t, 100 * max(0.0, 1 - missed / asked))
        for (t, asked), (_, missed) in zip(reads, loads, strict=True)
        if asked
    ]
