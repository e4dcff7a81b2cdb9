"""Eight real processes race for one limit in a real Redis: never one more than the limit passes."""

import json
import subprocess
import sys
import uuid
from typing import Any

import pytest
from redis import Redis

from tests.systems.rate_limiting.test_real_redis import SLOW
from tests.systems.real_redis import URL, needs_url

PROCESSES, REQUESTS, LIMIT = 8, 60, 5
RACER = """
import asyncio, json, sys
from redis.asyncio import Redis
from course_lib.systems import rate_limiting
from tests.systems.rate_limiting.test_real_redis import SLOW

url, prefix, number, requests = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])

async def race():
    redis = Redis.from_url(url, decode_responses=True, socket_timeout=None)
    limiter = rate_limiting.RedisLimiter(redis, SLOW[number], prefix)
    await redis.incr(prefix + ":ready")
    await redis.blpop([prefix + ":go"], timeout=60)
    hits = [await limiter.hit("user") for _ in range(requests)]
    await redis.aclose()
    return sum(hit.allowed for hit in hits)

print(json.dumps(asyncio.run(race())))
"""
POPULAR = """
import asyncio, json, sys
from redis.asyncio import Redis
from course_lib.systems.rate_limiting import popular

url, prefix, limit, requests = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])

async def race():
    redis = Redis.from_url(url, decode_responses=True, socket_timeout=None)
    await redis.incr(prefix + ":ready")
    await redis.blpop([prefix + ":go"], timeout=60)
    hits = [await popular.get_then_decr(redis, prefix + ":tokens") for _ in range(requests)]
    await redis.aclose()
    return sum(hits)

print(json.dumps(asyncio.run(race())))
"""


def race(code: str, third: int, setup: Any = None) -> list[int]:
    """Start all processes, let them go at once; give how many requests each saw admitted."""
    prefix = f"race:{uuid.uuid4().hex}"
    with Redis.from_url(URL or "", decode_responses=True) as redis:
        if setup:
            setup(redis, prefix)
        command = [sys.executable, "-c", code, URL or "", prefix, str(third), str(REQUESTS)]
        racers = [
            subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(PROCESSES)
        ]
        try:
            while redis.get(f"{prefix}:ready") != str(PROCESSES):
                assert all(racer.poll() is None for racer in racers), "a racer ended at the start"
            redis.rpush(f"{prefix}:go", *range(PROCESSES))
            return [json.loads(racer.communicate(timeout=60)[0]) for racer in racers]
        finally:
            for racer in racers:
                racer.kill()
            redis.delete(*redis.keys(f"{prefix}*"))


@needs_url
@pytest.mark.parametrize("number", range(len(SLOW)), ids=[algorithm.name for algorithm in SLOW])
def test_never_over_the_limit(number: int) -> None:
    """8 processes with 60 requests each, one key: exactly the limit is admitted, whoever wins."""
    assert sum(race(RACER, number)) == LIMIT


@needs_url
def test_the_race_is_real() -> None:
    """The popular answer admits more than it has in the same race, in one of some tries.

    That shows that the processes do meet; the law above is not green because they never do.
    """

    def tokens(redis: Any, prefix: str) -> None:
        redis.set(f"{prefix}:tokens", LIMIT)

    assert any(sum(race(POPULAR, LIMIT, tokens)) > LIMIT for _ in range(20))
