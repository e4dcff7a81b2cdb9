"""A small object store that takes presigned requests: the bytes need not pass the API's servers.

PUT an object, or a part of one; begin, complete or give up a multipart upload; GET with a grant.
It knows no users: a request passes if its grant is signed (`presign.py`). When an object is
complete it calls the API back, signed as well, and again until it is answered.
Leaves out: copies, versions, ranges, and a queue for call-backs that outlives a restart: the API
asks for itself when a client says "complete" (`direct.py`).
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, Field
from starlette.requests import ClientDisconnect

from course_lib.systems.file_uploads.content import ENOUGH, fits
from course_lib.systems.file_uploads.disk import Disk
from course_lib.systems.file_uploads.multipart import (
    Stored,
    check_complete,
    check_number,
    etag_of_parts,
)
from course_lib.systems.file_uploads.objects import Multipart, Object, Objects
from course_lib.systems.file_uploads.offsets import LARGEST, whole_number
from course_lib.systems.file_uploads.presign import Grant, verify
from course_lib.systems.file_uploads.refused import Refused
from course_lib.systems.file_uploads.storage import new_token
from course_lib.systems.file_uploads.tus import refused_answer

__all__ = ["Store", "sign_event", "store_app"]

BLOCK = 256 * 1024
Notify = Callable[[bytes, str], Awaitable[bool]]
"""Sends an event and its signature to the API; whether it was answered."""


class Ticket(BaseModel):
    """A grant and its signature, as a presigned link carries them in its query."""

    expires: int = Field(ge=0, le=LARGEST)
    size: int = Field(ge=0, le=LARGEST)
    type: str = Field(default="", pattern=r"^[ -~]*$", max_length=200)  # it becomes a header
    signature: str


Asked = Annotated[Ticket, Query()]


async def nobody(event: bytes, signature: str) -> bool:
    """The call-back where nobody wants to be called."""
    return True


@dataclass(frozen=True)
class Store:
    """Where objects live, and the secret that grants are signed with."""

    objects: Objects
    disk: Disk
    clock: Callable[[], float]
    secret: bytes
    token: Callable[[], str] = new_token
    notify: Notify = nobody
    least_part: int = 5 * 1024 * 1024

    async def receive(self, body: AsyncIterator[bytes], most: int) -> Stored:
        """Stream a body into a new file; Refused, and no file, if it is too large or breaks off."""
        # The time in the name tells the sweep which files may still be on their way.
        file = f"{int(self.clock()):012d}.{self.token()}"
        size, digest, block = 0, hashlib.md5(usedforsecurity=False), bytearray()

        async def write() -> None:
            digest.update(block)
            await self.disk.append(file, bytes(block))
            block.clear()

        try:
            async for piece in body:
                size += len(piece)
                if size > most:
                    raise Refused(413, f"at most {most} bytes are allowed")
                block += piece
                if len(block) >= BLOCK:
                    await write()
            await write()
        except (Refused, ClientDisconnect):
            await self.disk.delete(file)
            raise
        return Stored(size, f'"{digest.hexdigest()}"', file)

    async def check_type(self, kind: str, *files: str) -> None:
        """Refuse an object whose first bytes are of another type than was granted."""
        head = b""
        for file in files:
            if len(head) < ENOUGH:
                head += await self.disk.read(file, 0, ENOUGH - len(head))
        if not fits(kind, head):
            raise Refused(415, f"the first bytes are not those of {kind}")

    async def read(self, made: Object) -> AsyncIterator[bytes]:
        """An object's bytes, block by block."""
        for file in made.files:
            size = await self.disk.size(file)
            for start in range(0, size, BLOCK):
                yield await self.disk.read(file, start, BLOCK)

    async def tell(self, made: Object) -> None:
        """Call the API back until it answers, at most five times, each time twice as late."""
        event = json.dumps({"key": made.key, "size": made.size, "etag": made.etag}).encode()
        for attempt in range(5):
            if await self.notify(event, sign_event(self.secret, event)):
                return
            await asyncio.sleep(2.0**attempt)

    async def sweep(self, grace: float = 24 * 3600.0) -> tuple[int, int]:
        """Give up uploads that are too late, and delete files of nobody that are older than that.

        Gives how many uploads and how many files. A younger file may still be on its way.
        """
        late = await self.objects.expire(self.clock())
        owned = await self.objects.files()
        names = [name for name in await self.disk.names() if name not in owned]
        orphans = [name for name in names if int(name.split(".")[0]) <= self.clock() - grace]
        for file in orphans:
            await self.disk.delete(file)
        return late, len(orphans)


def sign_event(secret: bytes, event: bytes) -> str:
    """The signature of a call-back, so that nobody else can say that an upload is complete."""
    return hmac.new(secret, b"event\n" + event, hashlib.sha256).hexdigest()


