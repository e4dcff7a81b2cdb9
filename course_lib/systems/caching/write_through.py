"""Write-through: a write goes to the database, then to the cache, before it is acknowledged.

The database comes first: it may refuse. The cache keeps the value only if its version is newer than
what it holds, so that two writers, or a writer and a slow reader, cannot leave the older one there.
Leaves out: a crash between the two; the entry is then old until its time to live is over.
"""

from __future__ import annotations

from typing import Protocol

from course_lib.systems.caching.interface import Cache, Database

__all__ = ["WriteThrough"]


class VersionedCache(Cache, Protocol):
    """A cache that keeps the newest version."""

    async def set_if_newer(self, key: str, version: int, value: str, ttl: float) -> bool: ...


class Reader(Protocol):
    """How a write-through cache is read; LeasedCacheAside does, and ReadThrough."""

    async def read(self, key: str) -> str | None: ...


class WriteThrough:
    """Writes both stores; reads go through `reader`, which fills what writes have not.

    >>> shop = WriteThrough(cache, database, reader, ttl=60)
    >>> await shop.write("cup", "8 EUR")        # two stores, one after the other
    >>> await shop.read("cup")                  # a hit
    '8 EUR'
    """

    def __init__(
        self, cache: VersionedCache, database: Database, reader: Reader, ttl: float = 60.0
    ) -> None:
        self.cache = cache
        self.database = database
        self.reader = reader
        self.ttl = ttl

    async def read(self, key: str) -> str | None:
        """A hit for whatever was written within `ttl`."""
        return await self.reader.read(key)

    async def write(self, key: str, value: str) -> None:
        """To the database, then to the cache if no later version is there; two waits a write."""
        version = await self.database.write(key, value)
        await self.cache.set_if_newer(key, version, value, self.ttl)
