"""What to forget when a cache is full: FIFO and LRU, as maps of a fixed size, and a replay of keys.

A map has `get` (None for what it does not hold), `put` and `drop`, and counts entries, not bytes.
Leaves out: sizes in bytes, expiry (see local_cache.py) and locks between threads. S3-FIFO is in
s3fifo.py; how often each hits can be computed beforehand, see che.py.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any, Protocol

__all__ = ["FIFO", "LRU", "Eviction", "hits"]


class Eviction(Protocol):
    """A map that holds at most `size` entries."""

    size: int

    def get(self, key: Any) -> Any: ...
    def put(self, key: Any, value: Any) -> None: ...
    def drop(self, key: Any) -> None: ...
    def __len__(self) -> int: ...


class FIFO:
    """Forgets what came first; a hit changes nothing.

    >>> cache = FIFO(2)
    >>> cache.put("a", 1); cache.put("b", 2); cache.get("a"); cache.put("c", 3)
    1
    >>> cache.get("a"), cache.get("b")
    (None, 2)
    """

    def __init__(self, size: int) -> None:
        self.size = at_least_one(size)
        self._entries: dict[Any, Any] = {}

    def __repr__(self) -> str:
        return f"FIFO({self.size})"

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Any) -> Any:
        """The value, or None."""
        return self._entries.get(key)

    def put(self, key: Any, value: Any) -> None:
        """Hold the value; a key that is held keeps its place in the queue."""
        entries = self._entries
        if key not in entries and len(entries) >= self.size:
            del entries[next(iter(entries))]
        entries[key] = value

    def drop(self, key: Any) -> None:
        """Forget the key, if it is held."""
        self._entries.pop(key, None)


class LRU:
    """Forgets what was asked for longest ago.

    >>> cache = LRU(2)
    >>> cache.put("a", 1); cache.put("b", 2); cache.get("a"); cache.put("c", 3)
    1
    >>> cache.get("a"), cache.get("b")
    (1, None)
    """

    def __init__(self, size: int) -> None:
        self.size = at_least_one(size)
        self._entries: OrderedDict[Any, Any] = OrderedDict()

    def __repr__(self) -> str:
        return f"LRU({self.size})"

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Any) -> Any:
        """The value, which is now the newest, or None."""
        entries = self._entries
        if key not in entries:
            return None
        entries.move_to_end(key)
        return entries[key]

    def put(self, key: Any, value: Any) -> None:
        """Hold the value as the newest."""
        entries = self._entries
        if key in entries:
            entries.move_to_end(key)
        elif len(entries) >= self.size:
            entries.popitem(last=False)
        entries[key] = value

    def drop(self, key: Any) -> None:
        """Forget the key, if it is held."""
        self._entries.pop(key, None)


def at_least_one(size: int) -> int:
    """Give back the size, or say what is wrong with it."""
    if size < 1:
        raise ValueError(f"a cache holds at least 1 entry, not {size}")
    return size


def hits(cache: Eviction, keys: Iterable[Any]) -> int:
    """Ask for each key, put it in when it is not there; returns how many were there.

    >>> hits(LRU(2), "abacb"), hits(FIFO(2), "abacb")
    (1, 2)
    """
    get, put, count = cache.get, cache.put, 0
    for key in keys:
        if get(key) is None:
            put(key, True)
        else:
            count += 1
    return count
