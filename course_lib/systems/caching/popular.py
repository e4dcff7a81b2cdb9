"""The popular answers, faithfully naive: each is found in many places, and each fails.

They are here to be broken, not used. Leaves out: nothing that the popular answer has.
"""

from __future__ import annotations

import asyncio

from redis.asyncio import Redis

from course_lib.systems.caching.interface import Database

__all__ = [
    "cache_aside_read",
    "delete_then_write",
    "write_behind",
    "write_then_delete",
    "write_then_set",
    "write_through",
]


async def cache_aside_read(redis: Redis, database: Database, key: str, ttl: int = 60) -> str | None:
    """Ask the cache; if there is nothing, ask the database and keep what it says.

    Fails: between the look into the database and the keeping, a writer can change the row. And
    "if not value" takes a cached empty value, or a row that is not there, for a miss.

    >>> await cache_aside_read(redis, database, "cup")
    '7 EUR'
    """
    value = await redis.get(key)
    if not value:
        value = await database.read(key)
        await redis.set(key, value or "", ex=ttl)
    return str(value) if value else None


async def write_then_delete(redis: Redis, database: Database, key: str, value: str) -> None:
    """Write the database, then delete the entry.

    Fails: a reader that saw the old row before may keep it afterwards; see cache_aside_read.
    """
    await database.write(key, value)
    await redis.delete(key)


async def delete_then_write(redis: Redis, database: Database, key: str, value: str) -> None:
    """Delete the entry, then write the database.

    Fails: any reader in between brings the old value back, and nothing deletes it again.
    """
    await redis.delete(key)
    await database.write(key, value)


async def write_then_set(redis: Redis, database: Database, key: str, value: str) -> None:
    """Write the database, then write the entry anew.

    Fails: two writers can reach the two stores in different orders.
    """
    await database.write(key, value)
    await redis.set(key, value)


async def write_through(redis: Redis, database: Database, key: str, value: str) -> None:
    """Write the cache, then the database.

    Fails: if the database refuses, every reader sees a value that was never written.
    """
    await redis.set(key, value)
    await database.write(key, value)


async def write_behind(
    redis: Redis, database: Database, key: str, value: str, later: float = 1.0
) -> asyncio.Task[int]:
    """Write the cache, answer, and let a task write the database `later` seconds from now.

    Fails: the task lives in this process and dies with it, after the write was acknowledged. And
    two such tasks of one key may run in either order.
    """
    await redis.set(key, value)

    async def write() -> int:
        await asyncio.sleep(later)
        return await database.write(key, value)

    return asyncio.ensure_future(write())
