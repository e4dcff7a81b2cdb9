"""The third sliders: all clients of a server lose it, and come back."""

from __future__ import annotations

import asyncio
import math
import random
from collections import Counter

from course_lib.lab import World, measure
from course_lib.show import Level, Series, Trace
from course_lib.systems import realtime_notifications as rt

__all__ = ["LEAVING", "WAITS", "deploy"]

AT = 5.0  # seconds: when the server goes
LEAVING = ("killed", "drained")
WAITS = ("always 3 s", "doubling, no jitter", "full jitter")


async def deploy(
    *, seed: int, clients: int, leaving: str, wait: str, capacity: int, spread: int
) -> Trace:
    """All clients lose their server at 5 s and connect again; a server takes `capacity` a second.

    leaving: "killed" cuts all at once; "drained" sends them away over `spread` seconds, each with a
        wait of its own.
    wait: what a client that was cut, or turned away, does by itself.
    """
    world, dice = World(seed), random.Random(seed)
    attempts: list[tuple[float, int, str, str]] = []
    connected: list[tuple[float, float]] = [(0.0, clients)]
    taken = Counter[int]()

    async def client(number: int) -> None:
        drained = leaving == "drained"
        # A client notices within a tenth of a second that its server is gone.
        await asyncio.sleep(AT + (spread * number / clients if drained else dice.uniform(0, 0.1)))
        connected.append((world.now, connected[-1][1] - 1))
        pause = dice.uniform(0, spread) if drained else _pause(wait, 0, dice)
        for failures in range(1, 40):
            await asyncio.sleep(pause)
            second = math.floor(world.now)
            if taken[second] < capacity:
                break
            attempts.append((world.now, 0, "denied", f"try {failures}"))
            pause = _pause(wait, failures, dice)
        taken[second] += 1
        attempts.append((world.now, 0, "admitted", f"try {failures}"))
        connected.append((world.now, connected[-1][1] + 1))

    await asyncio.gather(*map(client, range(clients)))
    return _deploy_picture(sorted(attempts), connected, clients, capacity, f"{leaving}, {wait}")


def _pause(wait: str, failures: int, dice: random.Random) -> float:
    if wait == "always 3 s":
        return rt.popular.back_in(failures)
    if wait == "doubling, no jitter":
        return float(min(30, 1 * 2**failures))
    return rt.full_jitter(failures, base=3, cap=30, random=dice)


def _deploy_picture(
    attempts: list[tuple[float, int, str, str]],
    connected: list[tuple[float, float]],
    clients: int,
    capacity: int,
    title: str,
) -> Trace:
    times = [t for t, *_ in attempts]
    end = math.ceil(times[-1]) + 1
    rate = measure.rates(times, 1.0, end=end)
    peak = max(value for _, value in rate)
    return Trace(
        end=end,
        title=title,
        summary=(
            f"{len(times)} attempts for {clients} clients, at most {peak:.0f} in a second; all are "
            f"back {times[-1] - AT:.1f} s after the server went."
        ),
        tracks=[
            Series("Attempts to connect", {"attempts": rate}, unit="a second", limit=capacity),
            Level("Connected", connected, clients, unit="clients"),
        ],
    )
