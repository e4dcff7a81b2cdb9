"""One server's share of the fan-out: it follows the log and hands each notice to its own clients.

Every server follows the whole log and keeps only what its clients want, so any client may be on any
server, and publishers need not know where. A subscription joins first and looks back second; ids
do the rest. Leaves out: the transports (`app`) and the log (`redis_log`).
"""

from __future__ import annotations

import asyncio
import random as dice
from collections import defaultdict
from collections.abc import AsyncGenerator
from enum import Enum
from typing import NamedTuple

from redis import exceptions

from course_lib.systems.realtime_notifications.client_queue import ClientQueue, Overflow, Policy
from course_lib.systems.realtime_notifications.log import START, Log, Notice, order
from course_lib.systems.realtime_notifications.reconnect import full_jitter

__all__ = ["Bye", "Drained", "Gap", "Hub", "Item", "Opened", "Page", "Quiet"]


class Opened(NamedTuple):
    """The subscription stands; whoever comes back with this position misses nothing.

    `wait` is how many seconds to wait before that.
    """

    id: str
    wait: float


class Gap(NamedTuple):
    """Between this position and the first notice that follows, some may be forgotten."""

    id: str


class Quiet(Enum):
    """Nothing came for a while: time for a heartbeat."""

    QUIET = "quiet"


class Bye(NamedTuple):
    """The server ends this subscription; come back after `wait` seconds, to whichever server."""

    wait: float
    reason: str


class Page(NamedTuple):
    """One answer to a poll: the notices after `after`, and whether none before them is missing."""

    notices: list[Notice]
    after: str
    whole: bool

    @property
    def next(self) -> str:
        """The position to ask from next time."""
        return self.notices[-1].id if self.notices else self.after


Item = Opened | Gap | Quiet | Notice | Bye


class Drained(Exception):
    """The server is about to stop."""


class Hub:
    """The clients of one server.

    limit, policy: of each client's queue.
    heartbeat: seconds of silence after which a subscription says so.
    spread: seconds over which those who are sent away should come back.
    """

    def __init__(
        self,
        log: Log,
        *,
        limit: int = 100,
        policy: Policy = "disconnect",
        heartbeat: float = 15.0,
        spread: float = 10.0,
        random: dice.Random | None = None,
    ):
        self.log, self.limit, self.policy = log, limit, policy
        self.heartbeat, self.spread = heartbeat, spread
        self.position = START
        self.draining = False
        self.following = asyncio.Event()
        self.queues: defaultdict[str, dict[ClientQueue, None]] = defaultdict(dict)
        self._random = random or dice.SystemRandom()

    def __repr__(self) -> str:
        state = "draining" if self.draining else "open"
        return f"Hub({len(self)} subscriptions, {state}, at {self.position})"

    def __len__(self) -> int:
        return sum(map(len, self.queues.values()))

    # From the log

    async def run(self) -> None:
        """Follow the log without an end; when it cannot be reached, try again, with jitter."""
        attempt = 0
        while True:
            try:
                if not self.following.is_set():
                    self.position = await self.log.end()
                    self.following.set()
                async for notice in self.log.tail(self.position):
                    self.deliver(notice)
                    attempt = 0
            except exceptions.TimeoutError:
                continue  # redis-py waits 5 s for an answer: nobody may have been told anything
            except exceptions.ConnectionError:
                await asyncio.sleep(full_jitter(attempt, base=0.1, cap=5, random=self._random))
                attempt += 1

    def deliver(self, notice: Notice) -> None:
        """Hand a notice to each of its user's clients here."""
        self.position = notice.id
        for queue in list(self.queues.get(notice.user, ())):
            queue.put(notice)

    # To a client

    def join(self, user: str) -> ClientQueue:
        """From now on, keep what is for this user."""
        queue = ClientQueue(self.limit, self.policy)
        self.queues[user][queue] = None
        return queue

    def leave(self, user: str, queue: ClientQueue) -> None:
        """Keep nothing for this client any more."""
        self.queues[user].pop(queue, None)
        if not self.queues[user]:
            del self.queues[user]

    async def subscribe(self, user: str, after: str | None = None) -> AsyncGenerator[Item, None]:
        """What a client of this user gets: all notices after the position `after`, each once.

        Without a position, those from now on.
        """
        await self.following.wait()
        if self.draining:
            yield Bye(self.wait(), "draining")
            return
        queue = self.join(user)  # First: from here on, nothing passes by unseen.
        try:
            sent = after or self.position
            yield Opened(sent, self.wait())
            if after is not None:
                replay = await self.log.since(user, after)  # Second: what was missed.
                if not replay.whole:
                    yield Gap(after)
                for notice in replay.notices:
                    yield notice
                    sent = notice.id
            while True:
                item = await queue.get(self.heartbeat)
                if item is None:
                    yield Quiet.QUIET
                elif order(item.id) > order(sent):  # Third: what is in both is sent once.
                    yield item
        except Overflow:
            yield Bye(0.0, "too slow")
        except Drained:
            yield Bye(self.wait(), "draining")
        finally:
            self.leave(user, queue)

    async def fetch(self, user: str, after: str | None, wait: float = 0.0) -> Page:
        """The notices after a position; if there are none, wait up to `wait` seconds for one."""
        await self.following.wait()
        queue = self.join(user)
        try:
            sent = after or self.position
            replay = await self.log.since(user, sent)
            if replay.notices or not wait:
                return Page(replay.notices, sent, replay.whole)
            return Page(await self._first(queue, sent, wait), sent, replay.whole)
        finally:
            self.leave(user, queue)

    async def _first(self, queue: ClientQueue, sent: str, wait: float) -> list[Notice]:
        try:
            async with asyncio.timeout(wait):
                while True:
                    notice = await queue.get()
                    if notice is not None and order(notice.id) > order(sent):
                        return [notice]
        except (TimeoutError, Overflow, Drained):
            return []

    # At a deploy

    def wait(self) -> float:
        """Seconds after which one client should come back: EventSource has no jitter of its own."""
        return self._random.uniform(0, self.spread)

    async def drain(self, over: float = 0.0) -> None:
        """Send all clients away, evenly over `over` seconds, and take no new ones."""
        self.draining = True
        queues = [queue for each in self.queues.values() for queue in each]
        for queue in queues:
            queue.end(Drained())
            await asyncio.sleep(over / len(queues))
