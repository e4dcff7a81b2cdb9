"""The choreographed saga: nobody tells anybody; each service reacts to the others' events.

The events travel over Redis Streams, one stream for each kind, and each service reads as a consumer
group. The reactions are the workflow's table, cut into four parts. A service does its action in its
own database, then publishes the event and acknowledges the one it read, in one Redis transaction.
If it dies before that, it reads the event again, and its action is done once. Leaves out: a
consumer that never comes back (XAUTOCLAIM gives its entries to another), and trimming the streams.
Source: https://redis.io/docs/latest/develop/data-types/streams/, consumer groups.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import aiosqlite
from redis.asyncio import Redis

from course_lib.systems.sagas.once import perform
from course_lib.systems.sagas.services import SERVICES, Order
from course_lib.systems.sagas.workflow import ORDER_WORKFLOW, Workflow

__all__ = ["PLACED", "Reactor", "order_of", "place", "reactions"]

PLACED = "order.placed"


def reactions(workflow: Workflow, service: str) -> dict[str, str]:
    """Which action a service does on which event.

    >>> reactions(ORDER_WORKFLOW, "payment")
    {'reserve.done': 'charge', 'ship.refused': 'refund'}
    """
    heard = {PLACED: workflow.start}
    for (action, event), following in workflow.table.items():
        if event != "gave up" and not workflow.is_over(following):
            heard[f"{action}.{event}"] = following
    return {event: act for event, act in heard.items() if workflow.services[act] == service}


async def place(redis: Redis, order: Order) -> None:
    """Publish that an order was placed; whoever cares will hear."""
    await redis.xadd(PLACED, {"order": json.dumps(asdict(order))})


def order_of(fields: Mapping[Any, Any]) -> Order:
    """The order that an event is about."""
    return Order(**json.loads(fields["order"]))


class Reactor:
    """One service's worker: reads its events, acts, publishes what became of it.

    >>> await Reactor("payment", redis, connect, clock).poll()
    1
    """

    def __init__(
        self,
        service: str,
        redis: Redis,
        connect: Callable[[], aiosqlite.Connection],
        clock: Callable[[], float],
        workflow: Workflow = ORDER_WORKFLOW,
    ) -> None:
        self.service, self.redis, self.connect, self.clock = service, redis, connect, clock
        self.reactions = reactions(workflow, service)

    async def join(self) -> None:
        """Make the consumer groups, at the beginning of each stream."""
        async with self.redis.pipeline(transaction=True) as together:
            for stream in self.reactions:
                together.xgroup_create(stream, self.service, id="0", mkstream=True)
            await together.execute()

    async def resume(self) -> int:
        """Finish what an earlier life of this consumer had read and not acknowledged."""
        return await self._handle("0")

    async def poll(self, wait: int | None = None) -> int:
        """React to all new events; return how many there were. `wait` for them, milliseconds."""
        return await self._handle(">", wait)

    async def _handle(self, since: str, wait: int | None = None) -> int:
        wanted: Any = dict.fromkeys(self.reactions, since)
        read = await self.redis.xreadgroup(self.service, self.service, wanted, block=wait)
        entries = _entries(read)
        for stream, number, fields in entries:
            await self._react(stream, number, fields)
        return len(entries)

    async def _react(self, stream: str, number: str, fields: dict[str, str]) -> None:
        order = order_of(fields)
        action = self.reactions[stream]
        async with self.connect() as db:
            outcome = await perform(db, SERVICES[self.service].action(action), order, self.clock())
        async with self.redis.pipeline(transaction=True) as together:
            together.xadd(f"{action}.{outcome}", fields)  # type: ignore[arg-type]
            together.xack(stream, self.service, number)
            await together.execute()


def _entries(read: Any) -> list[tuple[str, str, dict[str, str]]]:
    """(stream, id, fields) of each entry, in the form of either version of Redis's protocol."""
    if isinstance(read, dict):
        read = [(stream, entries[0]) for stream, entries in read.items() if entries]
    return [(stream, *entry) for stream, entries in read or [] for entry in entries]
