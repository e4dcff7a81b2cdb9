"""A CQRS projection: the events folded into a table that is quick to ask, in its own database.

Rows and checkpoint change in one transaction, so that each event counts once, however often the
projection dies. It is behind by its lag, and can be thrown away and rebuilt from the events at any
time. Leaves out: several views over one store, which are several of these.
Source: Young, CQRS Documents (2010), on the read side.
"""

from __future__ import annotations

from collections.abc import Callable

import aiosqlite

from course_lib.systems.sagas.event_store import Event, EventStore
from course_lib.systems.sagas.workflow import ORDER_WORKFLOW, Workflow

__all__ = ["OrdersView"]

SCHEMA = """
CREATE TABLE view (order_id TEXT PRIMARY KEY, customer TEXT, amount INTEGER, state TEXT);
CREATE TABLE checkpoint (position INTEGER);
INSERT INTO checkpoint VALUES (0);
"""
PLACE = "INSERT INTO view VALUES (?, ?, ?, ?)"


class OrdersView:
    """All orders with their states, for lists and reports; `connect` opens its own database.

    >>> await view.catch_up()
    5
    """

    SCHEMA = SCHEMA

    def __init__(
        self,
        store: EventStore,
        connect: Callable[[], aiosqlite.Connection],
        workflow: Workflow = ORDER_WORKFLOW,
    ) -> None:
        self.store, self._connect, self.workflow = store, connect, workflow

    async def catch_up(self, limit: int = 100) -> int:
        """Fold in the next events, at most `limit`; return how many there were."""
        async with self._connect() as db:
            events = await self.store.all_after(await self._position(db), limit)
            for event in events:
                await self._fold(db, event)
            if events:
                await db.execute("UPDATE checkpoint SET position = ?", (events[-1].position,))
                await db.commit()
        return len(events)

    async def _fold(self, db: aiosqlite.Connection, event: Event) -> None:
        if event.kind == "placed":
            order = event.data
            row = (event.stream, order["customer"], order["amount"], self.workflow.start)
            await db.execute(PLACE, row)
            return
        query = "SELECT state FROM view WHERE order_id = ?"
        rows = list(await db.execute_fetchall(query, (event.stream,)))
        state = self.workflow.move(rows[0][0], event.kind)
        await db.execute("UPDATE view SET state = ? WHERE order_id = ?", (state, event.stream))

    async def _position(self, db: aiosqlite.Connection) -> int:
        rows = list(await db.execute_fetchall("SELECT position FROM checkpoint"))
        return int(rows[0][0])

    async def lag(self) -> int:
        """How many events the view has not seen yet."""
        async with self._connect() as db:
            seen = await self._position(db)
        return await self.store.head() - seen

    async def rebuild(self) -> int:
        """Throw the view away and fold in every event; return how many there were."""
        async with self._connect() as db:
            await db.execute("DELETE FROM view")
            await db.execute("UPDATE checkpoint SET position = 0")
            await db.commit()
        return await self.catch_up(limit=1_000_000)

    async def states(self) -> dict[str, str]:
        """Each order's state, as the view knows it."""
        async with self._connect() as db:
            rows = await db.execute_fetchall("SELECT order_id, state FROM view ORDER BY order_id")
        return {row[0]: row[1] for row in rows}
