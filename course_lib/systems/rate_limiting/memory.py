"""How much a key costs: the bytes of its name and of what is stored under it.

Counted are the bytes of the texts that the script writes. Redis adds some 50 to 100 bytes a key for
its tables and the expiry, and packs a short list of numbers to 9 bytes each; both depend on version
and settings, so they are left out. (MEMORY USAGE tells them, on a real Redis.)
"""

from __future__ import annotations

from redis.asyncio import Redis

__all__ = ["stored_bytes"]


async def stored_bytes(redis: Redis, key: str) -> int:
    """The bytes of a key's name and value, for strings and lists; 0 if there is none.

    >>> await redis.set("limit:gcra:user:7", "1767225600100000")
    >>> await stored_bytes(redis, "limit:gcra:user:7")
    33
    """
    kind = _text(await redis.type(key))
    if kind == "none":
        return 0
    values = await redis.lrange(key, 0, -1) if kind == "list" else [await redis.get(key)]
    return len(key.encode()) + sum(len(_text(value).encode()) for value in values)


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
