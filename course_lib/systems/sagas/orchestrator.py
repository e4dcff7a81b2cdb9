"""The orchestrated saga: one service holds the table, writes down each outcome, and can go on.

The log is the saga's only memory. An outcome is written before the next action is asked for, so
after a crash at most one action is asked for again, and participants do it once. Leaves out:
several orchestrators at work on one saga at a time; the log's primary key turns the second away.
Source: Garcia-Molina and Salem, Sagas (SIGMOD 1987), section 5 (the saga log and recovery).
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from itertools import groupby
from typing import Any

import aiosqlite

from course_lib.systems.sagas.calls import Unreachable
from course_lib.systems.sagas.services import Order
from course_lib.systems.sagas.workflow import ORDER_WORKFLOW, Workflow

__all__ = ["Orchestrator", "SagaLog"]

Call = Callable[[str, str, Order], Awaitable[str]]


class SagaLog:
    """Each saga's order and events, in SQLite; an event stands there once `append` returns."""

    SCHEMA = """
    CREATE TABLE saga_log (order_id TEXT, number INTEGER, event TEXT,
                           PRIMARY KEY (order_id, number))
    """

    def __init__(self, connect: Callable[[], aiosqlite.Connection]) -> None:
        self._connect = connect

    async def begin(self, order: Order) -> None:
        """Write down that a saga begins; number 0 holds the order itself."""
        await self._write(order.id, 0, json.dumps(asdict(order)))

    async def append(self, order_id: str, number: int, event: str) -> None:
        """Write down event `number` (from 1); sqlite3.IntegrityError if somebody else has."""
        await self._write(order_id, number, event)

    async def _write(self, *row: Any) -> None:
        async with self._connect() as db:
            await db.execute("INSERT INTO saga_log VALUES (?, ?, ?)", row)
            await db.commit()

    async def sagas(self) -> list[tuple[Order, list[str]]]:
        """Every saga with its events, in the order of their ids."""
        async with self._connect() as db:
            rows = await db.execute_fetchall("SELECT * FROM saga_log ORDER BY order_id, number")
        found = []
        for _, each in groupby(rows, key=lambda row: str(row[0])):
            first, *events = [str(row[2]) for row in each]
            found.append((Order(**json.loads(first)), events))
        return found


class Orchestrator:
    """Drives sagas through their table; `call` asks a participant (see calls.py).

    >>> await Orchestrator(SagaLog(connect), Caller(client)).place(Order("order-1"))
    'completed'
    """

    def __init__(self, log: SagaLog, call: Call, workflow: Workflow = ORDER_WORKFLOW) -> None:
        self.log, self.call, self.workflow = log, call, workflow

    async def place(self, order: Order) -> str:
        """Begin a saga and drive it; raises Unreachable if it has to wait for `recover`."""
        await self.log.begin(order)
        return await self.drive(order, [])

    async def drive(self, order: Order, events: list[str]) -> str:
        """Go on from where these events have led, to the end."""
        state = self.workflow.state_after(events)
        while not self.workflow.is_over(state):
            event = await self.outcome(state, order)
            events.append(event)
            await self.log.append(order.id, len(events), event)
            state = self.workflow.move(state, event)
        return state

    async def outcome(self, action: str, order: Order) -> str:
        """Ask for the action; if nobody answers, give up what can be undone."""
        try:
            return await self.call(self.workflow.services[action], action, order)
        except Unreachable:
            if self.workflow.may_give_up(action):
                return "gave up"
            raise

    async def recover(self) -> list[str]:
        """Drive every saga that is not over; run it when the process starts, and now and then."""
        return [await self._resume(order, events) for order, events in await self.log.sagas()]

    async def _resume(self, order: Order, events: list[str]) -> str:
        """One saga that has to wait again must not hold up the others."""
        try:
            return await self.drive(order, events)
        except Unreachable:
            return self.workflow.state_after(events)
