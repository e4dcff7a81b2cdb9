"""What each of the real processes does that race for one key: it runs in a process of its own."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from course_lib.systems import caching
from course_lib.systems.caching import popular
from tests.systems.real_redis import RealWorld, meet, within

Shop = tuple[Callable[[str], Awaitable[Any]], Callable[[str, str], Awaitable[Any]]]
HOUR = 3600


class Counting:
    """A database whose reads are counted in Redis, by key: what reaches it from all processes."""

    def __init__(self, database: caching.SqlDatabase, redis: Any) -> None:
        self.database, self.redis = database, redis
        self.write = database.write

    async def read(self, key: str) -> str | None:
        """Count, then read."""
        await self.redis.incr(f"loads:{key}")
        return await self.database.read(key)


class Slow(Counting):
    """A database whose reader, having read, is held up until somebody has written."""

    async def read(self, key: str) -> str | None:
        """Read; say so, and wait until the write is done."""
        value = await super().read(key)
        await self.redis.rpush("has read", 1)
        assert await self.redis.blpop(["has written"], timeout=60)
        return value


def leased(redis: Any, database: Any, owner: str) -> Shop:
    """The chapter's cache-aside with leases; no lease ends within a test's time."""
    shop = caching.LeasedCacheAside(
        caching.RedisCache(redis), database, owner, ttl=HOUR, lease=HOUR, pause=0.005
    )
    return shop.read, shop.write


def naive(redis: Any, database: Any, owner: str) -> Shop:
    """The popular cache-aside: ask, load, keep; write, then delete."""

    async def read(key: str) -> Any:
        return await popular.cache_aside_read(redis, database, key)

    async def write(key: str, value: str) -> None:
        await popular.write_then_delete(redis, database, key, value)

    return read, write


WAYS = {"leases": leased, "popular": naive}


async def opened(world: RealWorld, way: str, owner: str, kind: type[Counting] = Counting) -> Shop:
    """A process's own connections, and its way to read and write through them."""
    redis = world.redis(owner)
    database = await caching.SqlDatabase.on(await world.sql(owner, isolation_level=None))
    return WAYS[way](redis, kind(database, redis), owner)


def in_process(act: Callable[[RealWorld], Awaitable[Any]], url: str, folder: Path) -> Any:
    """Run one process's part."""
    return asyncio.run(within(RealWorld(url, folder), act))


def stampede(number: int, processes: int, way: str, keys: int, url: str, folder: Path) -> list[Any]:
    """Ask for one absent key after the other, each at once with all other processes."""

    async def act(world: RealWorld) -> list[Any]:
        (read, _), redis, answers = await opened(world, way, f"{number}"), world.redis(""), []
        for key in range(keys):
            await meet(redis, f"round {key}", processes)
            answers.append(await read(f"key {key}"))
        return answers

    return in_process(act, url, folder)


def stale_set(
    number: int, processes: int, way: str, keys: int, url: str, folder: Path
) -> list[Any]:
    """Even processes read a key, odd ones write it, at once; then all read it."""

    async def act(world: RealWorld) -> list[Any]:
        (read, write), redis = await opened(world, way, f"{number}"), world.redis("")
        answers = []
        for key in map("key {}".format, range(keys)):
            await meet(redis, f"{key} begins", processes)
            await (write(key, f"by {number}") if number % 2 else read(key))
            await meet(redis, f"{key} ends", processes)
            answers.append(await read(key))
        return answers

    return in_process(act, url, folder)


def held_up(number: int, way: str, url: str, folder: Path) -> Any:
    """Process 0 reads and is held up between database and cache; process 1 writes meanwhile."""

    async def act(world: RealWorld) -> Any:
        redis = world.redis("")
        if number == 0:
            read, _ = await opened(world, way, "reader", Slow)
            return await read("key 0")
        _, write = await opened(world, way, "writer")
        assert await redis.blpop(["has read"], timeout=60)
        await write("key 0", "new")
        await redis.rpush("has written", 1)
        return None

    return in_process(act, url, folder)


def dies_with_the_lease(number: int, url: str, folder: Path) -> None:
    """Read an absent key, and wait for ever in the database: whoever looks on kills us."""

    async def act(world: RealWorld) -> None:
        read, _ = await opened(world, "leases", "dying", Slow)
        await read("key 0")

    in_process(act, url, folder)


def write_back(redis: Any, database: Any, owner: str) -> caching.WriteBack:
    """Write-back with room for three dirty keys of all processes together."""
    reader = caching.LeasedCacheAside(caching.RedisCache(redis), database, owner, lease=HOUR)
    return caching.WriteBack(caching.RedisBuffer(redis), database, reader, bound=3)


def writes_back(number: int, processes: int, keys: int, url: str, folder: Path) -> None:
    """Write to keys of one's own, at once with all others: who finds no room flushes for all."""

    async def act(world: RealWorld) -> None:
        redis = world.redis("")
        database = await caching.SqlDatabase.on(await world.sql("main", isolation_level=None))
        shop = write_back(redis, database, f"{number}")
        await meet(redis, "begin", processes)
        for key in range(number, keys, processes):
            await shop.write(f"key {key}", f"by {number}")

    in_process(act, url, folder)


class Stuck(caching.SqlDatabase):
    """A database that takes no batch, and says so in Redis."""

    redis: Any

    async def write_batch(self, batch: int, items: Any) -> bool:
        """Say that one has come, and wait for what does not come."""
        await self.redis.rpush("has begun", batch)
        await self.redis.blpop(["never"])
        return False


def dies_in_its_flush(number: int, url: str, folder: Path) -> None:
    """Acknowledge two writes and flush: whoever looks on kills us before they are written."""

    async def act(world: RealWorld) -> None:
        database = await Stuck.on(await world.sql("main", isolation_level=None))
        database.redis = redis = world.redis("")  # type: ignore[attr-defined]
        shop = write_back(redis, database, f"{number}")
        await shop.write("key 0", "told")
        await shop.write("key 1", "told")
        await shop.flush()

    in_process(act, url, folder)


def flushes(url: str, folder: Path) -> int:
    """Flush once; how many rows were written."""

    async def act(world: RealWorld) -> int:
        database = await caching.SqlDatabase.on(await world.sql("main", isolation_level=None))
        return await write_back(world.redis(""), database, "next").flush()

    return in_process(act, url, folder)
