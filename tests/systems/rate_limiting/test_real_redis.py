"""The scripts on a real Redis, whose own clock runs: laws that hold at any speed."""

import asyncio
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from course_lib.systems.rate_limiting import (
    GCRA,
    Algorithm,
    RedisLimiter,
    SlidingCounter,
    SlidingLog,
    TokenBucket,
    stored_bytes,
)
from tests.systems.rate_limiting.cases import ORDINARY, in_words
from tests.systems.real_redis import URL, needs_url

PROGRAM = shutil.which("redis-server")
# A day for five units: no refill, and no boundary except at midnight, within a test's time.
SLOW: list[Any] = [
    TokenBucket(Fraction(5, 86400), 5)
    if isinstance(algorithm, TokenBucket)
    else GCRA(Fraction(5, 86400), 5)
    if isinstance(algorithm, GCRA)
    else type(algorithm)(5, 86400)
    for algorithm in ORDINARY
]


async def stored(redis: Redis, key: str) -> str:
    """What Redis holds under a key, as text."""
    is_list = await redis.type(key) == "list"
    return " ".join(await redis.lrange(key, 0, -1)) if is_list else await redis.get(key)


async def fresh(redis: Redis, limiter: RedisLimiter) -> None:
    """Forget the key, and the scripts."""
    await redis.delete(limiter.key("user"))
    await redis.script_flush()


@needs_url
@pytest.mark.parametrize("algorithm", SLOW, ids=lambda a: a.name)
def test_exactly_the_limit(algorithm: Algorithm[Any]) -> None:
    """Of 40 requests at once through 4 connections, exactly 5 are admitted; the key will expire."""

    async def scenario() -> tuple[int, int, int]:
        clients = [Redis.from_url(URL or "", decode_responses=True) for _ in range(4)]
        limiters = [RedisLimiter(c, algorithm, f"test:{os.getpid()}") for c in clients]
        await fresh(clients[0], limiters[0])
        hits = await asyncio.gather(*(limiter.hit("user") for limiter in limiters * 10))
        key = limiters[0].key("user")
        left, size = await clients[0].pttl(key), await stored_bytes(clients[0], key)
        await clients[0].delete(key)
        for client in clients:
            await client.aclose()
        return sum(hit.allowed for hit in hits), left, size - len(key)

    admitted, left, size = asyncio.run(scenario())
    assert admitted == 5
    windows = 2 if isinstance(algorithm, SlidingLog | SlidingCounter) else 1
    assert 0 < left <= 1000 * 86400 * windows + 2
    assert 16 <= size <= 5 * 16


@needs_url
@pytest.mark.parametrize("algorithm", SLOW, ids=lambda a: a.name)
def test_core_equals_script(algorithm: Any) -> None:
    """From the state that a real Redis stored, the core decides on as the script does.

    The script saw some time between two readings of the server's clock.
    """

    async def scenario() -> None:
        redis = Redis.from_url(URL or "", decode_responses=True)
        limiter = RedisLimiter(redis, algorithm, f"test:{os.getpid()}")
        await fresh(redis, limiter)
        state: Any = algorithm.initial
        for cost in (1, 2, 6, 2, 1):
            before, decision = await redis.time(), await limiter.hit("user", cost)
            after, text = await redis.time(), await stored(redis, limiter.key("user"))
            low, high = (second * 1_000_000 + micro for second, micro in (before, after))
            answers = [algorithm.decide(state, now, cost) for now in range(low, high + 1)]
            matching = [new for new, it in answers if it == decision and in_words(new) == text]
            assert matching, (state, decision, text)
            state = matching[0]
        await redis.delete(limiter.key("user"))
        await redis.aclose()

    asyncio.run(scenario())


@pytest.mark.skipif(PROGRAM is None, reason="redis-server is not installed")
def test_survives_a_real_restart(tmp_path: Path) -> None:
    """A Redis that died and came back empty is used again, through the same limiter."""

    async def scenario() -> list[bool]:
        redis = Redis(unix_socket_path=str(tmp_path / "redis.sock"))
        limiter = RedisLimiter(redis, GCRA(rate=Fraction(1, 86400), burst=1))
        with running(tmp_path):
            allowed = [(await limiter.hit("user")).allowed, (await limiter.hit("user")).allowed]
        with running(tmp_path):
            allowed.append((await limiter.hit("user")).allowed)
            await redis.aclose()
        return allowed

    assert asyncio.run(scenario()) == [True, False, True]


@contextmanager
def running(folder: Path) -> Iterator[None]:
    """A Redis of our own on a socket in `folder`, ready to answer, that keeps nothing."""
    options = ["--port", "0", "--unixsocket", "redis.sock", "--save", "", "--dir", str(folder)]
    with subprocess.Popen([PROGRAM or "", *options], stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            ready = (line for line in server.stdout if re.search("ready to accept", line, re.I))
            assert next(ready, None), "redis-server did not start"
            yield
        finally:
            server.terminate()
