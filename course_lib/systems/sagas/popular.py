"""The popular saga, faithfully naive: try, except, and undo what was done.

It is here to be broken, not used. Leaves out: nothing that the popular answer has.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from course_lib.systems.sagas.services import Order
from course_lib.systems.sagas.workflow import COMPENSATED, COMPLETED, ORDER

__all__ = ["Refused", "try_except"]

Call = Callable[[str, str, Order], Awaitable[str]]


class Refused(Exception):
    """A service will not."""


async def try_except(call: Call, order: Order) -> str:
    """Do the steps in turn; on an error undo those that were done, last one first.

    Fails: what was done stands in a list in memory, so that a process that dies strands it; a
    time-out counts as not done; and an error while undoing ends the undoing.

    >>> await try_except(Caller(client), Order("order-1"))
    'completed'
    """
    done = []
    try:
        for step in ORDER:
            if await call(step.service, step.action, order) != "done":
                raise Refused(step.action)
            done.append(step)
    except Exception:
        for step in reversed(done):
            if step.undo:
                await call(step.service, step.undo, order)
        return COMPENSATED
    return COMPLETED
