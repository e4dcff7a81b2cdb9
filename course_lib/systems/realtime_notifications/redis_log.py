"""The log on Redis Streams: one stream that every server follows, and one for each user.

A script appends a notice to both under one id, so a server may follow the first and still resume a
client from the second. The same script remembers what a notice was made from, its `source`, so
that making it twice makes it once. Leaves out: expiry of the streams of users who never come back,
and sharding of the stream that all servers follow.
Source: Redis documentation, Streams, XADD, XRANGE, XREAD.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from redis.asyncio import Redis

from course_lib.systems.realtime_notifications.log import START, Notice, Replay, order

__all__ = ["RedisLog"]

APPEND = """
local seen = ARGV[4] ~= '' and redis.call('GET', KEYS[3])
local id = seen
if not seen then
  local fields = {'user', ARGV[1], 'data', ARGV[2], 'key', ARGV[3]}
  id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[5], '*', unpack(fields))
  redis.call('XADD', KEYS[2], 'MAXLEN', ARGV[6], id, unpack(fields))
  if ARGV[4] ~= '' then redis.call('SET', KEYS[3], id, 'EX', ARGV[7]) end
end
return id
"""
AT_ONCE = 100
"""Notices asked for in one XREAD."""


class RedisLog:
    """A log that all servers share; `prefix` begins each of its keys.

    keep: the last notices of each user that are kept for those who resume.
    follow: about as many of all users, for servers that fall behind.
    remember: seconds for which a source is known to be done.
    """

    def __init__(
        self,
        redis: Redis,
        *,
        prefix: str = "notifications",
        keep: int = 1000,
        follow: int = 10_000,
        remember: int = 86_400,
    ):
        self.redis, self.prefix = redis, prefix
        self.keep, self.follow, self.remember = keep, follow, remember
        self.stream = f"{prefix}:all"
        self._append = redis.register_script(APPEND)

    def feed(self, user: str) -> str:
        """The key of one user's stream."""
        return f"{self.prefix}:user:{user}"

    async def publish(self, user: str, data: str, key: str = "", source: str = "") -> str:
        """Append a notice and give its id; a `source` that was seen before gives the id of then."""
        keys = [self.stream, self.feed(user), f"{self.prefix}:done:{source}"]
        sizes = [self.follow, self.keep, self.remember]
        return str(await self._append(keys, [user, data, key, source, *sizes]))

    async def since(self, user: str, after: str) -> Replay:
        """This user's notices after the position `after`, in one step."""
        feed = self.feed(user)
        async with self.redis.pipeline(transaction=True) as pipe:
            pipe.xlen(feed)
            pipe.xrange(feed, "-", "+", count=1)
            pipe.xrange(feed, f"({after}", "+")
            length, first, entries = await pipe.execute()
        # A full stream may have lost what came between the position and its first entry.
        whole = length < self.keep or order(first[0][0]) <= order(after)
        return Replay([_notice(entry) for entry in entries], whole)

    async def end(self) -> str:
        """The id of the last notice of all."""
        last = await self.redis.xrevrange(self.stream, "+", "-", count=1)
        return str(last[0][0]) if last else START

    async def tail(self, after: str) -> AsyncIterator[Notice]:
        """All notices after the position `after`, as they come, without an end."""
        while True:
            answer: Any = await self.redis.xread({self.stream: after}, count=AT_ONCE, block=0)
            for entry in answer[0][1]:
                after = entry[0]
                yield _notice(entry)


def _notice(entry: tuple[str, dict[str, str]]) -> Notice:
    id, fields = entry
    return Notice(id, fields["user"], fields["data"], fields["key"])
