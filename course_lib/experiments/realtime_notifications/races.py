"""What `explore` and `crash_everywhere` run: a client that comes back, and a worker that dies."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

from course_lib.experiments.realtime_notifications.stack import buyer
from course_lib.lab import World
from course_lib.systems import realtime_notifications as rt

__all__ = ["coming_back", "each_once", "once", "two_events", "worked_off", "worker_on"]

Subscribe = Callable[[rt.Hub, str, str], AsyncGenerator[Any, None]]


class _Watched(rt.Hub):
    """A hub that tells when somebody has joined."""

    def __init__(self, log: rt.Log):
        super().__init__(log, heartbeat=math.inf)
        self.joined = asyncio.Event()

    def join(self, user: str) -> rt.ClientQueue:
        self.joined.set()
        return super().join(user)


def coming_back(subscribe: Subscribe) -> Callable[[World], Awaitable[list[str]]]:
    """Ann has seen one notice and missed one; another is published while she comes back.

    A last one, "end", follows once she has joined. The scenario gives what she gets.
    """

    async def scenario(world: World) -> list[str]:
        api, hub = rt.RedisLog(world.redis("api")), _Watched(rt.RedisLog(world.redis("server")))
        seen = await api.publish("ann", "seen")
        await api.publish("ann", "missed")
        following = asyncio.ensure_future(hub.run())
        await hub.following.wait()
        phone = world.redis("phone", server="screen")
        listening = asyncio.ensure_future(_show(subscribe(hub, "ann", seen), phone))
        await api.publish("ann", "new")
        await hub.joined.wait()
        await api.publish("ann", "end")
        got = await listening
        following.cancel()
        return got

    return scenario


async def _show(items: AsyncGenerator[Any, None], phone: Any) -> list[str]:
    """Take notices to the phone until "end"; each takes its time to get there."""
    got: list[str] = []
    async with aclosing(items) as coming:
        async for item in coming:
            if isinstance(item, rt.Notice):
                got.append(item.data)
                await phone.set("shown", item.data)
                if item.data == "end":
                    break
    return got


def each_once(got: list[str]) -> None:
    """Ann gets all that she has not seen, in order, once."""
    assert got == ["missed", "new", "end"], f"ann got {', '.join(got)}"


# A worker that dies


def worker_on(log: type[rt.RedisLog]) -> Callable[[World], rt.Worker]:
    """A worker that writes into a log of this kind."""

    def make(world: World) -> rt.Worker:
        redis = world.redis("worker")
        return rt.Worker(rt.EventQueue(redis), log(redis), buyer)

    return make


def once(told: Counter[str]) -> None:
    """Ann is told of each order once."""
    assert told == {"order 7 shipped": 1, "order 8 shipped": 1}, f"ann is told {dict(told)}"


def two_events(make: Callable[[World], rt.Worker]) -> Callable[[World], Awaitable[None]]:
    """A worker takes two events off the queue."""

    async def scenario(world: World) -> None:
        worker = make(world)
        api = rt.EventQueue(world.redis("api"))
        await worker.prepare()
        for order in (7, 8):
            await api.put({"buyer": "ann", "text": f"order {order} shipped"})
        await worker.take()

    return scenario


def worked_off(make: Callable[[World], rt.Worker]) -> Callable[[World], Awaitable[Counter[str]]]:
    """The worker starts anew and works off what is left; gives how often ann is told what."""

    async def recover(world: World) -> Counter[str]:
        worker, log = make(world), rt.RedisLog(world.redis("auditor"))
        await worker.prepare()
        api, queue = rt.EventQueue(world.redis("api")), worker.queue
        while await worker.take("0") or await worker.take():
            pass
        for order in range(7 + await api.redis.xlen(queue.name), 9):  # the API server was cut short
            await api.put({"buyer": "ann", "text": f"order {order} shipped"})
            await worker.take()
        replay = await log.since("ann", "0-0")
        return Counter(notice.data for notice in replay.notices)

    return recover
