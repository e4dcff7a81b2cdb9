"""Sleeps a second of the virtual clock, beside three libraries whose clocks jump as well.

One program for all: each task sleeps again and again, for a time of its own. Target: at least
twice async-solipsism. SimPy is no asyncio loop: its processes are generators, so it is a yardstick
and not a replacement.
"""

import asyncio
import statistics
import sys
from collections.abc import Callable, Generator
from functools import partial
from typing import Any

import async_solipsism
import simpy
import trio
import trio.testing

from course_lib.lab import run
from tests.benchmarks.report import Table, finish, ratio, rounds

SIZES = {1: 20_000, 100: 200, 10_000: 10}
ROUNDS = 7
TARGET = 2.0
OURS, RIVAL = "this course", "async-solipsism"


def pause(number: int) -> float:
    """How long a task sleeps: between 1 and 2 seconds, out of order, and no two tasks alike."""
    return 1 + number * 7919 % 10_007 / 10_007


async def sleepers(tasks: int, turns: int) -> None:
    """The program on asyncio."""

    async def sleeper(number: int) -> None:
        seconds = pause(number)
        for _ in range(turns):
            await asyncio.sleep(seconds)

    await asyncio.gather(*(sleeper(number) for number in range(tasks)))


async def trio_sleepers(tasks: int, turns: int) -> None:
    """The program on trio."""

    async def sleeper(number: int) -> None:
        seconds = pause(number)
        for _ in range(turns):
            await trio.sleep(seconds)

    async with trio.open_nursery() as nursery:
        for number in range(tasks):
            nursery.start_soon(sleeper, number)


def with_ours(tasks: int, turns: int) -> int:
    """Run the program on the course's clock; returns the sleeps."""
    run(sleepers(tasks, turns))
    return tasks * turns


def with_solipsism(tasks: int, turns: int) -> int:
    """Run the program on async-solipsism."""
    loop = async_solipsism.EventLoop()
    try:
        loop.run_until_complete(sleepers(tasks, turns))
    finally:
        loop.close()
    return tasks * turns


def with_trio(tasks: int, turns: int) -> int:
    """Run the program on trio's clock that jumps by itself."""
    clock = trio.testing.MockClock(autojump_threshold=0)
    trio.run(trio_sleepers, tasks, turns, clock=clock)
    return tasks * turns


def with_simpy(tasks: int, turns: int) -> int:
    """Run the program on SimPy."""
    environment = simpy.Environment()

    def sleeper(number: int) -> Generator[simpy.Event, Any, None]:
        seconds = pause(number)
        for _ in range(turns):
            yield environment.timeout(seconds)

    for number in range(tasks):
        environment.process(sleeper(number))
    environment.run()
    return tasks * turns


CONTESTANTS: dict[str, Callable[[int, int], int]] = {
    OURS: with_ours,
    RIVAL: with_solipsism,
    "trio autojump": with_trio,
    "SimPy": with_simpy,
}


def rows() -> Table:
    """Sleeps a second with 1, 100 and 10,000 tasks, and how many times ours is faster."""
    made, missed = [], []
    for tasks, turns in SIZES.items():
        speeds = rounds(
            {name: partial(program, tasks, turns) for name, program in CONTESTANTS.items()}, ROUNDS
        )
        row = {"tasks": f"{tasks:,}"}
        for name, measured in speeds.items():
            row[name] = f"{statistics.median(measured):,.0f}"
            if name != OURS:
                row[f"times {name}"] = f"{ratio(speeds[OURS], measured):.2f}"
        made.append(row)
        faster = ratio(speeds[OURS], speeds[RIVAL])
        if faster < TARGET:
            missed.append(f"with {tasks:,} tasks {faster:.2f} times {RIVAL}, not {TARGET:g}.")
    title = f"Sleeps a second of CPU time, median of {ROUNDS} interleaved rounds"
    return Table(title, made, missed)


if __name__ == "__main__":
    sys.exit(finish(rows()))
