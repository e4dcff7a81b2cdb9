"""Interleavings a second of `explore`, and 10,000 requests through two small systems.

One system is pure asyncio on virtual time: a breaker, a pool and a service; the design allows it a
second. The other is real: httpx, FastAPI and a limiter in Redis, in the world.

Beside `explore`: detangle, which searches the schedules of asyncio tasks. Its programs count in a
dict, with a scheduling point before each step; ours send real commands to Redis. Both try all
orders of the same steps; counted are what each calls a run.
"""

import asyncio
import statistics
import sys
from collections.abc import Awaitable, Callable
from functools import partial

import detangle
from fastapi import FastAPI, Request, Response

from course_lib.lab import World, explore, load, run
from course_lib.systems.rate_limiting import RedisLimiter, TokenBucket
from tests.benchmarks.report import Table, finish, ratio, rounds

ROUNDS = 5
PROGRAMS = {(2, 2): 6, (2, 3): 20, (3, 2): 90, (3, 3): 1_680}
REQUESTS = 10_000
RATE = 1_000.0
ON_THE_CLOCK = "breaker, pool and service, on the clock"
IN_THE_WORLD = "client, limiter and service, in the world"
SECONDS = 1.0  # for all requests on the clock


def orders(clients: int, effects: int) -> int:
    """Explore `clients` that each count `effects` times in one shared key."""

    async def scenario(world: World) -> None:
        async def client(name: str) -> None:
            redis = world.redis(name)
            for _ in range(effects):
                await redis.incr("n")

        await asyncio.gather(*(client(f"client {number}") for number in range(clients)))

    found = explore(scenario, lambda _: True)
    assert found.holds
    assert found.exhaustive
    assert found.orders == PROGRAMS[clients, effects]
    return found.orders


def schedules(clients: int, effects: int) -> int:
    """Let detangle explore the same program, on a dict; it gives the schedules that it ran."""

    async def scenario() -> None:
        counted = 0

        async def client() -> None:
            nonlocal counted
            for _ in range(effects):
                await asyncio.sleep(0)
                counted += 1

        await asyncio.gather(*(client() for _ in range(clients)))
        assert counted == clients * effects

    strategy = detangle.DFS(max_delays=clients * effects)
    stats = detangle.explore(
        scenario, strategy=strategy, runs=PROGRAMS[clients, effects], database=False
    )
    return int(stats.runs)


def exploration() -> Table:
    """Interleavings a second, all of them tried and none twice."""
    programs = {f"{c} x {e}": partial(orders, c, e) for c, e in PROGRAMS}
    theirs = {f"{c} x {e}, detangle": partial(schedules, c, e) for c, e in PROGRAMS}
    speeds = rounds({**programs, **theirs}, ROUNDS)
    rows = [
        {
            "clients x effects": name,
            "orders": f"{count:,}",
            "orders a second": f"{statistics.median(speeds[name]):,.0f}",
            "detangle, runs a second": f"{statistics.median(speeds[f'{name}, detangle']):,.0f}",
            "times detangle": f"{ratio(speeds[name], speeds[f'{name}, detangle']):.2f}",
        }
        for name, count in zip(programs, PROGRAMS.values(), strict=True)
    ]
    return Table(f"Orders explored a second of CPU time, median of {ROUNDS} rounds", rows)


def arrivals() -> list[float]:
    """The times at which the requests come: a Poisson load, the same for both systems."""
    return load.poisson(RATE, 2 * REQUESTS / RATE, seed=12)[:REQUESTS]


def service(world: World) -> FastAPI:
    """A service that asks the limiter in Redis before it answers."""
    app = FastAPI()
    limiter = RedisLimiter(world.redis("api"), TokenBucket(rate=RATE / 2, burst=10))

    @app.get("/")
    async def answer(request: Request) -> Response:
        decision = await limiter.hit("everybody")
        return Response(status_code=200 if decision.allowed else 429)

    return app


async def requests_through_the_world() -> list[int]:
    """Send the requests as a Poisson load, each by httpx to the service; gives the statuses."""
    world = World(seed=12, latency=0.001)
    world.serve("api", service(world))
    async with world.http("client") as client:

        async def handler(number: int, t: float) -> int:
            return (await client.get("http://api/")).status_code

        return await load.replay(arrivals(), handler)


class Breaker:
    """Opens for a second after five failures in a row."""

    def __init__(self) -> None:
        self.failures, self.closed_from = 0, 0.0

    async def call(self, work: Callable[[], Awaitable[bool]]) -> str:
        """ "refused" while open, else whether the work "worked" or "failed"."""
        loop = asyncio.get_running_loop()
        if loop.time() < self.closed_from:
            return "refused"
        worked = await work()
        self.failures = 0 if worked else self.failures + 1
        if self.failures == 5:
            self.failures, self.closed_from = 0, loop.time() + 1.0
        return "worked" if worked else "failed"


async def requests_on_the_clock() -> list[str]:
    """The same load, on a service that is down for a tenth of the time; gives what came of each."""
    pool, breaker = asyncio.Semaphore(50), Breaker()

    async def handler(number: int, t: float) -> str:
        async def work() -> bool:
            async with pool:
                await asyncio.sleep(0.02)
            return not 4.0 < t < 5.0

        return await breaker.call(work)

    return await load.replay(arrivals(), handler)


def done_on_the_clock() -> int:
    """Run them, and check that the breaker opened and closed again."""
    outcomes = run(requests_on_the_clock())
    assert len(outcomes) == REQUESTS
    assert outcomes.count("failed") < outcomes.count("refused") < 0.2 * REQUESTS
    assert outcomes[-1] == "worked"
    return REQUESTS


def done_in_the_world() -> int:
    """Run them, and check that the limiter admitted some and denied some."""
    statuses = run(requests_through_the_world())
    assert len(statuses) == REQUESTS
    assert 0.4 < statuses.count(200) / REQUESTS < 0.6
    return REQUESTS


def requests() -> Table:
    """How long 10,000 requests take, and how many a second that is."""
    speeds = rounds({ON_THE_CLOCK: done_on_the_clock, IN_THE_WORLD: done_in_the_world}, 3)
    rows = [
        {
            "through": name,
            "CPU seconds": f"{REQUESTS / statistics.median(found):.2f}",
            "requests a second": f"{statistics.median(found):,.0f}",
        }
        for name, found in speeds.items()
    ]
    took = REQUESTS / statistics.median(speeds[ON_THE_CLOCK])
    missed = [] if took <= SECONDS else [f"{ON_THE_CLOCK}: {took:.2f} s, not {SECONDS:g} s."]
    return Table(f"{REQUESTS:,} requests, median of 3 rounds", rows, missed)


if __name__ == "__main__":
    sys.exit(finish(exploration(), requests()))
