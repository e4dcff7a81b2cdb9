"""Stale-while-revalidate: an entry that is a little too old is served, and renewed behind it.

Nobody waits while it is renewed, and one load is under way at most. The price is an answer that may
be `fresh + stale` seconds old.
Leaves out: serving stale entries when the load fails (stale-if-error).
Source: RFC 5861, section 3.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

from course_lib.systems.caching.interface import Texts
from course_lib.systems.caching.redis_cache import milliseconds
from course_lib.systems.caching.single_flight import SingleFlight

__all__ = ["StaleWhileRevalidate"]


class StaleWhileRevalidate:
    """Serves entries up to `fresh` seconds old, and up to `stale` more while one is renewed.

    >>> prices = StaleWhileRevalidate(redis, database.read, clock, fresh=10, stale=60)
    >>> await prices.read("cup")
    '7 EUR'
    """

    def __init__(
        self,
        redis: Texts,
        load: Callable[[str], Awaitable[str | None]],
        clock: Callable[[], float],
        fresh: float = 10.0,
        stale: float = 60.0,
    ) -> None:
        self.redis, self.load, self.clock = redis, load, clock
        self.fresh, self.stale = fresh, stale
        self._flights: SingleFlight[str | None] = SingleFlight()
        self._renewals: set[asyncio.Task[str | None]] = set()

    async def read(self, key: str) -> str | None:
        """At once if anything is there; only a reader that finds nothing at all waits."""
        text = await self.redis.get(f"swr:{key}")
        if text is None:
            return await self._flights.do(key, self._renew)
        entry = json.loads(text)
        if self.clock() - entry["stored"] > self.fresh:
            self._renew_behind(key)
        return str(entry["value"]) if entry["value"] is not None else None

    def _renew_behind(self, key: str) -> None:
        """A task that nobody holds may be collected halfway, so it is held here."""
        task = asyncio.ensure_future(self._flights.do(key, self._renew))
        self._renewals.add(task)
        task.add_done_callback(self._renewals.discard)

    async def _renew(self, key: str) -> str | None:
        value = await self.load(key)
        entry = json.dumps({"value": value, "stored": self.clock()})
        await self.redis.set(f"swr:{key}", entry, px=milliseconds(self.fresh + self.stale))
        return value
