"""The second sliders: a client that reads more slowly than its notices come."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import aclosing
from typing import Literal

from course_lib.lab import World, load
from course_lib.show import Lanes, Series, Trace
from course_lib.systems import realtime_notifications as rt

__all__ = ["slow_reader"]

NAMES = ("read", "dropped", "sent away")
NO_LIMIT = 10**9
SENT_FOR, END = 10, 12  # seconds
Event = tuple[float, int, Literal["admitted", "denied", "failed"], str]


class Reader:
    """Ann, who reads so many notices a second, and what became of hers."""

    def __init__(self, world: World, hub: rt.Hub, reads: int):
        self.world, self.hub, self.reads = world, hub, reads
        self.position = "0-0"
        self.events: list[Event] = []
        self.waiting: list[tuple[float, float]] = [(0.0, 0)]

    async def read(self) -> None:
        """Read, and when sent away, come back at once and go on after the last one read."""
        while True:
            async with aclosing(self.hub.subscribe("ann", self.position)) as items:
                async for item in items:
                    match item:
                        case rt.Notice(id, _, data):
                            self.position = id
                            self.note("admitted", data)
                            await asyncio.sleep(1 / self.reads)
                        case rt.Bye(_, reason):
                            self.note("failed", reason)

    def note(self, outcome: Literal["admitted", "denied", "failed"], text: str) -> None:
        """Write down what happened now, and how many wait."""
        self.events.append((self.world.now, 0, outcome, text))
        self.count()

    def count(self) -> None:
        """Write down how many wait now."""
        waiting = sum(len(queue.waiting) for queue in self.hub.queues["ann"])
        self.waiting.append((self.world.now, waiting))

    def dropped(self) -> int:
        """How many the queue has dropped that will never be read."""
        return sum(queue.dropped for queue in self.hub.queues["ann"] if queue.is_open)


async def slow_reader(*, seed: int, policy: str, rate: int, reads: int, limit: int) -> Trace:
    """Ten seconds of `rate` notices a second about five orders, for one who reads `reads` a second.

    The policy is one of the queue's, or "unbounded".
    """
    world = World(seed)
    bounded = policy in rt.POLICIES
    hub = rt.Hub(
        rt.MemoryLog(world.time),
        limit=limit if bounded else NO_LIMIT,
        policy=policy if bounded else "drop oldest",  # type: ignore[arg-type]
    )
    ann = Reader(world, hub, reads)
    running = [asyncio.ensure_future(hub.run()), asyncio.ensure_future(ann.read())]
    arrivals = load.poisson(rate, SENT_FOR, seed)

    async def put(number: int, t: float) -> None:
        before = ann.dropped()
        await hub.log.publish("ann", f"notice {number}", f"order {number % 5}")
        await asyncio.sleep(0)  # the hub delivers
        for _ in range(ann.dropped() - before):
            ann.note("denied", "dropped")
        ann.count()

    await load.replay(arrivals, put, origin=0)
    await asyncio.sleep(END - world.now)
    for task in running:
        task.cancel()
    return _picture(policy, ann, limit if bounded else None, len(arrivals))


def _picture(policy: str, ann: Reader, limit: int | None, sent: int) -> Trace:
    most = max(value for _, value in ann.waiting)
    count = Counter(event[2] for event in ann.events)
    left = sent - count["admitted"] - count["denied"]
    return Trace(
        end=END,
        title=f"{policy}, one slow reader",
        summary=(
            f"{count['admitted']} of {sent} read, {count['denied']} dropped, {left} still to come, "
            f"at most {most} waiting in memory, sent away {count['failed']} times."
        ),
        tracks=[
            Lanes("Notices", ["ann"], ann.events, NAMES),
            Series("Waiting in memory", {"waiting": ann.waiting}, unit="notices", limit=limit),
        ],
    )
