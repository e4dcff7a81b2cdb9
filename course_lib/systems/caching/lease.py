"""Cache-aside with leases: only the reader that was given the lease may fill, and one at a time.

A miss hands out one lease for the key, with the reader's token. `fill` works only while that token
holds the lease, and a delete takes the lease away. So a value that was read before a write cannot
be stored after it; and of a hundred readers of a missing key, one asks the database.
Leaves out: answering with the value from before the delete while somebody else loads.
Source: Nishtala et al., Scaling Memcache at Facebook, NSDI 2013, section 3.2.1.
"""

from __future__ import annotations

import asyncio
import itertools

from course_lib.systems.caching.interface import Database, LeasingCache

__all__ = ["LeasedCacheAside"]


class LeasedCacheAside:
    """Cache-aside that no order of effects leaves stale. `owner` names this process, uniquely.

    `lease` seconds is how long a reader may take to load; `pause` how long others wait to look
    again.

    >>> shop = LeasedCacheAside(cache, database, "server 1", ttl=60)
    >>> await shop.read("cup")
    '7 EUR'
    """

    def __init__(
        self,
        cache: LeasingCache,
        database: Database,
        owner: str,
        ttl: float = 60.0,
        lease: float = 2.0,
        pause: float = 0.05,
    ) -> None:
        self.cache = cache
        self.database = database
        self.owner = owner
        self.ttl, self.lease, self.pause = ttl, lease, pause
        self._numbers = itertools.count(1)

    async def read(self, key: str) -> str | None:
        """From the cache; on a miss load under a lease, or wait for whoever holds it."""
        while True:
            token = f"{self.owner}:{next(self._numbers)}"
            found, granted = await self.cache.get_or_lease(key, token, self.lease)
            if found is not None:
                return found.value
            if granted:
                value = await self.database.read(key)
                await self.cache.fill(key, token, value, self.ttl)
                return value
            await asyncio.sleep(self.pause)

    async def write(self, key: str, value: str) -> None:
        """To the database, then delete the entry and with it any lease that is out."""
        await self.database.write(key, value)
        await self.forget(key)

    async def forget(self, *keys: str) -> None:
        """Invalidate by hand: whoever is loading one of them may not keep it any more."""
        await self.cache.delete(*keys)
