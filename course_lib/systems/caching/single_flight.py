"""Single flight: however many ask for a key at once, one loads it and all get the answer.

Within one process; across servers, a lease does the same (lease.py).
Leaves out: keeping the answer. When the load is done, the next caller loads anew.
Source: Go's golang.org/x/sync/singleflight.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

__all__ = ["SingleFlight"]

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Joins concurrent loads of one key.

    >>> flights = SingleFlight()
    >>> await asyncio.gather(*[flights.do("cup", load) for _ in range(100)])   # one load
    """

    def __init__(self) -> None:
        self._flights: dict[str, asyncio.Task[T]] = {}

    def __len__(self) -> int:
        return len(self._flights)

    async def do(self, key: str, load: Callable[[str], Awaitable[T]]) -> T:
        """The result of `load(key)`, or its error; whoever gives up leaves the others their load.

        The load is a task of its own, for its first caller may be cancelled while others wait.
        """
        flight = self._flights.get(key)
        if flight is None:
            flight = asyncio.ensure_future(_awaited(load(key)))
            self._flights[key] = flight
            flight.add_done_callback(lambda _: self._flights.pop(key, None))
        return await asyncio.shield(flight)


async def _awaited(loading: Awaitable[T]) -> T:
    return await loading
