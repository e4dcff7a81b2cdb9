"""Invalidation by event: a writer says what changed, and every server forgets it.

Pub/sub delivers to whoever listens at that moment; a server that was away learns nothing, not even
that it missed something. A stream keeps the events: a server reads on from the last that it saw,
and if the stream was trimmed past that point, it forgets everything.
Leaves out: a writer that dies between the write and the event; see the outbox in chapter 27. The
local time to live is the bound for that.
Sources: https://redis.io/docs/latest/develop/pubsub/ (at-most-once),
https://redis.io/docs/latest/commands/xread/
"""

from __future__ import annotations

from collections.abc import Callable

from redis.asyncio import Redis
from redis.asyncio.client import PubSub

__all__ = ["ByPubSub", "ByStream"]


class ByPubSub:
    """Events over pub/sub. Fails: what is published while a server is away is gone.

    >>> events = ByPubSub(redis, forget=two_level.invalidate)
    >>> await events.listen(); await ByPubSub(other_redis, print).publish("cup")
    >>> await events.take()
    1
    """

    def __init__(
        self, redis: Redis, forget: Callable[[str], object], channel: str = "changed"
    ) -> None:
        self.redis, self.forget, self.channel = redis, forget, channel
        self._subscription: PubSub | None = None

    async def publish(self, key: str) -> None:
        """Say that the key has changed."""
        await self.redis.publish(self.channel, key)

    async def listen(self) -> None:
        """Subscribe: from now on."""
        await self.stop()
        self._subscription = self.redis.pubsub(ignore_subscribe_messages=True)
        await self._subscription.subscribe(self.channel)

    async def resume(self) -> None:
        """Come back after a break, without what was published in it."""
        await self.listen()

    async def stop(self) -> None:
        """Hang up."""
        if self._subscription is not None:
            await self._subscription.aclose()  # type: ignore[no-untyped-call]
            self._subscription = None

    async def take(self, patience: float = 0.01) -> int:
        """Forget what was published; waits `patience` seconds for more, returns how many."""
        taken = 0
        while self._subscription is not None:
            message = await self._subscription.get_message(timeout=patience)
            if message is None:
                # The confirmation of the subscription is None as well, and more may follow it.
                if taken or patience == 0:
                    break
                patience = 0
                continue
            self.forget(message["data"])
            taken += 1
        return taken


class ByStream:
    """Events over a stream, of which Redis keeps about the last `keep`.

    `forget_all` is called when events were trimmed that may not have been read.

    >>> events = ByStream(redis, two_level.invalidate, two_level.invalidate_all)
    >>> await events.listen(); await events.publish("cup"); await events.take()
    1
    """

    def __init__(
        self,
        redis: Redis,
        forget: Callable[[str], object],
        forget_all: Callable[[], object],
        stream: str = "changes",
        keep: int = 10_000,
    ) -> None:
        self.redis, self.forget, self.forget_all = redis, forget, forget_all
        self.stream, self.keep = stream, keep
        self._last: str = "0-0"

    async def publish(self, key: str) -> None:
        """Say that the key has changed."""
        await self.redis.xadd(self.stream, {"key": key}, maxlen=self.keep, approximate=False)

    async def listen(self) -> None:
        """Begin at the end of the stream; a local cache that begins empty has missed nothing."""
        newest = await self.redis.xrevrange(self.stream, count=1)
        self._last = str(newest[0][0]) if newest else "0-0"

    async def stop(self) -> None:
        """Nothing to hang up: a stream is read, not listened to."""

    async def resume(self) -> None:
        """Come back after a break; the place in the stream is still known."""

    async def take(self) -> int:
        """Forget what has changed since the last time; returns how many events there were.

        One transaction, so that nothing is trimmed between the reading and the look at the start.
        """
        async with self.redis.pipeline(transaction=True) as together:
            together.xread({self.stream: self._last})
            together.xlen(self.stream)
            together.xrange(self.stream, count=1)
            events, length, oldest = await together.execute()
        if length >= self.keep and _order(self._last) < _order(oldest[0][0]):
            self.forget_all()
        entries = events[0][1] if events else []
        for identity, fields in entries:
            self.forget(fields["key"])
            self._last = str(identity)
        return len(entries)


def _order(identity: str) -> tuple[int, int]:
    """Stream ids as numbers: "9-0" comes before "10-0".

    >>> _order("9-0") < _order("10-0")
    True
    """
    milliseconds, _, number = identity.partition("-")
    return int(milliseconds), int(number)
