"""The API's half of a direct upload: allow it, and learn that it is there.

The client asks, gets a signed permission, and sends the bytes to the store. That the file is there
the API hears twice: from the store's call-back, and from the client, whom it does not believe: it
looks for itself. Whichever comes first counts; the other one changes nothing.
Leaves out: the list of a user's files, and what happens to a file afterwards.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiosqlite
from fastapi import FastAPI, Header, Request
from pydantic import BaseModel, Field

from course_lib.systems.file_uploads.names import safe_name
from course_lib.systems.file_uploads.object_store import sign_event
from course_lib.systems.file_uploads.offsets import LARGEST
from course_lib.systems.file_uploads.presign import Grant, presign
from course_lib.systems.file_uploads.refused import Refused
from course_lib.systems.file_uploads.storage import new_token
from course_lib.systems.file_uploads.tus import refused_answer

__all__ = ["Direct", "direct_app"]

SCHEMA = """
CREATE TABLE IF NOT EXISTS files (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, size INTEGER NOT NULL, kind TEXT NOT NULL,
    state TEXT NOT NULL
);
"""

Look = Callable[[str], Awaitable[int | None]]
"""Asks the store for the size of an object; None if there is none."""


@dataclass(frozen=True)
class Direct:
    """What the API needs: its database, the store's secret, its clock, and eyes for the store."""

    connect: Callable[[], aiosqlite.Connection]
    secret: bytes
    clock: Callable[[], float]
    look: Look
    token: Callable[[], str] = new_token
    max_size: int = 1024 * 1024 * 1024
    lifetime: int = 900
    kinds: tuple[str, ...] = ("image/png", "image/jpeg", "video/mp4", "application/pdf")

    async def prepare(self) -> None:
        """Make the table, if it is not there."""
        async with self.connect() as db:
            await db.executescript(SCHEMA)

    def link(self, method: str, path: str, size: int, kind: str) -> str:
        """A signed permission that ends `lifetime` seconds from now."""
        expires = int(self.clock()) + self.lifetime
        return presign(self.secret, Grant(method, path, expires, size, kind))

    async def state(self, name: str) -> dict[str, Any]:
        """A file's record; 404 if there is none."""
        async with self.connect() as db:
            row = await (await db.execute("SELECT * FROM files WHERE id = ?", (name,))).fetchone()
        if row is None:
            raise Refused(404, "no such file")
        return dict(zip(("id", "name", "size", "kind", "state"), row, strict=True))

    async def arrived(self, name: str, size: int) -> None:
        """The store has the object: "ready", or "rejected" if its size was never allowed."""
        query = """UPDATE files SET state = CASE WHEN ? <= size THEN 'ready' ELSE 'rejected' END
                   WHERE id = ? AND state = 'allowed'"""
        async with self.connect() as db:
            await db.execute(query, (size, name))
            await db.commit()


class Wish(BaseModel):
    """What a client wants to upload."""

    name: str = Field(max_length=1000)
    size: int = Field(ge=0, le=LARGEST)
    kind: str


def direct_app(direct: Direct) -> FastAPI:
    """The routes of the API: ask for a link, say that it is done, and the store's call-back."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await direct.prepare()
        yield

    app = FastAPI(title="Direct uploads", lifespan=lifespan)
    app.add_exception_handler(Refused, refused_answer)

    @app.post("/uploads", status_code=201)
    async def initiate(wish: Wish) -> dict[str, str]:
        if wish.size > direct.max_size:
            raise Refused(413, f"at most {direct.max_size:,} bytes may be uploaded")
        if wish.kind not in direct.kinds:
            raise Refused(415, f"the type must be one of {', '.join(direct.kinds)}")
        name = direct.token()
        row = (name, safe_name(wish.name), wish.size, wish.kind, "allowed")
        async with direct.connect() as db:
            await db.execute("INSERT INTO files VALUES (?, ?, ?, ?, ?)", row)
            await db.commit()
        return {"id": name, "url": direct.link("PUT", f"/objects/{name}", wish.size, wish.kind)}

    @app.post("/uploads/{name}/complete")
    async def complete(name: str) -> dict[str, Any]:
        await direct.state(name)
        size = await direct.look(name)
        if size is None:
            raise Refused(409, "the store has no such object yet")
        await direct.arrived(name, size)
        return await direct.state(name)

    @app.get("/uploads/{name}")
    async def state(name: str) -> dict[str, Any]:
        return await direct.state(name)

    @app.post("/events", status_code=204)
    async def event(request: Request, x_signature: str = Header(default="")) -> None:
        body = await request.body()
        if not hmac.compare_digest(sign_event(direct.secret, body).encode(), x_signature.encode()):
            raise Refused(403, "the store did not sign this")
        told = json.loads(body)
        await direct.arrived(told["key"], told["size"])

    return app