class Listed(BaseModel):
    """One line of the list that closes a multipart upload."""

    number: int = Field(ge=1, le=10_000)
    etag: str


def store_app(store: Store) -> FastAPI:
    """The store as an app: objects at /objects/<key>.

    >>> app = store_app(Store(Objects(connect), LocalDisk(folder), time.time, secret))
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await store.objects.prepare()
        yield

    app = FastAPI(title="Object store", lifespan=lifespan)
    app.add_exception_handler(Refused, refused_answer)
    tasks: set[asyncio.Task[None]] = set()

    def allowed(request: Request, ticket: Ticket) -> Grant:
        """The grant in the query, once its signature fits this method, path and body."""
        path, kind = request.url.path, ticket.type
        if "\n" in path:
            raise Refused(403, "the signature does not fit this request")
        grant = Grant(request.method, path, ticket.expires, ticket.size, kind)
        size = 0
        if request.method == "PUT":
            size = whole_number("Content-Length", request.headers.get("content-length", "0"))
            kind = request.headers.get("content-type", "")
        verify(store.secret, grant, ticket.signature, store.clock(), size, kind)
        return grant

    async def receive(request: Request, most: int) -> Stored:
        try:
            return await store.receive(request.stream(), most)
        except ClientDisconnect:
            raise Refused(400, "the client has left") from None

    async def opened(upload: str, key: str) -> Multipart:
        found = await store.objects.multipart(upload, store.clock())
        if found is None or found.key != key:
            raise Refused(404, "no such upload is open")
        return found

    def complete(made: Object) -> Response:
        """Answer first: the call-back must not make the client wait, nor fail its upload."""
        task = asyncio.get_running_loop().create_task(store.tell(made))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        return JSONResponse({"key": made.key, "size": made.size}, headers={"ETag": made.etag})

    @app.put("/objects/{key}")
    async def put(key: str, request: Request, ticket: Asked) -> Response:
        grant = allowed(request, ticket)
        stored = await receive(request, grant.size)
        await store.check_type(grant.kind, stored.file)
        made = Object(key, stored.size, grant.kind, stored.etag, (stored.file,))
        await store.objects.put(made)
        return complete(made)

    @app.get("/objects/{key}")
    async def get(key: str, request: Request, ticket: Asked) -> Response:
        allowed(request, ticket)
        made = await store.objects.get(key)
        if made is None:
            raise Refused(404, "no such object")
        headers = {"ETag": made.etag, "X-Content-Type-Options": "nosniff"}
        return StreamingResponse(store.read(made), media_type=made.kind or None, headers=headers)

    @app.post("/objects/{key}/uploads", status_code=201)
    async def begin(key: str, request: Request, ticket: Asked) -> dict[str, str]:
        grant = allowed(request, ticket)
        upload = Multipart(store.token(), key, grant.size, grant.kind, grant.expires)
        await store.objects.begin(upload)
        return {"upload": upload.id}

    @app.put("/objects/{key}/uploads/{upload}/{number}")
    async def put_part(
        key: str, upload: str, number: int, request: Request, ticket: Asked
    ) -> Response:
        grant = allowed(request, ticket)
        check_number(number)
        await opened(upload, key)
        stored = await receive(request, grant.size)
        if not await store.objects.put_piece(upload, number, stored, store.clock()):
            await store.disk.delete(stored.file)
            raise Refused(404, "the upload was closed in the meantime")
        return Response(headers={"ETag": stored.etag})

    @app.get("/objects/{key}/uploads/{upload}")
    async def listed(key: str, upload: str, request: Request, ticket: Asked) -> dict[str, Any]:
        allowed(request, ticket)
        await opened(upload, key)
        found = await store.objects.pieces(upload)
        return {"parts": [{"number": n, "size": p.size, "etag": p.etag} for n, p in found.items()]}

    @app.post("/objects/{key}/uploads/{upload}")
    async def close(
        key: str, upload: str, parts: list[Listed], request: Request, ticket: Asked
    ) -> Response:
        allowed(request, ticket)
        found = await opened(upload, key)
        names = [(each.number, each.etag) for each in parts]
        used = check_complete(names, await store.objects.pieces(upload), store.least_part)
        size = sum(part.size for part in used)
        if size > found.size:
            raise Refused(413, f"at most {found.size} bytes are allowed")
        await store.check_type(found.kind, *[part.file for part in used])
        etag = etag_of_parts([part.etag for part in used])
        made = Object(key, size, found.kind, etag, tuple(part.file for part in used))
        if not await store.objects.complete(upload, made):
            raise Refused(404, "the upload was closed in the meantime")
        return complete(made)

    @app.delete("/objects/{key}/uploads/{upload}", status_code=204)
    async def abort(key: str, upload: str, request: Request, ticket: Asked) -> Response:
        allowed(request, ticket)
        await opened(upload, key)
        await store.objects.abort(upload)
        return Response(status_code=204)

    return app
