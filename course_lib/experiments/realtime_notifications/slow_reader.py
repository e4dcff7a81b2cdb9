"""The second sliders: a client that reads more slowly than its notices come."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Literal

from course_lib.lab import World, load
from course_lib.show import Lanes, Series, Trace
from course_lib.systems import realtime_notifications as rt

__all__ = ["slow_reader"]

NAMES = ("read", "dropped", "disconnected")
Event = tuple[float, int, Literal["admitted", "denied", "failed"], str]


async def slow_reader(*, seed: int, policy: str, rate: int, reads: int, limit: int) -> Trace:
    """Ten seconds of `rate` notices a second about five orders, for one who reads `reads` a second.

    The policy is one of the queue's, or "unbounded".
    """
    world = World(seed)
    queue = rt.ClientQueue(limit if policy != "unbounded" else 10**9, _bounded(policy))
    waiting: list[tuple[float, float]] = [(0.0, 0)]
    events: list[Event] = []
    arrivals = load.poisson(rate, 10, seed)
    reading = asyncio.ensure_future(_read(world, queue, reads, waiting, events))

    async def put(number: int, t: float) -> None:
        before = queue.dropped
        queue.put(rt.Notice(f"{number}-1", "ann", f"notice {number}", f"order {number % 5}"))
        events.extend((t, 0, "denied", "dropped") for _ in range(queue.dropped - before))
        waiting.append((t, len(queue.waiting)))

    await load.replay(arrivals, put, origin=0)
    await asyncio.sleep(12 - world.now)
    reading.cancel()
    return _slow_picture(policy, waiting, events, limit, len(arrivals))


def _bounded(policy: str) -> rt.Policy:
    return policy if policy in rt.POLICIES else "drop oldest"


async def _read(
    world: World,
    queue: rt.ClientQueue,
    reads: int,
    waiting: list[tuple[float, float]],
    events: list[Event],
) -> None:
    try:
        while True:
            notice = await queue.get()
            assert notice is not None
            events.append((world.now, 0, "admitted", notice.data))
            waiting.append((world.now, len(queue.waiting)))
            await asyncio.sleep(1 / reads)
    except rt.Overflow:
        events.append((world.now, 0, "failed", "disconnected: resumes from the log"))


def _slow_picture(
    policy: str,
    waiting: list[tuple[float, float]],
    events: list[Event],
    limit: int,
    sent: int,
) -> Trace:
    most = max(value for _, value in waiting)
    count = Counter(event[2] for event in events)
    cut = next((f", disconnected at {t:.1f} s" for t, _, o, _ in events if o == "failed"), "")
    bound = None if policy == "unbounded" else limit
    return Trace(
        end=12,
        title=f"{policy}, one slow reader",
        summary=(
            f"{count['admitted']} of {sent} read, {count['denied']} dropped, "
            f"at most {most} waiting{cut}."
        ),
        tracks=[
            Lanes("Notices", ["ann"], sorted(events), NAMES),
            Series("Waiting for ann", {"waiting": waiting}, unit="notices", limit=bound),
        ],
    )
