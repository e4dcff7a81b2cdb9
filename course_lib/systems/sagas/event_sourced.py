"""The event-sourced saga: the order *is* its events, and whoever reads them can go on with it.

The state is the fold of the events over the workflow's table. Several workers may drive one saga:
each appends with the version it has seen, and the one that comes second reads again. Every `every`
events a snapshot is kept. Leaves out: telling workers that there is work (they ask `recover`).
Source: Young, CQRS Documents (2010).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import NamedTuple

from course_lib.systems.sagas.calls import Unreachable
from course_lib.systems.sagas.event_store import EventStore, WrongVersion
from course_lib.systems.sagas.services import Order
from course_lib.systems.sagas.workflow import ORDER_WORKFLOW, Workflow

__all__ = ["EventSourced", "Loaded"]

Call = Callable[[str, str, Order], Awaitable[str]]


class Loaded(NamedTuple):
    """A saga as read: the order, its state, the version, and how many events that took."""

    order: Order
    state: str
    version: int
    read: int


class EventSourced:
    """Drives sagas whose state is their events; `call` asks a participant.

    >>> await EventSourced(EventStore(connect), Caller(client)).place(Order("order-1"))
    'completed'
    """

    def __init__(
        self, store: EventStore, call: Call, workflow: Workflow = ORDER_WORKFLOW, every: int = 4
    ) -> None:
        self.store, self.call, self.workflow, self.every = store, call, workflow, every

    async def place(self, order: Order) -> str:
        """Begin a saga and drive it; raises Unreachable if it has to wait for `recover`."""
        await self.store.append(order.id, 0, "placed", asdict(order))
        return await self.drive(Loaded(order, self.workflow.start, 1, 0))

    async def load(self, order_id: str) -> Loaded:
        """Read the snapshot, if there is one, and the events since."""
        version, kept = await self.store.snapshot(order_id)
        events = await self.store.read(order_id, after=version)
        order, state = (kept["order"], kept["state"]) if kept else (events[0].data, "")
        for event in events:
            first = event.kind == "placed"
            state = self.workflow.start if first else self.workflow.move(state, event.kind)
        return Loaded(Order(**order), state, version + len(events), len(events))

    async def drive(self, saga: Loaded) -> str:
        """Go on to the end, by ourselves or behind somebody who is quicker."""
        while not self.workflow.is_over(saga.state):
            event = await self._outcome(saga)
            try:
                saga = await self._appended(saga, event)
            except WrongVersion:
                saga = await self.load(saga.order.id)
        return saga.state

    async def _appended(self, saga: Loaded, event: str) -> Loaded:
        version = await self.store.append(saga.order.id, saga.version, event)
        state = self.workflow.move(saga.state, event)
        if version % self.every == 0:
            kept = {"order": asdict(saga.order), "state": state}
            await self.store.keep(saga.order.id, version, kept)
        return Loaded(saga.order, state, version, saga.read)

    async def _outcome(self, saga: Loaded) -> str:
        try:
            return await self.call(self.workflow.services[saga.state], saga.state, saga.order)
        except Unreachable:
            if self.workflow.may_give_up(saga.state):
                return "gave up"
            raise

    async def recover(self) -> list[str]:
        """Drive every saga that is not over."""
        events = await self.store.all_after(0, limit=1_000_000)
        streams = dict.fromkeys(event.stream for event in events)
        return [await self._resume(await self.load(stream)) for stream in streams]

    async def _resume(self, saga: Loaded) -> str:
        try:
            return await self.drive(saga)
        except Unreachable:
            return saga.state
