"""The cache inside one process: an eviction policy and a time to live, and no waiting at all.

Leaves out: threads. Every process has its own, so it must be told when a value changes (events.py).
"""

from __future__ import annotations

from collections.abc import Callable

from course_lib.systems.caching.eviction import Eviction
from course_lib.systems.caching.interface import Found

__all__ = ["LocalCache"]


class LocalCache:
    """At most `size` values by key in this process; `clock` gives seconds.

    >>> cache = LocalCache(LRU, 100, clock=world.time)
    >>> cache.set("cup", "7 EUR", ttl=1)
    >>> cache.get("cup")
    Found(value='7 EUR')
    """

    def __init__(
        self, policy: Callable[[int], Eviction], size: int, clock: Callable[[], float]
    ) -> None:
        self._policy, self._size = policy, size
        self._entries = policy(size)
        self.clock = clock

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: str) -> Found | None:
        """A hit as Found; None for what is not held, or too old."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        value, expires = entry
        if self.clock() >= expires:
            self._entries.drop(key)
            return None
        return Found(value)

    def set(self, key: str, value: str | None, ttl: float) -> None:
        """Hold the value for `ttl` seconds, or until the room is needed."""
        self._entries.put(key, (value, self.clock() + ttl))

    def delete(self, key: str) -> None:
        """Forget the key."""
        self._entries.drop(key)

    def clear(self) -> None:
        """Forget everything."""
        self._entries = self._policy(self._size)
