"""Read-through: the application knows only the cache, and the cache knows how to load.

Because every load goes through one place, that place can join concurrent loads (single flight) and
keep "no such row" for a short time (negative caching).
Leaves out: writes; see write_through.py and write_back.py. Between servers, loads are not joined.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from course_lib.systems.caching.interface import Cache
from course_lib.systems.caching.single_flight import SingleFlight

__all__ = ["ReadThrough"]

Load = Callable[[str], Awaitable[str | None]]


class ReadThrough:
    """A cache that loads what it misses; `absent_ttl` seconds for rows that are not there.

    >>> prices = ReadThrough(cache, database.read, ttl=60, absent_ttl=5)
    >>> await prices.read("cup")
    '7 EUR'
    """

    def __init__(
        self,
        cache: Cache,
        load: Load,
        ttl: float = 60.0,
        absent_ttl: float | None = None,
    ) -> None:
        self.cache = cache
        self.load = load
        self.ttl = ttl
        self.absent_ttl = ttl / 10 if absent_ttl is None else absent_ttl
        self._flights: SingleFlight[str | None] = SingleFlight()

    async def read(self, key: str) -> str | None:
        """From the cache; on a miss, join the load that is under way or begin one."""
        found = await self.cache.get(key)
        return found.value if found is not None else await self._flights.do(key, self._fill)

    async def _fill(self, key: str) -> str | None:
        value = await self.load(key)
        ttl = self.absent_ttl if value is None else self.ttl
        if ttl > 0:
            await self.cache.set(key, value, ttl)
        return value

    async def forget(self, *keys: str) -> None:
        """Invalidate by hand: the next read loads."""
        await self.cache.delete(*keys)
