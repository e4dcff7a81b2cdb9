"""The shared cache: a thin edge over Redis, one command or one script for each verb.

Values are JSON, so that "no such row" (null) can be told from "not cached" (no key).
Leaves out: Redis clusters (the two keys of a lease would need one hash tag), and compression.
Sources: https://redis.io/docs/latest/commands/set/; the lease is after Nishtala et al., Scaling
Memcache at Facebook, NSDI 2013, section 3.2.1.
"""

from __future__ import annotations

import json

from redis.asyncio import Redis

from course_lib.systems.caching.interface import Found, Leased

__all__ = ["FILL", "GET_OR_LEASE", "SET_IF_NEWER", "RedisCache"]

GET_OR_LEASE = """
local value = redis.call('GET', KEYS[1])
if value then return {1, value} end
if redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then return {0, 'granted'} end
return {0, 'taken'}
"""

FILL = """
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('DEL', KEYS[2])
return 1
"""

SET_IF_NEWER = """
redis.call('DEL', KEYS[3])
local known = tonumber(redis.call('GET', KEYS[2]) or 0)
if tonumber(ARGV[1]) <= known then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[3])
return 1
"""


class RedisCache:
    """A cache over Redis, shared by all servers.

    >>> cache = RedisCache(redis)
    >>> await cache.set("cup", "7 EUR", ttl=60)
    >>> await cache.get("cup")
    Found(value='7 EUR')
    """

    def __init__(self, redis: Redis, prefix: str = "cache") -> None:
        self.redis = redis
        self.prefix = prefix
        self._get_or_lease = redis.register_script(GET_OR_LEASE)
        self._fill = redis.register_script(FILL)
        self._set_if_newer = redis.register_script(SET_IF_NEWER)

    def __repr__(self) -> str:
        return f"RedisCache(prefix={self.prefix!r})"

    async def load(self) -> None:
        """Load the scripts beforehand, so that the first call is one round trip like all others."""
        for script in (GET_OR_LEASE, FILL, SET_IF_NEWER):
            await self.redis.script_load(script)

    async def get(self, key: str) -> Found | None:
        """A hit as Found, a miss as None."""
        return _decoded(await self.redis.get(self._value(key)))

    async def set(self, key: str, value: str | None, ttl: float) -> None:
        """Keep the value for `ttl` seconds, whatever was there."""
        await self.redis.set(self._value(key), json.dumps(value), px=milliseconds(ttl))

    async def delete(self, *keys: str) -> None:
        """Forget values and take back their leases, in one command: no reader slips in between."""
        await self.redis.delete(*map(self._value, keys), *map(self._lease, keys))

    async def get_or_lease(self, key: str, token: str, lease: float) -> Leased:
        """A hit; or a miss, and whether this reader holds the lease for the next `lease` seconds.

        >>> await cache.get_or_lease("mug", "server 1:1", lease=2)
        Leased(found=None, granted=True)
        """
        keys = [self._value(key), self._lease(key)]
        hit, answer = await self._get_or_lease(keys=keys, args=[token, milliseconds(lease)])
        return Leased(_decoded(answer) if hit else None, answer == "granted" and not hit)

    async def fill(self, key: str, token: str, value: str | None, ttl: float) -> bool:
        """Keep the value if the lease is still this token's; False if a delete took it away."""
        keys = [self._value(key), self._lease(key)]
        args: list[str | int] = [token, json.dumps(value), milliseconds(ttl)]
        return bool(await self._fill(keys=keys, args=args) == 1)

    async def set_if_newer(self, key: str, version: int, value: str, ttl: float) -> bool:
        """Keep the value unless a later version was kept already, and take back a lease.

        >>> await cache.set_if_newer("cup", version=9, value="9 EUR", ttl=60)
        True
        >>> await cache.set_if_newer("cup", version=8, value="8 EUR", ttl=60)
        False
        """
        keys = [self._value(key), f"{self.prefix}:version:{key}", self._lease(key)]
        args: list[str | int] = [version, json.dumps(value), milliseconds(ttl)]
        return bool(await self._set_if_newer(keys=keys, args=args) == 1)

    def _value(self, key: str) -> str:
        return f"{self.prefix}:{key}"

    def _lease(self, key: str) -> str:
        return f"{self.prefix}:lease:{key}"


def milliseconds(seconds: float) -> int:
    """Whole milliseconds, at least one: Redis refuses a time to live of 0."""
    return max(1, round(1000 * seconds))


def _decoded(text: str | bytes | None) -> Found | None:
    return None if text is None else Found(json.loads(text))
