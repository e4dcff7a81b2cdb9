"""A service of the workflow: a FastAPI app over SQLite that does each action of an order once.

The change and the note that it was made are one local transaction, and the note is unique. So a
request that comes twice changes nothing twice, and answers the same. An undo that comes first
leaves a note as well: the action it undoes, should it still arrive, is refused. Leaves out: who may
call (chapter 9), and forgetting old notes.
Source: Garcia-Molina and Salem, Sagas (1987), section 5, asks compensations to be repeatable;
Helland, Life beyond Distributed Transactions (CIDR 2007), section 4.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from typing import Any

import aiosqlite
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse

from course_lib.systems.sagas.services import Action, Order, Service

__all__ = ["JOURNAL", "ONCE", "Participant", "perform"]

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
    values = {**asdict(order), "action": action.name, "at": at}
    values |= {"undoes": action.undoes, "undone_by": action.undone_by}
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


class Participant:
    """One service as an ASGI app: POST /{action} with an order, 200 when done, 409 when refused.

    `connect` opens a connection to its database, `clock` gives the time to note.
    """

    def __init__(
        self,
        service: Service,
        connect: Callable[[], aiosqlite.Connection],
        clock: Callable[[], float],
    ) -> None:
        self.service = service
        self._state = {"service": service, "connect": connect, "clock": clock}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        # The app is the same for all: making routes takes longer than answering a request.
        await app()({**scope, "state": dict(self._state)}, receive, send)


@cache
def app() -> FastAPI:
    """The FastAPI app; what it works with is in the request's state."""
    api = FastAPI(openapi_url=None)
    api.post("/{action}")(act)
    return api


async def act(action: str, order: Order, request: Request) -> JSONResponse:
    """Answer one request for one action."""
    service: Service = request.state.service
    if action not in {known.name for known in service.actions}:
        raise HTTPException(404, f"{service.name} has no action {action}")
    async with request.state.connect() as db:
        outcome = await perform(db, service.action(action), order, request.state.clock())
    return JSONResponse({"outcome": outcome}, status_code=200 if outcome == "done" else 409)
