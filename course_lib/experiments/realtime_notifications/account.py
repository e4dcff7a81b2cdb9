"""What arrived of what was sent, and the trip that tells: connected, away, back."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import NamedTuple

__all__ = ["Account", "account", "through_a_tunnel"]


class Account(NamedTuple):
    """What became of the notices that were sent, by their data."""

    sent: int
    missed: list[str]
    repeated: list[str]

    def __repr__(self) -> str:
        told = f"{self.sent} sent, {len(self.missed)} missed, {len(self.repeated)} repeated"
        return told + (f": missed {', '.join(self.missed)}" if self.missed else "")


def account(sent: Sequence[str], got: Sequence[str]) -> Account:
    """Compare what was sent with what arrived.

    >>> account(["a", "b", "c"], ["a", "c", "c"])
    3 sent, 1 missed, 1 repeated: missed b
    """
    times = Counter(got)
    return Account(
        len(sent), [one for one in sent if not times[one]], [one for one in times if times[one] > 1]
    )


async def through_a_tunnel(
    listen: Callable[[], AsyncGenerator[str, None]],
    tell: Callable[[str], Awaitable[object]],
    away: tuple[float, float] = (5, 8),
    end: float = 15,
) -> Account:
    """One notice a second for `end` seconds, to a client that is `away` for some of them.

    `listen()` gives the data of notices from when it is called, `tell(data)` publishes one.
    """
    sent, got = [f"notice {number}" for number in range(1, int(end) + 1)], list[str]()

    async def hear() -> None:
        async with aclosing(listen()) as coming:
            async for data in coming:
                got.append(data)

    async def be_heard() -> None:
        for data in sent:
            await asyncio.sleep(1)
            await tell(data)

    telling = asyncio.ensure_future(be_heard())
    for seconds, pause in ((away[0] + 0.5, away[1] - away[0]), (end, 0)):
        hearing = asyncio.ensure_future(hear())
        await asyncio.wait([hearing], timeout=seconds)
        hearing.cancel()
        await asyncio.wait([hearing])
        await asyncio.sleep(pause)
    await telling
    return account(sent, got)
