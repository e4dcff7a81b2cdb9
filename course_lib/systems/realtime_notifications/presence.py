"""Who is connected, and where: in Redis, with an expiry, because servers die without a word.

Each connection is a member of its user's sorted set, scored with the time at which it lapses unless
its server renews it. Time is Redis's own. A user is present while one connection is.
Leaves out: telling others that somebody came or went.
"""

from __future__ import annotations

import asyncio
import itertools

from redis import exceptions
from redis.asyncio import Redis

__all__ = ["Presence"]

RENEW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
"""
WHERE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
return redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf')
"""


class Presence:
    """What one server says of its connections; after `ttl` seconds without renewal they lapse."""

    def __init__(self, redis: Redis, server: str, ttl: float = 30.0):
        self.redis, self.server, self.ttl = redis, server, ttl
        self._mine: dict[str, str] = {}
        self._numbers = itertools.count(1)
        self._renew = redis.register_script(RENEW)
        self._where = redis.register_script(WHERE)

    async def enter(self, user: str) -> str:
        """Say that a connection of this user is open here; gives the connection's name."""
        connection = f"{self.server}:{next(self._numbers)}"
        self._mine[connection] = user
        await self._say(connection, user)
        return connection

    async def leave(self, connection: str) -> None:
        """Say that it is closed."""
        user = self._mine.pop(connection)
        await self.redis.zrem(self._key(user), connection)

    async def where(self, user: str) -> list[str]:
        """The user's open connections, such as ["server 1:7"]; none if the user is away."""
        return list(await self._where([self._key(user)], []))

    async def run(self) -> None:
        """Renew what is open here, three times within the time to live."""
        while True:
            await asyncio.sleep(self.ttl / 3)
            for connection, user in list(self._mine.items()):
                try:
                    await self._say(connection, user)
                except (exceptions.ConnectionError, exceptions.TimeoutError):
                    break  # there are two more tries before anything lapses

    async def _say(self, connection: str, user: str) -> None:
        await self._renew([self._key(user)], [connection, round(1000 * self.ttl)])

    def _key(self, user: str) -> str:
        return f"presence:{user}"
