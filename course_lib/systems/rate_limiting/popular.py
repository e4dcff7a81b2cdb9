"""The popular answers, faithfully naive: each is found in many places, and each fails.

They are here to be broken, not used. Leaves out: nothing that the popular answer has.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from redis.asyncio import Redis

__all__ = [
    "by_forwarded_address",
    "check_then_add",
    "get_then_decr",
    "incr_expire",
    "refill_timer",
]


async def incr_expire(redis: Redis, key: str, limit: int, window: int) -> bool:
    """Count the requests since the first one, for `window` seconds; often called a token bucket.

    Fails: it is a fixed window (twice the limit around its end), and a crash between the two
    commands leaves a count that never expires: that client is locked out for ever.

    >>> [await incr_expire(redis, "user:7", limit=2, window=60) for _ in range(3)]
    [True, True, False]
    """
    count = await redis.incr(key)
    if count == 1:
        await redis.expire(key, window)
    return int(count) <= limit


async def get_then_decr(redis: Redis, key: str) -> bool:
    """Look whether a token is left, and take it.

    Fails: between the look and the taking, every other server sees the same last token.

    >>> await redis.set("tokens:7", 1)
    >>> await get_then_decr(redis, "tokens:7"), await get_then_decr(redis, "tokens:7")
    (True, False)
    """
    tokens = await redis.get(key)
    if tokens is not None and int(tokens) >= 1:
        await redis.decr(key)
        return True
    return False


async def refill_timer(redis: Redis, key: str, amount: int, interval: float) -> None:
    """Add `amount` tokens every `interval` seconds, for ever; each server runs one.

    Fails: N servers refill N times as fast, nothing caps the bucket, so a quiet night saves up a
    flood, and each user needs a timer.
    """
    while True:
        await asyncio.sleep(interval)
        await redis.incrby(key, amount)


async def check_then_add(
    redis: Redis, key: str, limit: int, window: float, now: float, unique: object = 0
) -> bool:
    """Drop old entries from a sorted set, count the rest, and add this one if there is room.

    `now` is this server's clock, in the unit of `window`; `unique` tells apart requests of the same
    moment, where others take a random number.

    Fails: all servers that count before the first one adds find the same room. And clocks that
    differ drop each other's entries too early.

    >>> [await check_then_add(redis, "user:7", 2, 60, now=0, unique=n) for n in range(3)]
    [True, True, False]
    """
    await redis.zremrangebyscore(key, 0, now - window)
    count = await redis.zcard(key)
    if count < limit:
        await redis.zadd(key, {f"{now}-{unique}": now})
        return True
    return False


def by_forwarded_address(headers: Mapping[str, str], peer: str) -> str:
    """Take the first address of X-Forwarded-For as the client's; else the connection's, `peer`.

    Fails: proxies append to the right. What stands first is what the client wrote, so that a client
    with a new number in each request has a new limit in each request.

    >>> by_forwarded_address({"x-forwarded-for": "1.2.3.4, 203.0.113.7"}, peer="10.0.0.1")
    '1.2.3.4'
    """
    return headers.get("x-forwarded-for", peer).split(",")[0].strip()
