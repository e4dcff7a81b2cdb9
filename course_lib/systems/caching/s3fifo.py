"""S3-FIFO: a small queue that new keys must survive, a main queue, and a memory of those that left.

Most keys are asked for once. They pass through the small queue, a tenth of the room, and never
push out a popular key. A key that is asked for again there moves to the main queue; one that comes
back soon after it left goes there at once. A hit only raises a counter.
Leaves out: sizes in bytes, and lock-free queues, which are the other half of its fame.
Source: Yang et al., FIFO Queues are All You Need for Cache Eviction, SOSP 2023, algorithm 1.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from course_lib.systems.caching.eviction import at_least_one

__all__ = ["S3FIFO"]

MOST_COUNTED = 3


class S3FIFO:
    """Forgets what was asked for once.

    >>> cache = S3FIFO(10)
    >>> for key in [1, 1, 1, *range(2, 40)]: cache.get(key) or cache.put(key, "held")
    >>> cache.get(1), cache.get(2)
    ('held', None)
    """

    def __init__(self, size: int) -> None:
        self.size = at_least_one(size)
        self._small_size = max(1, size // 10)
        self._ghost_size = max(1, size - self._small_size)
        self._entries: dict[Any, Any] = {}
        self._asked: dict[Any, int] = {}
        self._small: deque[Any] = deque()
        self._main: deque[Any] = deque()
        self._ghost: dict[Any, None] = {}

    def __repr__(self) -> str:
        return f"S3FIFO({self.size})"

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Any) -> Any:
        """The value, or None; a hit is counted, up to three."""
        asked = self._asked
        if key not in asked:
            return None
        count = asked[key]
        if count < MOST_COUNTED:
            asked[key] = count + 1
        return self._entries[key]

    def put(self, key: Any, value: Any) -> None:
        """Hold the value: in the small queue, or in the main one if it left not long ago."""
        entries = self._entries
        if key not in entries:
            while len(entries) >= self.size:
                self._evict()
            self._asked[key] = 0
            if key in self._ghost:
                del self._ghost[key]
                self._main.append(key)
            else:
                self._small.append(key)
        entries[key] = value

    def drop(self, key: Any) -> None:
        """Forget the key, if it is held; this is a search, for a deque has no index."""
        if key in self._entries:
            queue = self._small if key in self._small else self._main
            queue.remove(key)
            self._forget(key)

    def _evict(self) -> None:
        if len(self._small) >= self._small_size or not self._main:
            self._evict_from_small()
        else:
            self._evict_from_main()

    def _evict_from_small(self) -> None:
        """Keys that were asked for more than once move on; the first other one leaves."""
        small, asked = self._small, self._asked
        while small:
            key = small.popleft()
            if asked[key] > 1:
                asked[key] = 0
                self._main.append(key)
                if len(self._main) > self.size - self._small_size:
                    return self._evict_from_main()
            else:
                self._forget(key)
                return self._remember(key)
        return None

    def _evict_from_main(self) -> None:
        """Keys that were asked for go round once more, one count lower; the first other leaves."""
        main, asked = self._main, self._asked
        while main:
            key = main.popleft()
            if asked[key] == 0:
                return self._forget(key)
            asked[key] -= 1
            main.append(key)
        return None

    def _remember(self, key: Any) -> None:
        ghost = self._ghost
        if len(ghost) >= self._ghost_size:
            del ghost[next(iter(ghost))]
        ghost[key] = None

    def _forget(self, key: Any) -> None:
        del self._entries[key]
        del self._asked[key]
