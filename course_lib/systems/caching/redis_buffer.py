"""The write-back buffer in Redis: what is dirty, and what is being flushed, one hash each.

`begin` turns the dirty hash into the batch by renaming it, so writes that come meanwhile start a
new hash and cannot be lost. The batch's number is Redis's clock, or one more than the last: it
grows even over a restart that forgot everything.
Leaves out: surviving that restart; see Redis's AOF for how much it keeps.
Source: https://redis.io/docs/latest/commands/rename/
"""

from __future__ import annotations

from redis.asyncio import Redis

from course_lib.systems.caching.write_back import Batch

__all__ = ["BEGIN", "DONE", "STAGE", "STAGED", "RedisBuffer"]

STAGE = """
local dirty, flushing = KEYS[1], KEYS[2]
local known = redis.call('HEXISTS', dirty, ARGV[1])
local count = redis.call('HLEN', dirty) + redis.call('HLEN', flushing)
if known == 0 and count >= tonumber(ARGV[3]) then return 0 end
redis.call('HSET', dirty, ARGV[1], ARGV[2])
return 1
"""

STAGED = """
return redis.call('HGET', KEYS[1], ARGV[1]) or redis.call('HGET', KEYS[2], ARGV[1])
"""

BEGIN = """
local dirty, flushing, number = KEYS[1], KEYS[2], KEYS[3]
if redis.call('EXISTS', flushing) == 0 then
  if redis.call('EXISTS', dirty) == 0 then return false end
  local time = redis.call('TIME')
  local now = time[1] * 1000000 + time[2]
  local last = tonumber(redis.call('GET', number) or 0)
  redis.call('SET', number, string.format('%d', math.max(now, last + 1)))
  redis.call('RENAME', dirty, flushing)
end
return {redis.call('GET', number), redis.call('HGETALL', flushing)}
"""

DONE = """
if redis.call('GET', KEYS[3]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
return 1
"""


class RedisBuffer:
    """Acknowledged writes in Redis, for WriteBack.

    >>> buffer = RedisBuffer(redis)
    >>> await buffer.stage("cup", "8 EUR", bound=100)
    True
    >>> (await buffer.begin()).items
    {'cup': '8 EUR'}
    """

    def __init__(self, redis: Redis, prefix: str = "buffer") -> None:
        self.redis = redis
        self.keys = [f"{prefix}:dirty", f"{prefix}:flushing", f"{prefix}:number"]
        self._stage, self._staged, self._begin, self._done = map(
            redis.register_script, (STAGE, STAGED, BEGIN, DONE)
        )

    def __repr__(self) -> str:
        return f"RedisBuffer({', '.join(self.keys)})"

    async def load(self) -> None:
        """Load the scripts beforehand, so that the first write is one round trip like all."""
        for script in (STAGE, STAGED, BEGIN, DONE):
            await self.redis.script_load(script)

    async def stage(self, key: str, value: str, bound: int) -> bool:
        """Hold the write; False if that would be more than `bound` keys."""
        return bool(await self._stage(keys=self.keys, args=[key, value, bound]) == 1)

    async def staged(self, key: str) -> str | None:
        """The last value held for the key, None if there is none."""
        answer = await self._staged(keys=self.keys, args=[key])
        return None if answer is None else str(answer)

    async def begin(self) -> Batch | None:
        """The batch that is being flushed, or a new one of all that is dirty; None if nothing is.

        >>> await RedisBuffer(redis, "empty").begin()
        """
        answer = await self._begin(keys=self.keys)
        if answer is None:
            return None
        number, flat = answer
        return Batch(int(number), dict(zip(flat[::2], flat[1::2], strict=True)))

    async def done(self, batch: int) -> None:
        """Let this batch go; another one stays."""
        await self._done(keys=self.keys, args=[batch])
