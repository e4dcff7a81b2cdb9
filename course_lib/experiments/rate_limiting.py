"""Chapter 12's experiments: one harness, and what its three sets of sliders run.

`send` is the harness of the whole chapter. `traffic`, `outage` and `memory` take settings and a
seed and return a Trace; the same seed gives the same arrivals for every setting. Leaves out the
drawing (show) and the limiters themselves (systems).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, NamedTuple

from course_lib.lab import World, load, measure
from course_lib.show import Lanes, Level, Series, Trace
from course_lib.systems import rate_limiting as rl

__all__ = [
    "ALGORITHMS",
    "DOWN",
    "END",
    "SHAPES",
    "UP",
    "limiter_named",
    "memory",
    "outage",
    "picture",
    "send",
    "traffic",
]

SECOND = 1_000_000  # microseconds
ASKED_FOR = 8  # seconds of arrivals in a set of sliders
END = 9  # seconds shown, so that late answers are seen
DOWN, UP = 3, 6  # seconds at which Redis goes and comes back
BY_WINDOW: dict[str, Callable[[int, int], rl.Algorithm[Any]]] = {
    "fixed window": rl.FixedWindow,
    "sliding log": rl.SlidingLog,
    "sliding counter": rl.SlidingCounter,
}
BY_BURST: dict[str, Callable[[float, int], rl.Algorithm[Any]]] = {
    "token bucket": rl.TokenBucket,
    "GCRA": rl.GCRA,
}
ALGORITHMS = (*BY_WINDOW, *BY_BURST)
SHAPES = ("Poisson", "steady", "bursts", "boundary attack")


async def send(arrivals: Sequence[float], ask: Callable[[int], Awaitable[bool]]) -> list[float]:
    """Send request number n at its arrival; give back the times of those that `ask(n)` admits.

    >>> run(send([0.0, 1.0, 2.0], every_other))
    [0.0, 2.0]
    """

    async def request(number: int, t: float) -> float | None:
        return t if await ask(number) else None

    return [t for t in await load.replay(arrivals, request, origin=0) if t is not None]


def picture(
    title: str, arrivals: Sequence[float], admitted: Sequence[float], limit: int, window: float
) -> Trace:
    """Every request, and how many were admitted in the trailing window, beside the limit."""
    passed = set(admitted)
    most = worst(admitted, window)
    end = max(arrivals) + window / 10
    events = [(t, 0, "admitted" if t in passed else "denied", "") for t in arrivals]
    return Trace(
        end=end,
        title=title,
        summary=(
            f"{len(admitted)} of {len(arrivals)} admitted, at most {most} in any {window:g} s."
        ),
        tracks=[
            Lanes("Requests", ["user:7"], events),  # type: ignore[arg-type]
            trailing_track(admitted, window, limit, end),
        ],
    )


def worst(admitted: Sequence[float], window: float) -> int:
    """The most admissions in any trailing window, times taken to the microsecond as Redis does.

    >>> worst([0.1, 5.1], window=5), worst([0.2, 5.1], window=5)
    (1, 2)
    """
    return int(measure.worst_window(_microseconds(admitted), round(window * SECOND)).count)


def _microseconds(times: Sequence[float]) -> list[int]:
    """Sums of floats: 5.1 - 0.1 is not 5, and at the edge of a window that is a wrong count."""
    return [round(t * SECOND) for t in times]


def trailing_track(admitted: Sequence[float], window: float, limit: float, end: float) -> Series:
    """How many were admitted in the trailing window, over time, with the limit as a line."""
    counts = measure.trailing(_microseconds(admitted), round(window * SECOND))
    steps = [(t / SECOND, count) for t, count in counts if t <= end * SECOND]
    label = f"Admitted in the last {window:g} s"
    return Series(label, {"admitted": [(0.0, 0), *steps]}, unit="requests", limit=limit)


def limiter_named(name: str, rate: int, burst: int, window: int) -> rl.Algorithm[Any]:
    """An algorithm by its name; `rate` a second is `rate * window` in a window of seconds.

    >>> limiter_named("sliding log", rate=4, burst=8, window=2)
    SlidingLog(limit=8, window=2)
    """
    if name in BY_BURST:
        return BY_BURST[name](rate, burst)
    return BY_WINDOW[name](rate * window, window)


def arrivals_of(shape: str, traffic: int, limit: int, window: int, seed: int) -> list[float]:
    """Eight seconds of requests, on average `traffic` a second; the attack goes by the limit."""
    if shape == "steady":
        return load.steady(traffic, ASKED_FOR)
    if shape == "bursts":
        burst = 2 * traffic
        return load.bursts(traffic / 2, burst, 4, ASKED_FOR, seed, spread=0.5)
    if shape == "boundary attack":
        return load.boundary_attack(min(limit, 20), window, ASKED_FOR, spread=window / 20)
    return load.poisson(traffic, ASKED_FOR, seed)


class Decided(NamedTuple):
    """One request: when its answer came, at which server, and the decision."""

    time: float
    server: int
    decision: rl.Decision


async def traffic(
    *,
    seed: int,
    shape: str,
    algorithm: str,
    counted: str,
    traffic: int,
    rate: int,
    burst: int,
    window: int,
    servers: int,
    latency: int,
) -> Trace:
    """Requests of one user reach `servers` in turn; each decides in Redis, or by itself.

    `traffic` and `rate` are requests a second, `window` seconds, `latency` milliseconds one way.
    """
    limiter = limiter_named(algorithm, rate, burst, window)
    arrivals = arrivals_of(shape, traffic, limiter.limit, window, seed)
    world = World(seed, latency=latency / 1000)
    ask = _in_redis if counted == "in Redis" else _on_each_server
    done = sorted(await load.replay(arrivals, ask(world, limiter, servers), origin=0))
    passed = [one.time for one in done if one.decision.allowed]
    most = worst(passed, window)
    return Trace(
        end=END,
        title=f"{algorithm}, {shape}, counted {counted}",
        summary=f"{len(passed)} of {len(done)} admitted, at most {most} in any {window} s.",
        tracks=[
            _lanes(servers, [(one.time, one.server, _outcome(one), "") for one in done]),
            Level("Remaining", [(one.time, one.decision.remaining) for one in done], limiter.limit),
            trailing_track(passed, window, rate * window, END),
        ],
    )


Ask = Callable[[int, float], Coroutine[Any, Any, Decided]]


def _in_redis(world: World, algorithm: rl.Algorithm[Any], servers: int) -> Ask:
    limiters = [rl.RedisLimiter(world.redis(f"server {n + 1}"), algorithm) for n in range(servers)]

    async def ask(number: int, t: float) -> Decided:
        server = number % servers
        decision = await limiters[server].hit("user:7")
        return Decided(world.now, server, decision)

    return ask


def _on_each_server(world: World, algorithm: rl.Algorithm[Any], servers: int) -> Ask:
    limiters = [rl.LocalLimiter(algorithm, world.time) for _ in range(servers)]

    async def ask(number: int, t: float) -> Decided:
        server = number % servers
        return Decided(world.now, server, limiters[server].hit("user:7"))

    return ask


def _outcome(one: Decided) -> str:
    return "admitted" if one.decision.allowed else "denied"


def _lanes(servers: int, events: list[tuple[float, int, str, str]]) -> Lanes:
    names = [f"server {n + 1}" for n in range(servers)]
    return Lanes("Requests", names, events)  # type: ignore[arg-type]


async def outage(
    *,
    seed: int,
    fallback: str,
    redis: str,
    rate: int,
    servers: int,
    timeout: int,  # noqa: ASYNC109
    cool_down: float,
) -> Trace:
    """Ten requests a second while Redis is "stopped" or "silent" from 3 s to 6 s.

    `rate` is the limit a second, `timeout` milliseconds, `cool_down` seconds.
    """
    world = World(seed, latency=0.001)
    limiters = [
        rl.FallbackLimiter(
            rl.RedisLimiter(world.redis(f"server {n + 1}"), rl.GCRA(rate, rate)),
            rl.Outage(world.time, timeout / 1000, cool_down),
            fallback,  # type: ignore[arg-type]
            servers,
        )
        for n in range(servers)
    ]
    _break_redis(world, redis, servers)

    async def ask(number: int, t: float) -> tuple[float, int, str, str, float]:
        server = number % servers
        ruling = await limiters[server].hit("user:7")
        refused = "failed" if ruling.by == "closed" else "denied"
        outcome = "admitted" if ruling.allowed else refused
        return world.now, server, outcome, f"decided by {ruling.by}", 1000 * (world.now - t)

    done = sorted(await load.replay(load.poisson(10, ASKED_FOR, seed), ask, origin=0))
    return _outage_picture(done, servers, rate, redis)


def _break_redis(world: World, how: str, servers: int) -> None:
    loop = asyncio.get_running_loop()
    if how == "stopped":
        loop.call_at(DOWN, world.stop, "redis")
        loop.call_at(UP, world.start, "redis")
        return
    for n in range(servers):
        loop.call_at(DOWN, world.partition, f"server {n + 1}", "redis")
        loop.call_at(UP, world.heal, f"server {n + 1}", "redis")


def _outage_picture(
    done: list[tuple[float, int, str, str, float]], servers: int, rate: int, how: str
) -> Trace:
    passed = [t for t, _, outcome, _, _ in done if outcome == "admitted"]
    most = worst(passed, 1)
    longest = max(wait for *_, wait in done)
    waits = [(t, wait) for t, *_, wait in done]
    return Trace(
        end=END,
        title=f"Redis is {how} from {DOWN} s to {UP} s",
        summary=(
            f"{len(passed)} of {len(done)} admitted, at most {most} in any second, "
            f"longest wait {longest:.0f} ms."
        ),
        tracks=[
            _lanes(servers, [one[:4] for one in done]),
            trailing_track(passed, 1, 2 * rate, END),
            Series("Wait for the decision", {"wait": waits}, unit="ms"),
        ],
    )


async def memory(*, limit: int) -> Trace:
    """What Redis stores for one user who sends `limit` requests within a minute, by algorithm."""
    sizes: dict[str, list[tuple[float, float]]] = {}
    redis = World().redis("server 1")
    for name in ALGORITHMS:
        by_window = name in BY_WINDOW
        algorithm = BY_WINDOW[name](limit, 60) if by_window else BY_BURST[name](limit / 60, limit)
        sizes[name] = await _growth(rl.RedisLimiter(redis, algorithm), limit)
    now = ", ".join(f"{name} {points[-1][1]:,.0f}" for name, points in sizes.items())
    return Trace(
        end=limit,
        clock="steps",
        title="Stored for one user",
        summary=f"After {limit} requests: {now} bytes.",
        tracks=[Series("One key, by requests admitted", sizes, unit="bytes", shape="line")],
    )


async def _growth(limiter: rl.RedisLimiter, requests: int) -> list[tuple[float, float]]:
    """Ten at a time: a hit of cost ten stores what ten hits store."""
    points: list[tuple[float, float]] = [(0, 0)]
    for sent in range(0, requests, 10):
        admitted = min(10, requests - sent)
        await limiter.hit("user:7", admitted)
        size = await rl.stored_bytes(limiter.redis, limiter.key("user:7"))
        points.append((sent + admitted, size))
    return points
