"""A service of the workflow as a FastAPI app over its own SQLite database.

POST /{action} does an action of an order, once (once.py). POST /{action}/prepare, /commit and
/abort do it in two phases (prepared.py). Leaves out: who may call (chapter 9).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import aiosqlite
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse

from course_lib.systems.sagas.once import perform
from course_lib.systems.sagas.prepared import abort, commit, prepare
from course_lib.systems.sagas.services import Order, Service

__all__ = ["Participant"]

PHASES = {"": perform, "prepare": prepare, "commit": commit, "abort": abort}
STATUS = {"done": 200, "refused": 409, "locked": 423}


class Participant:
    """One service as an ASGI app: 200 when done, 409 when refused, 423 while locked.

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
    api.post("/{action}/{phase}")(act)
    return api


async def act(action: str, order: Order, request: Request, phase: str = "") -> JSONResponse:
    """Answer one request for one action, or for one phase of it."""
    service: Service = request.state.service
    if action not in {known.name for known in service.actions} or phase not in PHASES:
        raise HTTPException(404, f"{service.name} has no action {action} {phase}".rstrip())
    async with request.state.connect() as db:
        at = request.state.clock()
        outcome = await PHASES[phase](db, service.action(action), order, at)
    return JSONResponse({"outcome": outcome}, status_code=STATUS[outcome])
