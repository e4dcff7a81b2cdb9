"""What waits for one client: a bounded queue, and a stated policy for one notice too many.

A client that reads more slowly than its notices come must not cost the server its memory. Nor may
it slow the others down, so the one who delivers never waits. Leaves out: the kernel's own socket
buffers, which hold some more.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Literal

from course_lib.systems.realtime_notifications.log import Notice

__all__ = ["POLICIES", "ClientQueue", "Overflow", "Policy", "room_for"]

Policy = Literal["drop oldest", "coalesce", "disconnect"]
POLICIES: tuple[Policy, ...] = ("drop oldest", "coalesce", "disconnect")


class Overflow(Exception):
    """The client was too slow; it may come back and resume from the log."""


def room_for(
    notice: Notice, waiting: Sequence[Notice], limit: int, policy: Policy
) -> list[Notice] | None:
    """What waits once `notice` has come; None if the client must be disconnected.

    drop oldest: the newest `limit` are kept. For what is stale soon, such as positions.
    coalesce: a notice replaces the one with its key, whether there is room or not; if none has it,
        as above. For states: only the last one of each key matters.
    disconnect: nothing is dropped behind the client's back. The log has it all, so it resumes.

    >>> room_for(Notice("3-0", "ann", "c"), [Notice("2-0", "ann", "b")], 1, "drop oldest")
    [Notice(id='3-0', user='ann', data='c', key='')]
    """
    kept = list(waiting)
    if policy == "coalesce" and notice.key:
        kept = [other for other in kept if other.key != notice.key]
    if len(kept) < limit:
        return [*kept, notice]
    if policy == "disconnect":
        return None
    return [*kept[len(kept) - limit + 1 :], notice]


class ClientQueue:
    """At most `limit` notices on their way to one client."""

    def __init__(self, limit: int, policy: Policy = "disconnect"):
        if limit < 1:
            raise ValueError(f"a queue must hold at least one notice: limit is {limit}")
        self.limit, self.policy = limit, policy
        self.waiting: deque[Notice] = deque()
        self.dropped = 0
        self.most = 0
        self._end: Exception | None = None
        self._changed = asyncio.Event()

    def __repr__(self) -> str:
        return f"ClientQueue({len(self.waiting)} of {self.limit} waiting, {self.dropped} dropped)"

    @property
    def is_open(self) -> bool:
        """Whether it still takes notices in."""
        return self._end is None

    def put(self, notice: Notice) -> None:
        """Take a notice in; this never waits, and never fails."""
        if self._end is not None:
            return
        before = len(self.waiting)
        kept = room_for(notice, self.waiting, self.limit, self.policy)
        if kept is None:
            self.end(Overflow(f"more than {self.limit} notices waited"))
            return
        self.waiting = deque(kept)
        self.dropped += before + 1 - len(kept)
        self.most = max(self.most, len(kept))
        self._changed.set()

    def end(self, error: Exception) -> None:
        """Let whoever gets from it have this error, and forget what waits."""
        self._end = error
        self.dropped += len(self.waiting)
        self.waiting.clear()
        self._changed.set()

    async def get(self, patience: float | None = None) -> Notice | None:
        """The next notice; None if none came within `patience` seconds."""
        try:
            async with asyncio.timeout(patience):
                while not self.waiting and self._end is None:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return None
        if self._end is not None:
            raise self._end
        return self.waiting.popleft()
