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

from course_lib.lab import Effect, World, explore
from course_lib.systems import caching

__all__ = [
    "Seen",
    "Server",
    "bad_orders",
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
        setup = await caching.SqlDatabase.on(await world.sql("setup", isolation_level=None))
        for key, value in rows.items():
            await setup.write(key, value)
        cache = caching.RedisCache(world.redis("setup"))
        await cache.load()
        # Only now: if the setup dies halfway, the next server begins it again.
        ready.add("made")
    connection = await world.sql(name, isolation_level=None)
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


Act = Callable[[Server], Awaitable[Any]]
Scenario = Callable[[World], Coroutine[Any, Any, Seen]]


def read_while_written(read: Act, *writes: Act) -> Scenario:
    """A scenario: one server reads and others write, all at once; then a later server reads.

    The row is "old" at first, and in no cache.

    >>> explore(read_while_written(read, write), fresh)
    """

    async def scenario(world: World) -> Seen:
        reader = await open_server(world, "reader", **{KEY: "old"})
        writers = [await open_server(world, f"writer {n + 1}") for n in range(len(writes))]
        writing = [write(server) for write, server in zip(writes, writers, strict=True)]
        await asyncio.gather(read(reader), *writing)
        later = await open_server(world, "later")
        return Seen(await read(later), await later.database.read(KEY))

    return scenario


def fresh(seen: Seen) -> None:
    """The invariant: whoever reads when all is done gets what the database holds."""
    assert seen.answer == seen.row, f"readers get {seen.answer!r}, the database has {seen.row!r}"


def bad_orders(scenario: Scenario) -> tuple[int, int]:
    """How many orders leave a stale entry, of how many that differ in more than commuting effects.

    >>> bad_orders(read_while_written(read, write))
    (1, 5)
    """
    seen: list[bool] = []

    def keep(each: Seen) -> None:
        seen.append(each.answer != each.row)

    explored = explore(scenario, keep)
    assert explored.exhaustive, "there are more orders than the budget allows"
    return sum(seen), len(seen)


def story(effects: list[Effect]) -> list[Effect]:
    """The effects without those that only prepared the scene."""
    return [effect for effect in effects if effect.who != "setup"]
