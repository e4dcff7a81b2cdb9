"""What tests on a real Redis share: a database of one's own, a stand-in for a world, processes.

The server is the one that COURSE_REDIS_URL names. Tests that run at the same time share it, so each
takes an empty numbered database, and leaves it empty.
"""

import asyncio
import multiprocessing
import os
import sqlite3
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite
import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

URL = os.environ.get("COURSE_REDIS_URL")
needs_url = pytest.mark.skipif(URL is None, reason="COURSE_REDIS_URL names no Redis")
IN_TIME = 60  # seconds; a guard for a machine under load, not a measurement
# A test that was killed leaves its note behind for so long.
HELD = 600
# What the processes need is imported once, in the one that they are forked from; the last two are
# what httpx imports at its first request.
NEEDED = [
    "tests.systems.caching.racers",
    "tests.systems.sagas.processes",
    "anyio._backends._asyncio",
    "trio",
]
HAS_FORKS = "forkserver" in multiprocessing.get_all_start_methods()
FORKS: Any = multiprocessing.get_context("forkserver" if HAS_FORKS else "spawn")
if HAS_FORKS:
    FORKS.set_forkserver_preload(NEEDED)
needs_forks = pytest.mark.skipif(not HAS_FORKS, reason="SIGKILL and a forkserver are needed")


@contextmanager
def own_database() -> Iterator[str]:
    """The URL of a database that is empty, and nobody else's while it is used.

    A database that holds something is never taken: it may be somebody's own.
    """
    with Redis.from_url(URL or "", decode_responses=True) as server:
        number, mark = _taken(server)
    url = f"{(URL or '').rpartition('/')[0]}/{number}"
    with Redis.from_url(url) as redis:
        try:
            yield url
        finally:
            redis.flushdb()
            redis.close()
            with Redis.from_url(URL or "", decode_responses=True) as server:
                server.delete(mark)


def _taken(server: Any) -> tuple[int, str]:
    """The number of a free database, and the key that says that it is taken."""
    most, until = int(server.config_get("databases")["databases"]), time.monotonic() + IN_TIME
    while time.monotonic() < until:
        for number in range(1, most):
            mark = f"course:test:database:{number}"
            if server.set(mark, uuid.uuid4().hex, nx=True, ex=HELD):
                if f"db{number}" not in server.info("keyspace"):
                    return number, mark
                server.delete(mark)
        time.sleep(0.1)
    raise TimeoutError("no database of the real Redis is empty")


class RealWorld:
    """What scenarios ask of a world: Redis, SQL and the time, from real engines in real time."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder
        self._parts: dict[str, Any] = {}
        self._open: list[Any] = []

    def part(self, name: str, make: Callable[[], Any]) -> Any:
        """What is kept under this name, made at first use."""
        return self._parts.setdefault(name, make())

    def redis(self, who: str) -> Any:
        """A client with connections of its own, which waits for an answer as long as it takes."""
        client = AsyncRedis.from_url(self.url, decode_responses=True, socket_timeout=None)
        self._open.append(client.aclose)
        return client

    def sql(self, who: str, database: str = "main", isolation_level: str | None = "") -> Any:
        """A connection to a SQLite file."""
        path = self.folder / f"{database}.sqlite"
        connection = aiosqlite.Connection(partial(_connect, path, isolation_level), 64)
        self._open.append(connection.close)
        return connection

    def time(self) -> float:
        """Seconds since 1970."""
        return time.time()

    async def close(self) -> None:
        """Close whatever was opened."""
        for close in self._open:
            await close()


def _connect(path: Path, level: Any) -> sqlite3.Connection:
    """As the lab's: readers and one writer at a time, and no waiting for the disk."""
    connection = sqlite3.connect(path, timeout=IN_TIME, isolation_level=level)
    connection.execute("PRAGMA journal_mode=WAL").close()
    connection.execute("PRAGMA synchronous=OFF").close()
    return connection


W = TypeVar("W", bound=RealWorld)


async def within(world: W, act: Callable[[W], Awaitable[Any]]) -> Any:
    """Let somebody act, and close what was opened."""
    try:
        return await act(world)
    finally:
        await world.close()


def on_redis(scenario: Callable[[Any], Coroutine[Any, Any, Any]]) -> Any:
    """Run a scenario on a real Redis and a real file, and give its result."""

    async def bounded(url: str, folder: Path) -> Any:
        async with asyncio.timeout(IN_TIME):
            return await within(RealWorld(url, folder), scenario)

    with own_database() as url, tempfile.TemporaryDirectory() as folder:
        return asyncio.run(bounded(url, Path(folder)))


def race(racer: Callable[..., Any], processes: int, *arguments: Any) -> list[Any]:
    """Run `racer(number, *arguments)` in so many real processes at once; their answers in order."""
    with ProcessPoolExecutor(processes, mp_context=FORKS) as pool:
        futures = [pool.submit(racer, number, *arguments) for number in range(processes)]
        return [future.result(IN_TIME) for future in futures]


async def meet(redis: Any, place: str, number: int) -> None:
    """Wait until `number` have come to this place, and go on together with them."""
    if await redis.incr(f"arrived:{place}") == number:
        await redis.rpush(f"go:{place}", *range(number))
    assert await redis.blpop([f"go:{place}"], timeout=IN_TIME), f"not all came to {place}"
