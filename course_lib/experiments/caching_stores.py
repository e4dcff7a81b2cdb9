"""Stores in memory with the latency of real ones, so that sliders can send a thousand requests.

They answer to the same verbs as the Redis and SQLite edges, so the strategies that run on them are
the very ones of the chapter. A test holds them against the world's Redis and SQLite.
Leaves out: failures; `forget` is a cache that restarts empty.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from course_lib.systems import caching

__all__ = ["Shelf", "Table", "Texts", "Tray"]


def now() -> float:
    """The virtual time, in seconds."""
    return asyncio.get_running_loop().time()


class Shelf:
    """A shared cache of `size` entries, LRU; each call takes `latency` seconds."""

    def __init__(self, size: int, latency: float) -> None:
        self.entries = caching.LocalCache(caching.LRU, size, now)
        self.latency = latency
        self.leases: dict[str, tuple[str, float]] = {}
        self.versions: dict[str, int] = {}

    def forget(self) -> None:
        """Restart empty."""
        self.entries.clear()
        self.leases.clear()
        self.versions.clear()

    async def get(self, key: str) -> caching.Found | None:
        await asyncio.sleep(self.latency)
        return self.entries.get(key)

    async def set(self, key: str, value: str | None, ttl: float) -> None:
        await asyncio.sleep(self.latency)
        self.entries.set(key, value, ttl)

    async def delete(self, *keys: str) -> None:
        await asyncio.sleep(self.latency)
        for key in keys:
            self.entries.delete(key)
            self.leases.pop(key, None)

    async def get_or_lease(self, key: str, token: str, lease: float) -> caching.Leased:
        await asyncio.sleep(self.latency)
        found = self.entries.get(key)
        if found is not None:
            return caching.Leased(found, False)
        holder = self.leases.get(key)
        if holder is not None and holder[1] > now():
            return caching.Leased(None, False)
        self.leases[key] = (token, now() + lease)
        return caching.Leased(None, True)

    async def fill(self, key: str, token: str, value: str | None, ttl: float) -> bool:
        await asyncio.sleep(self.latency)
        if self.leases.get(key, ("", 0.0))[0] != token:
            return False
        del self.leases[key]
        self.entries.set(key, value, ttl)
        return True

    async def set_if_newer(self, key: str, version: int, value: str, ttl: float) -> bool:
        await asyncio.sleep(self.latency)
        self.leases.pop(key, None)
        if version <= self.versions.get(key, 0):
            return False
        self.versions[key] = version
        self.entries.set(key, value, ttl)
        return True


class Table:
    """A database; each statement takes `latency` seconds, and its moment is kept."""

    def __init__(self, latency: float) -> None:
        self.rows: dict[str, str] = {}
        self.latency = latency
        self.reads: list[float] = []
        self.writes: list[float] = []
        self.busy: list[tuple[float, int]] = []
        self._running = self._version = self._batch = 0

    async def _statement(self, kind: list[float]) -> None:
        kind.append(now())
        self._running += 1
        self.busy.append((now(), self._running))
        await asyncio.sleep(self.latency)
        self._running -= 1
        self.busy.append((now(), self._running))

    async def read(self, key: str) -> str | None:
        value = self.rows.get(key)
        await self._statement(self.reads)
        return value

    async def write(self, key: str, value: str) -> int:
        await self._statement(self.writes)
        self.rows[key] = value
        self._version += 1
        return self._version

    async def write_batch(self, batch: int, items: Mapping[str, str]) -> bool:
        """One transaction: as many statements as rows, and they all take effect at its end."""
        self.writes += [now()] * len(items)
        await asyncio.sleep(self.latency)
        if batch > self._batch:
            self.rows.update(items)
        fresh, self._batch = batch > self._batch, max(batch, self._batch)
        return fresh


class Tray:
    """A write-back buffer."""

    def __init__(self, latency: float) -> None:
        self.latency = latency
        self.dirty: dict[str, str] = {}
        self.flushing: dict[str, str] = {}
        self._number = 0

    def forget(self) -> None:
        """Restart empty."""
        self.dirty, self.flushing = {}, {}

    async def stage(self, key: str, value: str, bound: int) -> bool:
        await asyncio.sleep(self.latency)
        if key not in self.dirty and len(self.dirty) + len(self.flushing) >= bound:
            return False
        self.dirty[key] = value
        return True

    async def staged(self, key: str) -> str | None:
        await asyncio.sleep(self.latency)
        return self.dirty.get(key) or self.flushing.get(key)

    async def begin(self) -> caching.Batch | None:
        await asyncio.sleep(self.latency)
        if not self.flushing:
            if not self.dirty:
                return None
            self._number += 1
            self.flushing, self.dirty = self.dirty, {}
        return caching.Batch(self._number, dict(self.flushing))

    async def done(self, batch: int) -> None:
        await asyncio.sleep(self.latency)
        if batch == self._number:
            self.flushing = {}


class Texts:
    """A cache of texts with a time to live, as EarlyRecompute and StaleWhileRevalidate use it."""

    def __init__(self, latency: float) -> None:
        self.entries = caching.LocalCache(caching.LRU, 1000, now)
        self.latency = latency

    async def get(self, key: str) -> str | None:
        await asyncio.sleep(self.latency)
        found = self.entries.get(key)
        return None if found is None else found.value

    async def set(self, key: str, text: str, *, px: int) -> Any:
        await asyncio.sleep(self.latency)
        self.entries.set(key, text, px / 1000)
