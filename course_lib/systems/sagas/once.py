"""One action of one order in one local transaction, once, however often it is asked for.

The change and the note that it was made are one transaction, and the note is unique. So a request
that comes twice changes nothing twice, and answers the same. An undo that comes first leaves a note
as well: the action that it undoes, should it still arrive, is refused. Leaves out: forgetting old
notes.
Source: Garcia-Molina and Salem, Sagas (SIGMOD 1987), on recovery: what is asked for again must do
no harm; Helland, Life beyond Distributed Transactions (CIDR 2007), on idempotent messages.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import aiosqlite

from course_lib.systems.sagas.services import Action, Order

__all__ = ["JOURNAL", "ONCE", "perform", "values_of"]


JOURNAL = "CREATE TABLE journal (order_id TEXT, action TEXT, at REAL, changed INTEGER DEFAULT 1);"
ONCE = "CREATE UNIQUE INDEX once ON journal (order_id, action);"
NOTE = """
INSERT INTO journal (order_id, action, at) SELECT :id, :action, :at
WHERE NOT EXISTS (SELECT 1 FROM journal WHERE order_id = :id AND action = :undone_by)
ON CONFLICT DO NOTHING
"""
NOTED = "SELECT 1 FROM journal WHERE order_id = :id AND action = :action"
NOTHING = "UPDATE journal SET changed = 0 WHERE order_id = :id AND action = :action"


async def perform(db: aiosqlite.Connection, action: Action, order: Order, at: float) -> str:
    """Do the action for this order once, in one transaction: "done" or "refused".

    >>> await perform(db, SERVICES["payment"].action("charge"), Order("order-1"), at=0.0)
    'done'
    """
    values = values_of(action, order, at)
    noted = await db.execute(NOTE, values)
    if noted.rowcount == 0:
        return await _earlier(db, values)
    changed = await db.execute(action.statement, values)
    if changed.rowcount == 0 and not action.undoes:
        await db.rollback()
        return "refused"
    if changed.rowcount == 0:
        await db.execute(NOTHING, values)
    await db.commit()
    return "done"


async def _earlier(db: aiosqlite.Connection, values: dict[str, Any]) -> str:
    """It was done before, or it was undone before it came."""
    found = await db.execute(NOTED, values)
    return "done" if await found.fetchone() else "refused"


def values_of(action: Action, order: Order, at: float) -> dict[str, Any]:
    """What the statements refer to by name."""
    names = {"action": action.name, "undoes": action.undoes, "undone_by": action.undone_by}
    return {**asdict(order), **names, "at": at, "resource": getattr(order, action.locks)}
