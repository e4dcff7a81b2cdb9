"""Early recompute (XFetch): near its expiry, each read tosses a coin, and one refreshes in time.

The coin is weighted so that a recompute that takes longer begins earlier. With many readers about
e^(1 / beta) recomputes begin for each expiry: one that is needed, the others while it runs.
Leaves out: coordination of any kind; that is its point.
Source: Vattani, Chierichetti, Lowenstein, Optimal Probabilistic Cache Stampede Prevention, VLDB
2015, figure 2. The count of recomputes is derived in chapter 18.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Awaitable, Callable

from course_lib.systems.caching.interface import Texts
from course_lib.systems.caching.redis_cache import milliseconds

__all__ = ["EarlyRecompute", "is_due"]


def is_due(left: float, delta: float, beta: float, chance: float) -> bool:
    """Whether this read should recompute now; `left` seconds before the expiry.

    `delta` is what a recompute takes in seconds, `chance` a number drawn evenly from (0, 1]. An
    expired entry is always due; a larger `beta` begins earlier.

    >>> is_due(left=0.5, delta=1.0, beta=1.0, chance=0.5), is_due(1.0, 1.0, 1.0, 0.5)
    (True, False)
    """
    return -delta * beta * math.log(chance) >= left


class EarlyRecompute:
    """A cache that refreshes before it must; `ttl` seconds, `clock` gives seconds.

    >>> prices = EarlyRecompute(redis, database.read, clock, random.Random(1), ttl=60)
    >>> await prices.read("cup")
    '7 EUR'
    """

    def __init__(
        self,
        redis: Texts,
        load: Callable[[str], Awaitable[str | None]],
        clock: Callable[[], float],
        source: random.Random,
        ttl: float = 60.0,
        beta: float = 1.0,
    ) -> None:
        self.redis, self.load, self.clock = redis, load, clock
        self.ttl, self.beta = ttl, beta
        self._source = source

    async def read(self, key: str) -> str | None:
        """From the cache, unless the coin says to recompute."""
        text = await self.redis.get(f"early:{key}")
        if text is not None:
            entry = json.loads(text)
            left = entry["expires"] - self.clock()
            if not is_due(left, entry["delta"], self.beta, 1.0 - self._source.random()):
                return str(entry["value"]) if entry["value"] is not None else None
        return await self._recompute(key)

    async def _recompute(self, key: str) -> str | None:
        began = self.clock()
        value = await self.load(key)
        now = self.clock()
        entry = {"value": value, "delta": now - began, "expires": now + self.ttl}
        await self.redis.set(f"early:{key}", json.dumps(entry), px=milliseconds(self.ttl))
        return value
