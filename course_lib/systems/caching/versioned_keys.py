"""Versioned keys: the key holds the generation of its group, and one INCR invalidates them all.

Nothing is deleted; old entries are never asked for again and expire. A reader takes the generation
before it asks the database, so what it read before a write is kept under a name that nobody uses.
Leaves out: generations kept in the process; reading them from Redis is one more round trip.
Source: Memcached's documentation on namespaces.
"""

from __future__ import annotations

from redis.asyncio import Redis

from course_lib.systems.caching.interface import Cache, Database

__all__ = ["VersionedKeys"]


class VersionedKeys:
    """A group of keys that is invalidated as a whole: by a write, a deploy, or by hand.

    >>> shelf = VersionedKeys(redis, cache, database, group="shelf 3")
    >>> await shelf.read("cup")
    '7 EUR'
    >>> await shelf.invalidate()
    1
    """

    def __init__(
        self, redis: Redis, cache: Cache, database: Database, group: str, ttl: float = 60.0
    ) -> None:
        self.redis, self.cache, self.database = redis, cache, database
        self.group, self.ttl = group, ttl

    async def read(self, key: str) -> str | None:
        """The generation first, always: read after the database, it would bless an old value."""
        generation = int(await self.redis.get(f"generation:{self.group}") or 0)
        name = f"{self.group}:{generation}:{key}"
        found = await self.cache.get(name)
        if found is not None:
            return found.value
        value = await self.database.read(key)
        await self.cache.set(name, value, self.ttl)
        return value

    async def write(self, key: str, value: str) -> None:
        """To the database, then a new generation."""
        await self.database.write(key, value)
        await self.invalidate()

    async def invalidate(self) -> int:
        """Begin a new generation; everything in the group is a miss from now on."""
        return int(await self.redis.incr(f"generation:{self.group}"))
