"""Chapter 18's harness: servers in a world, one row in the database, and what a later reader sees.

A scenario made here runs under `explore` and `crash_everywhere`. Everything that prepares or looks
afterwards is done by nodes of its own, so that `story` can show the part that matters.
Leaves out: what the sliders run (caching_tune.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from course_lib.lab import Effect, World
from course_lib.systems import caching

__all__ = [
    "Seen",
    "Server",
    "fresh",
    "open_server",
    "read_while_written",
    "readers_at_once",
    "story",
]

KEY = "cup"
Read = Callable[[str], Awaitable[Any]]


@dataclass
class Server:
    """One node with its connections to both stores."""

    name: str
    world: World
    redis: Redis
    cache: caching.RedisCache
    database: caching.SqlDatabase

    @property
    def leased(self) -> caching.LeasedCacheAside:
        """Cache-aside with leases, as this server runs it."""
        return caching.LeasedCacheAside(self.cache, self.database, self.name)


async def open_server(world: World, name: str, **rows: str) -> Server:
    """A server of a world; the first one makes the tables and writes `rows`.

    >>> server = await open_server(world, "server 1", cup="old")
    """
    ready: set[str] = world.part("tables", set)
    if not ready:
        setup = await caching.SqlDatabase.on(await world.sql("setup"))
        for key, value in rows.items():
            await setup.write(key, value)
        cache = caching.RedisCache(world.redis("setup"))
        await cache.load()
        # Only now: if the setup dies halfway, the next server begins it again.
        ready.add("made")
    connection = await world.sql(name)
    connection.isolation_level = None
    redis = world.redis(name)
    return Server(name, world, redis, caching.RedisCache(redis), caching.SqlDatabase(connection))


async def readers_at_once(
    world: World, read_of: Callable[[Server], Read], readers: int, servers: int = 1, key: str = KEY
) -> int:
    """Let readers ask for one key at the same time, in turn at the servers; counts the SELECTs.

    `read_of(server)` makes each server's way of reading, once.

    >>> await readers_at_once(world, lambda server: server.leased.read, readers=100)
    1
    """
    opened = [await open_server(world, f"server {n + 1}", cup="7 EUR") for n in range(servers)]
    reads = [read_of(server) for server in opened]
    await asyncio.gather(*(reads[n % servers](key) for n in range(readers)))
    return sum(effect.what.startswith("SELECT value") for effect in world.log)


@dataclass(frozen=True)
class Seen:
    """What a reader gets after everything is done, and what the database holds."""

    answer: str | None
    row: str | None


Act = Callable[[Server], Awaitable[object]]


def read_while_written(
    read: Act, *writes: Act, before: Act | None = None
) -> Callable[[World], Coroutine[Any, Any, Seen]]:
    """A scenario: one server reads and others write, all at once; then a later server reads.

    The row is "old" at first, and in no cache, unless `before` brings it there.

    >>> explore(read_while_written(read, write), fresh)
    """

    async def scenario(world: World) -> Seen:
        reader = await open_server(world, "reader", **{KEY: "old"})
        names = [f"writer {n + 1}" if len(writes) > 1 else "writer" for n in range(len(writes))]
        writers = [await open_server(world, name) for name in names]
        if before is not None:
            await before(reader)
        acts = [read(reader), *(w(s) for w, s in zip(writes, writers, strict=True))]
        await asyncio.gather(*acts)
        later = await open_server(world, "later")
        answer = await read(later)
        return Seen(answer, await later.database.read(KEY))  # type: ignore[arg-type]

    return scenario


def fresh(seen: Seen) -> None:
    """The invariant: whoever reads when all is done gets what the database holds."""
    assert seen.answer == seen.row, f"readers get {seen.answer!r}, the database has {seen.row!r}"


def story(effects: list[Effect]) -> list[Effect]:
    """The effects without those that only prepared the scene."""
    return [effect for effect in effects if effect.who != "setup"]
