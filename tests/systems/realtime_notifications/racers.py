"""What real processes do to one real Redis in the tests of the log, presence and the worker."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from course_lib.experiments.realtime_notifications import two_events, worker_on
from course_lib.systems.realtime_notifications import Presence, RedisLog
from tests.systems.real_redis import RealWorld, meet, within


def in_process(act: Callable[[RealWorld], Awaitable[Any]], url: str) -> Any:
    """Run one process's part."""
    return asyncio.run(within(RealWorld(url, Path()), act))


def publish_all(number: int, processes: int, sources: int, url: str) -> list[str]:
    """Publish one notice for each source, each at once with all other processes; their ids."""

    async def act(world: RealWorld) -> list[str]:
        redis, ids = world.redis(""), []
        for source in map(str, range(sources)):
            await meet(redis, source, processes)
            ids.append(await RedisLog(redis).publish("ann", source, source=source))
        return ids

    return in_process(act, url)


def publish_many(number: int, processes: int, notices: int, url: str) -> None:
    """Publish so many notices to a user of this process, while all others do."""

    async def act(world: RealWorld) -> None:
        redis = world.redis("")
        await meet(redis, "begin", processes)
        for notice in range(notices):
            await RedisLog(redis).publish(f"user {number}", str(notice))

    in_process(act, url)


def dying_worker(moment: str, at: int, url: str) -> None:
    """Take two events, and die "before" or "after" notice number `at` is written."""

    class Log(RedisLog):
        """A log whose writer dies."""

        async def publish(self, *args: Any, **options: Any) -> str:
            written = int(await self.redis.incr("publishes"))
            if (moment, at) == ("before", written):
                os.kill(os.getpid(), signal.SIGKILL)
            id = await super().publish(*args, **options)
            if (moment, at) == ("after", written):
                os.kill(os.getpid(), signal.SIGKILL)
            return id

    in_process(two_events(worker_on(Log)), url)  # type: ignore[arg-type]


def present(ttl: float, url: str) -> None:
    """Say that ann and bob are here, renew it, and never end."""

    async def act(world: RealWorld) -> None:
        presence = Presence(world.redis(""), "dying", ttl)
        await presence.enter("ann")
        await presence.enter("bob")
        await world.redis("").rpush("is here", 1)
        await presence.run()

    in_process(act, url)
