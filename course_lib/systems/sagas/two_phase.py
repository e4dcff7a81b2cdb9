"""The coordinator of two-phase commit: ask all for a promise, decide, write it down, tell all.

All or nothing, and nobody sees half an order. The price is the time between the promise and the
decision: every participant holds its lock, and if the coordinator dies then, they hold it until it
is back. An order without a decision in the log is aborted by `recover`. Leaves out: asking in
parallel, and a second coordinator that takes over.
Source: Gray, Notes on Data Base Operating Systems (1978), section 5.8.3.3; Skeen, Nonblocking
Commit Protocols (SIGMOD 1981), on why nobody else can decide.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from course_lib.systems.sagas.calls import Unreachable
from course_lib.systems.sagas.orchestrator import SagaLog
from course_lib.systems.sagas.services import Order
from course_lib.systems.sagas.workflow import COMPENSATED, COMPLETED, ORDER_WORKFLOW, Step, Workflow

__all__ = ["Coordinator"]

Call = Callable[[str, str, Order], Awaitable[str]]


class Coordinator:
    """Commits orders in two phases; waits for a lock `waits` times, `pause` seconds each.

    >>> await Coordinator(SagaLog(connect), Caller(client)).place(Order("order-1"))
    'completed'
    """

    def __init__(
        self,
        log: SagaLog,
        call: Call,
        workflow: Workflow = ORDER_WORKFLOW,
        waits: int = 10,
        pause: float = 0.5,
    ) -> None:
        self.log, self.call, self.workflow = log, call, workflow
        self.waits, self.pause = waits, pause

    async def place(self, order: Order) -> str:
        """Commit the order everywhere or nowhere; Unreachable if somebody is still to be told."""
        await self.log.begin(order)
        decision = "commit" if await self._all_promise(order) else "abort"
        await self.log.append(order.id, 1, decision)
        return await self._tell(order, decision)

    async def _all_promise(self, order: Order) -> bool:
        """Ask one after the other, in one order for all, so that no two wait for each other."""
        for step in self.workflow.steps:
            if await self._promise(order, step) != "done":
                return False
        return True

    async def _promise(self, order: Order, step: Step) -> str:
        for _ in range(self.waits):
            try:
                vote = await self.call(step.service, f"{step.action}/prepare", order)
            except Unreachable:
                return "refused"
            if vote != "locked":
                return vote
            await asyncio.sleep(self.pause)
        return "refused"

    async def _tell(self, order: Order, decision: str) -> str:
        """Tell everybody, also those who were not asked: they may have been."""
        for step in self.workflow.steps:
            await self.call(step.service, f"{step.action}/{decision}", order)
        await self.log.append(order.id, 2, "told")
        return COMPLETED if decision == "commit" else COMPENSATED

    async def recover(self) -> list[str]:
        """End every order that is not over: by its decision, or by aborting it."""
        return [
            await self._resume(order, events)
            for order, events in await self.log.sagas()
            if len(events) < 2
        ]

    async def _resume(self, order: Order, events: list[str]) -> str:
        if not events:
            await self.log.append(order.id, 1, "abort")
        try:
            return await self._tell(order, events[0] if events else "abort")
        except Unreachable:
            return "in doubt"
