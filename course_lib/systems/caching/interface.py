"""What every caching strategy offers, and what it needs: a strategy, a cache, a database.

A strategy is two verbs, `read` and `write`; what differs is the order in which it touches the two
stores. A cache is a store that may forget; a database is one that may not.
Leaves out: values other than text (a service puts JSON there), and reading many keys at once.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

__all__ = ["Cache", "Database", "Found", "Leased", "LeasingCache", "Strategy", "Texts"]


class Strategy(Protocol):
    """How one key is read and written through a cache."""

    async def read(self, key: str) -> str | None:
        """The value of `key`; None if the database has no such row."""
        ...

    async def write(self, key: str, value: str) -> None:
        """Write the value; when this returns, the write is acknowledged."""
        ...


class Found(NamedTuple):
    """A cache hit; its value is None where the cache knows that the database has no such row.

    A miss is None, a hit is a Found: so a cached "nothing", "" or "0" is never taken for a miss.
    """

    value: str | None


class Cache(Protocol):
    """A store that forgets: after `ttl` seconds, or earlier if it needs the room."""

    async def get(self, key: str) -> Found | None: ...
    async def set(self, key: str, value: str | None, ttl: float) -> None: ...
    async def delete(self, *keys: str) -> None: ...


class Leased(NamedTuple):
    """What a leasing cache answers: a hit, or a miss and whether the lease is yours."""

    found: Found | None
    granted: bool


class LeasingCache(Cache, Protocol):
    """A cache that gives one reader of a missing key a lease; a delete takes the lease away."""

    async def get_or_lease(self, key: str, token: str, lease: float) -> Leased: ...
    async def fill(self, key: str, token: str, value: str | None, ttl: float) -> bool: ...


class Texts(Protocol):
    """The two commands of Redis that a cache with its own entries needs."""

    async def get(self, key: str) -> Any: ...
    async def set(self, key: str, text: str, *, px: int) -> Any: ...


class Database(Protocol):
    """The store of record. Each write of a key has a higher version than the one before."""

    async def read(self, key: str) -> str | None: ...
    async def write(self, key: str, value: str) -> int: ...
