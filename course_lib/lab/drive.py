"""Drive: what sends the load on the running loop.

`replay` is the open loop: requests start at their arrival, however slow the answers are. `closed`
is the closed loop: a client waits for its answer, thinks, and asks again, so that a slow service
slows its own load down. Left out: clients that give up, and retries.
"""

import asyncio
import itertools
import math
import random
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from course_lib.lab.checks import check_count, check_span

__all__ = ["Call", "closed", "exponential", "replay"]

T = TypeVar("T")
_STUCK = 10_000  # requests of one client without any time passing


async def replay(
    arrivals: Sequence[float],
    handler: Callable[[int, float], Coroutine[Any, Any, T]],
    *,
    origin: float | None = None,
) -> list[T]:
    """Start `handler(number, t)` as a task at each arrival; return the results in that order.

    Arrivals count from `origin` on the running loop's clock, by default from now. The first error
    ends the replay.

    >>> async def handler(number, t): return number, t
    >>> # await replay([0.5, 2.0], handler) -> [(0, 0.5), (1, 2.0)]
    """
    if any(later < earlier for earlier, later in itertools.pairwise(arrivals)):
        raise ValueError("Arrivals must be in the order of time: sort them first.")
    origin = asyncio.get_running_loop().time() if origin is None else origin

    async def one(number: int, t: float) -> T:
        await _until(origin + t)
        return await handler(number, t)

    return await _all([one(number, t) for number, t in enumerate(arrivals)])


@dataclass(frozen=True)
class Call(Generic[T]):
    """One request of a closed loop: its client, when it was sent and answered, and the result.

    Times are in seconds from the start of the loop.
    """

    client: int
    sent: float
    answered: float
    result: T


async def closed(
    clients: int, think: float, request: Callable[[int], Awaitable[T]], end: float, seed: int
) -> list[Call[T]]:
    """Run `clients` loops of thinking and `await request(client)` for `end` seconds.

    Returns the calls in the order in which they were sent.

    Thinking takes an exponential time with a mean of `think` seconds, drawn for each client by
    itself. A request that was sent before `end` is waited for.
    """
    check_count("clients", clients)
    if not (math.isfinite(think) and think >= 0):
        raise ValueError(f"The think time must be 0 s or more: {think}.")
    check_span(0.0, end)
    loop = asyncio.get_running_loop()
    origin = loop.time()

    async def client(number: int) -> list[Call[T]]:
        pauses, calls, still = random.Random(f"{seed} client {number}"), list[Call[T]](), 0
        while True:
            if think:
                await _until(loop.time() + exponential(pauses) * think)
            sent = loop.time() - origin
            if sent >= end:
                return calls
            result = await request(number)
            answered = loop.time() - origin
            calls.append(Call(number, sent, answered, result))
            still = 0 if think or answered > sent else still + 1
            if still == _STUCK:
                raise RuntimeError(
                    f"Client {number} made {_STUCK:,} requests at {sent} s without time passing: "
                    "give it a think time, or the request a duration."
                )

    loops = await _all([client(number) for number in range(clients)])
    return sorted(itertools.chain.from_iterable(loops), key=lambda call: (call.sent, call.client))


async def _until(when: float) -> None:
    # Not asyncio.sleep(when - now): adding the difference back can miss `when` by one rounding.
    loop = asyncio.get_running_loop()
    moment = loop.create_future()
    handle = loop.call_at(when, moment.set_result, None)
    try:
        await moment
    finally:
        handle.cancel()


async def _all(coroutines: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    running = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        return await asyncio.gather(*running)
    finally:
        for task in running:
            task.cancel()


def exponential(source: random.Random) -> float:
    """An exponential time with a mean of 1, drawn from `source`."""
    # Spelt out, because only random() itself promises the same numbers in every Python version.
    return -math.log(1.0 - source.random())
