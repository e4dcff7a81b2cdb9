"""A participant's half of two-phase commit: promise, keep the promise, or forget it.

To promise, a participant locks what the action needs and writes that down; from then on it can do
the action at any time, and nobody else can touch the row. Only the coordinator ends that. The lock
is a row on disk, so a restart does not lift it: that is what "in doubt" costs. Leaves out: read
locks, and asking the other participants for the decision.
Source: Gray, Notes on Data Base Operating Systems (1978), section 5.8.3.3; Bernstein, Hadzilacos
and Goodman, Concurrency Control and Recovery in Database Systems (1987), chapter 7.
"""

from __future__ import annotations

import aiosqlite

from course_lib.systems.sagas.once import perform, values_of
from course_lib.systems.sagas.services import Action, Order

__all__ = ["HELD", "abort", "commit", "prepare"]

HELD = """
CREATE TABLE held (resource TEXT, order_id TEXT, action TEXT, since REAL, until REAL);
CREATE UNIQUE INDEX one_holder ON held (resource) WHERE until IS NULL;
"""
HOLD = """
INSERT INTO held SELECT :resource, :id, :action, :at, NULL
WHERE NOT EXISTS (SELECT 1 FROM held WHERE order_id = :id AND action = :action)
ON CONFLICT DO NOTHING
"""
KNOWN = "SELECT until FROM held WHERE order_id = :id AND action = :action"
LET_GO = "UPDATE held SET until = :at WHERE order_id = :id AND action = :action AND until IS NULL"
NEVER = """
INSERT INTO held SELECT :resource, :id, :action, :at, :at
WHERE NOT EXISTS (SELECT 1 FROM held WHERE order_id = :id AND action = :action)
"""


async def prepare(db: aiosqlite.Connection, action: Action, order: Order, at: float) -> str:
    """Promise to do the action: "done" is a yes, "refused" a no, "locked" means somebody holds it.

    >>> await prepare(db, SERVICES["payment"].action("charge"), Order("order-1"), at=0.0)
    'done'
    """
    values = values_of(action, order, at)
    held = await db.execute(HOLD, values)
    if held.rowcount == 0:
        return await _known(db, values)
    able = await db.execute(f"SELECT 1 FROM {action.table} WHERE {action.condition}", values)
    if not await able.fetchone():
        await db.rollback()
        return "refused"
    await db.commit()
    return "done"


async def _known(db: aiosqlite.Connection, values: dict[str, object]) -> str:
    """Promised before, over already, or held by another order."""
    known = await (await db.execute(KNOWN, values)).fetchone()
    if known is None:
        return "locked"
    return "done" if known[0] is None else "refused"


async def commit(db: aiosqlite.Connection, action: Action, order: Order, at: float) -> str:
    """Do what was promised and let go, in one transaction; once."""
    await db.execute(LET_GO, values_of(action, order, at))
    return await perform(db, action, order, at)


async def abort(db: aiosqlite.Connection, action: Action, order: Order, at: float) -> str:
    """Let go; a promise that is asked for later is refused."""
    values = values_of(action, order, at)
    freed = await db.execute(LET_GO, values)
    if freed.rowcount == 0:
        await db.execute(NEVER, values)
    await db.commit()
    return "done"
