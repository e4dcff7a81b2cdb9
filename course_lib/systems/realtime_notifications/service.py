"""The notification service: it takes events off a queue and writes notices into the log.

An entry is acknowledged only when its notices are written. A worker that dies in between finds the
entry again when it starts anew, and writes the same notices: the log knows them by their source,
so each is there once. Leaves out: entries that fail again and again (dead letters, chapter 26).
Source: Redis documentation, Streams, consumer groups.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, NamedTuple

from redis.asyncio import Redis
from redis.exceptions import ResponseError, TimeoutError

from course_lib.systems.realtime_notifications.log import Log

__all__ = ["EventQueue", "Told", "Worker"]

Event = dict[str, str]
MINE = "0"
"""In XREADGROUP: entries that this consumer has taken and not acknowledged."""
NEW = ">"


class Told(NamedTuple):
    """What one user is to be told; see Notice."""

    user: str
    data: str
    key: str = ""


class EventQueue:
    """Where API servers put what has happened, and go on with their own work."""

    def __init__(self, redis: Redis, name: str = "events", longest: int = 100_000):
        self.redis, self.name, self.longest = redis, name, longest

    async def put(self, event: Event) -> str:
        """Append an event and give its id in the queue."""
        entry: Any = dict(event)
        return str(await self.redis.xadd(self.name, entry, maxlen=self.longest))


class Worker:
    """One of the processes that turn events into notices: `notify(event)` says who is told what."""

    def __init__(
        self,
        queue: EventQueue,
        log: Log,
        notify: Callable[[Event], Iterable[Told]],
        name: str = "worker 1",
        group: str = "notifications",
    ):
        self.queue, self.log, self.notify = queue, log, notify
        self.name, self.group = name, group

    async def run(self) -> None:
        """Work without an end: first what an earlier life of this worker left, then what comes."""
        await self.prepare()
        while True:
            while await self.take(MINE):
                pass
            # redis-py waits 5 s for an answer; one that came too late is then among MINE.
            with suppress(TimeoutError):
                while True:
                    await self.take(NEW, block=0)

    async def prepare(self) -> None:
        """Make the queue and the group, if they are not there."""
        with suppress(ResponseError):  # BUSYGROUP: somebody has
            await self.queue.redis.xgroup_create(self.queue.name, self.group, "0", mkstream=True)

    async def take(self, which: str = NEW, block: int | None = None) -> int:
        """Handle up to 10 entries and say how many; `block` is in milliseconds, 0 for ever."""
        redis, name = self.queue.redis, self.queue.name
        answer: Any = await redis.xreadgroup(
            self.group, self.name, {name: which}, count=10, block=block
        )
        entries = answer[0][1] if answer else []
        for entry, event in entries:
            await self.handle(entry, event)
        return len(entries)

    async def handle(self, entry: str, event: Event) -> None:
        """Write an event's notices, and only then acknowledge it."""
        for number, told in enumerate(self.notify(event)):
            await self.log.publish(*told, source=f"{entry}:{number}")
        await self.queue.redis.xack(self.queue.name, self.group, entry)
