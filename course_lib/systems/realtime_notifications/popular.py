"""The popular answers, as they are written and run; each docstring says how it fails."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator

from redis.asyncio import Redis

from course_lib.systems.realtime_notifications.hub import Hub
from course_lib.systems.realtime_notifications.log import Notice
from course_lib.systems.realtime_notifications.redis_log import RedisLog

__all__ = [
    "ConnectedFlag",
    "PlainLog",
    "Sockets",
    "back_in",
    "join_then_look",
    "look_then_join",
    "publish",
    "subscribe",
]


async def publish(redis: Redis, user: str, data: str) -> int:
    """Send to whoever listens on the user's channel; gives how many did.

    Fails: what is sent while nobody listens is gone.
    """
    return int(await redis.publish(f"notifications:{user}", data))


async def subscribe(redis: Redis, user: str) -> AsyncGenerator[str, None]:
    """Listen on the user's channel, from now on."""
    async with redis.pubsub() as channel:
        await channel.subscribe(f"notifications:{user}")
        async for message in channel.listen():
            if message["type"] == "message":
                yield message["data"]


async def look_then_join(hub: Hub, user: str, after: str) -> AsyncGenerator[Notice, None]:
    """Send what was missed, then join for what comes.

    Fails: what comes between the two is in neither.
    """
    replay = await hub.log.since(user, after)
    for notice in replay.notices:
        yield notice
    queue = hub.join(user)
    while (coming := await queue.get()) is not None:
        yield coming


async def join_then_look(hub: Hub, user: str, after: str) -> AsyncGenerator[Notice, None]:
    """Join for what comes, then send what was missed.

    Fails: what comes between the two is in both.
    """
    queue = hub.join(user)
    replay = await hub.log.since(user, after)
    for notice in replay.notices:
        yield notice
    while (coming := await queue.get()) is not None:
        yield coming


class PlainLog(RedisLog):
    """Appends what it is told to, without asking what it was made from.

    Fails: a worker that dies before it acknowledges an event tells it again.
    """

    async def publish(self, user: str, data: str, key: str = "", source: str = "") -> str:
        return await super().publish(user, data, key)


class Sockets:
    """The connections of one server, each with a queue.

    Fails: the queue of a client that reads too slowly has no bound.
    """

    def __init__(self) -> None:
        self.queues: defaultdict[str, list[asyncio.Queue[Notice]]] = defaultdict(list)

    def connect(self, user: str) -> asyncio.Queue[Notice]:
        queue: asyncio.Queue[Notice] = asyncio.Queue()
        self.queues[user].append(queue)
        return queue

    def send(self, notice: Notice) -> None:
        for queue in self.queues[notice.user]:
            queue.put_nowait(notice)


def back_in(attempt: int, seconds: float = 3.0) -> float:
    """When to reconnect: always in three seconds.

    Fails: all that lost one server come back at one moment.
    """
    return seconds


class ConnectedFlag:
    """Presence as one flag a user.

    Fails: closing one of two tabs says that the user is away, and a server that dies never does.
    """

    def __init__(self, redis: Redis):
        self.redis = redis

    async def enter(self, user: str) -> None:
        await self.redis.set(f"connected:{user}", 1)

    async def leave(self, user: str) -> None:
        await self.redis.delete(f"connected:{user}")

    async def is_here(self, user: str) -> bool:
        return bool(await self.redis.exists(f"connected:{user}"))
