"""Time to live, and jitter: entries that were stored together should not expire together.

Leaves out: TTLs that adapt to how often a value changes.
Source: AWS Builders' Library, Caching challenges and strategies.
"""

from __future__ import annotations

import random
from typing import Any

__all__ = ["Jittered", "jittered"]


def jittered(ttl: float, jitter: float, source: random.Random) -> float:
    """A time to live between `ttl * (1 - jitter)` and `ttl`, evenly drawn; seconds.

    It is only ever shortened, so `ttl` stays the bound on how old an answer can be.

    >>> jittered(60, 0.0, random.Random(18)), round(jittered(60, 0.5, random.Random(18)), 1)
    (60.0, 54.6)
    """
    if not 0 <= jitter < 1:
        raise ValueError(f"jitter is a share of the time to live, from 0 to below 1: {jitter}")
    return ttl * (1.0 - jitter * source.random())


class Jittered:
    """A cache in front of a cache: every entry lives a little shorter, each by another share.

    >>> cache = Jittered(RedisCache(redis), 0.2, random.Random(18))
    >>> await cache.set("cup", "7 EUR", ttl=60)        # kept for 48 to 60 seconds
    """

    def __init__(self, cache: Any, jitter: float, source: random.Random) -> None:
        self.cache, self.jitter, self._source = cache, jitter, source
        self.get, self.delete, self.get_or_lease = cache.get, cache.delete, cache.get_or_lease

    def _shorter(self, ttl: float) -> float:
        return jittered(ttl, self.jitter, self._source)

    async def set(self, key: str, value: str | None, ttl: float) -> None:
        """As the cache behind it, for a shorter time."""
        await self.cache.set(key, value, self._shorter(ttl))

    async def fill(self, key: str, token: str, value: str | None, ttl: float) -> bool:
        """As the cache behind it, for a shorter time."""
        return bool(await self.cache.fill(key, token, value, self._shorter(ttl)))

    async def set_if_newer(self, key: str, version: int, value: str, ttl: float) -> bool:
        """As the cache behind it, for a shorter time."""
        return bool(await self.cache.set_if_newer(key, version, value, self._shorter(ttl)))
