"""Cache-aside: the application asks the cache, then the database, and keeps what it found.

A write goes to the database and deletes the entry. Short, common, and with one race: see the stale
set in chapter 18; lease.py closes it.
Leaves out: everything that protects the database from a stampede.
"""

from __future__ import annotations

from course_lib.systems.caching.interface import Cache, Database

__all__ = ["CacheAside"]


class CacheAside:
    """Reads fill the cache, writes delete the entry; `ttl` seconds bound what a race leaves.

    Without `deletes` an entry lives out its time, as when another service writes the database.

    >>> shop = CacheAside(cache, database, ttl=60)
    >>> await shop.write("cup", "7 EUR")
    >>> await shop.read("cup")
    '7 EUR'
    """

    def __init__(
        self, cache: Cache, database: Database, ttl: float = 60.0, *, deletes: bool = True
    ) -> None:
        self.cache = cache
        self.database = database
        self.ttl = ttl
        self.deletes = deletes

    async def read(self, key: str) -> str | None:
        """From the cache; on a miss from the database, and keep it."""
        found = await self.cache.get(key)
        if found is not None:
            return found.value
        value = await self.database.read(key)
        await self.cache.set(key, value, self.ttl)
        return value

    async def write(self, key: str, value: str) -> None:
        """To the database first: the other way round, a reader brings the old value back."""
        await self.database.write(key, value)
        if self.deletes:
            await self.cache.delete(key)
