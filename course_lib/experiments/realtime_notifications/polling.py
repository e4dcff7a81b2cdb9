"""Polling in numbers: how late, and how often in vain."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from course_lib.lab import World, load
from course_lib.systems import realtime_notifications as rt

__all__ = ["Polled", "polled"]


class Polled(NamedTuple):
    """What polling came to: the delays of all notices in seconds, and the share of empty polls."""

    delays: list[float]
    empty: float


async def polled(seed: int, every: float, rate: float, polls: int) -> Polled:
    """Poll the hub `polls` times, one every `every` seconds, without latency.

    Notices come at random, `rate` a second.
    """
    world = World(seed)
    hub = rt.Hub(rt.MemoryLog(world.time, keep=100))
    following = asyncio.ensure_future(hub.run())
    arrivals = load.poisson(rate, polls * every, seed)
    delays, empty, position, number = list[float](), 0, "0-0", 0
    for poll in range(1, polls + 1):
        while number < len(arrivals) and arrivals[number] < poll * every:
            await _at(arrivals[number])
            await hub.log.publish("ann", str(number))
            number += 1
        await _at(poll * every)
        page = await hub.fetch("ann", position)
        empty += not page.notices
        delays += [world.now - arrivals[int(notice.data)] for notice in page.notices]
        position = page.next
    following.cancel()
    return Polled(delays, empty / polls)


async def _at(when: float) -> None:
    await asyncio.sleep(max(0.0, when - asyncio.get_running_loop().time()))
