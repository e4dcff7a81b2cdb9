"""Two levels: a small cache in the process in front of a strategy that all servers share.

A read that is under way when the key is invalidated must not keep what it brings: the stale set
again, inside one process. So each invalidation marks the loads that are out.
Leaves out: telling the other servers of a write; see events.py.
"""

from __future__ import annotations

from course_lib.systems.caching.interface import Strategy
from course_lib.systems.caching.local_cache import LocalCache

__all__ = ["TwoLevel"]


class TwoLevel:
    """Reads stop at the first level that has the key; `ttl` seconds bound what this process misses.

    >>> shop = TwoLevel(LocalCache(LRU, 100, clock), shared)
    >>> await shop.read("cup")
    '7 EUR'
    """

    def __init__(self, local: LocalCache, shared: Strategy, ttl: float = 5.0) -> None:
        self.local = local
        self.shared = shared
        self.ttl = ttl
        self._invalidated: dict[str, int] = {}
        self._loading: dict[str, int] = {}

    async def read(self, key: str) -> str | None:
        """From this process; else from the shared strategy, kept unless invalidated meanwhile."""
        found = self.local.get(key)
        if found is not None:
            return found.value
        before = self._begin(key)
        try:
            value = await self.shared.read(key)
            if self._invalidated.get(key, 0) == before:
                self.local.set(key, value, self.ttl)
            return value
        finally:
            self._end(key)

    async def write(self, key: str, value: str) -> None:
        """Write through the shared strategy, and forget the key here."""
        await self.shared.write(key, value)
        self.invalidate(key)

    def invalidate(self, key: str) -> None:
        """Forget the key here, and let no load that is out bring it back."""
        self.local.delete(key)
        if key in self._loading:
            self._invalidated[key] = self._invalidated.get(key, 0) + 1

    def invalidate_all(self) -> None:
        """Forget everything here: something has changed, and nobody knows what."""
        self.local.clear()
        for key in self._loading:
            self._invalidated[key] = self._invalidated.get(key, 0) + 1

    def _begin(self, key: str) -> int:
        self._loading[key] = self._loading.get(key, 0) + 1
        return self._invalidated.get(key, 0)

    def _end(self, key: str) -> None:
        self._loading[key] -= 1
        if not self._loading[key]:
            del self._loading[key]
            self._invalidated.pop(key, None)
