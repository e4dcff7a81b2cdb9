"""What was said to whom, in order: the log that makes a lost connection harmless.

Each notice has an id that only grows. A client that remembers the last id it has seen can ask for
what came after it. The log here is the idea in one process, for tests and for the sliders;
`redis_log` is the same on Redis Streams, for several servers. Leaves out: durability.
Source: Redis Streams, whose ids these are: milliseconds and a number within the millisecond.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple, Protocol

__all__ = ["START", "Log", "MemoryLog", "Notice", "Replay", "order"]

START = "0-0"
"""The position before everything."""


class Notice(NamedTuple):
    """One notification. Of several with one `key`, such as "order 7", only the last one matters."""

    id: str
    user: str
    data: str
    key: str = ""


class Replay(NamedTuple):
    """The notices after a position; `whole` is False if some of them may be forgotten by now."""

    notices: list[Notice]
    whole: bool


class Log(Protocol):
    """Where notices are kept: in this process, or on Redis."""

    async def publish(self, user: str, data: str, key: str = "", source: str = "") -> str: ...
    async def since(self, user: str, after: str) -> Replay: ...
    async def end(self) -> str: ...
    def tail(self, after: str) -> AsyncIterator[Notice]: ...


def order(id: str) -> tuple[int, int]:
    """An id as a pair of numbers, which compare as the ids do; texts do not.

    >>> order("9-0") < order("10-0"), "9-0" < "10-0"
    (True, False)
    """
    milliseconds, _, number = id.partition("-")
    return int(milliseconds), int(number or 0)


class MemoryLog:
    """A log in one process: all notices for those who follow, and the last `keep` of each user.

    `clock` gives seconds since 1970.
    """

    def __init__(self, clock: Callable[[], float], keep: int = 1000):
        self._clock = clock
        self._users: defaultdict[str, deque[Notice]]
        self._users = defaultdict(lambda: deque(maxlen=keep))
        self._end = START
        self._followers: dict[asyncio.Queue[Notice], None] = {}
        self._seen: dict[str, str] = {}

    async def publish(self, user: str, data: str, key: str = "", source: str = "") -> str:
        """Append a notice and give its id; a `source` that was seen before gives the id of then."""
        if source in self._seen:
            return self._seen[source]
        self._end = self._next()
        notice = Notice(self._end, user, data, key)
        self._users[user].append(notice)
        for follower in self._followers:
            follower.put_nowait(notice)
        if source:
            self._seen[source] = self._end
        return self._end

    def _next(self) -> str:
        now, (last, number) = int(1000 * self._clock()), order(self._end)
        # A clock that stands still, or runs back, must not make an id twice.
        return f"{now}-0" if now > last else f"{last}-{number + 1}"

    async def since(self, user: str, after: str) -> Replay:
        """This user's notices after the position `after`."""
        kept = self._users[user]
        first = bisect_right(kept, order(after), key=lambda notice: order(notice.id))
        forgotten = len(kept) == kept.maxlen and first == 0
        return Replay(list(kept)[first:], not forgotten)

    async def end(self) -> str:
        """The id of the last notice of all."""
        return self._end

    async def tail(self, after: str) -> AsyncIterator[Notice]:
        """All notices from now on, as they come; `after` must be the present end."""
        assert after == self._end, "this log has no history for those who follow"
        mine: asyncio.Queue[Notice] = asyncio.Queue()
        self._followers[mine] = None
        try:
            while True:
                yield await mine.get()
        finally:
            del self._followers[mine]
