"""The routes of the object store: every request carries a grant and its signature in the query.

PUT an object, or a part of one; begin, list, close or give up a multipart upload; GET an object.
Leaves out: what the grants mean (`presign.py`) and where bytes go (`object_store.py`).
Source: the operations PutObject, CreateMultipartUpload, UploadPart, ListParts,
CompleteMultipartUpload and AbortMultipartUpload of the Amazon S3 API, in a simpler form.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, Field
from starlette.requests import ClientDisconnect

from course_lib.systems.file_uploads.multipart import (
    Stored,
    check_complete,
    check_number,
    etag_of_parts,
)
from course_lib.systems.file_uploads.object_store import Store
from course_lib.systems.file_uploads.objects import Multipart, Object
from course_lib.systems.file_uploads.offsets import LARGEST, whole_number
from course_lib.systems.file_uploads.presign import Grant, verify
from course_lib.systems.file_uploads.refused import Refused
from course_lib.systems.file_uploads.tus import refused_answer

__all__ = ["StoreRoutes", "store_app"]


class Ticket(BaseModel):
    """A grant and its signature, as a presigned link carries them in its query."""

    expires: int = Field(ge=0, le=LARGEST)
    size: int = Field(ge=0, le=LARGEST)
    type: str = Field(default="", pattern=r"^[ -~]*$", max_length=200)  # it becomes a header
    signature: str


Asked = Annotated[Ticket, Query()]


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
    StoreRoutes(store).add_to(app)
    return app


class StoreRoutes:
    """The handlers of the store; each checks its grant first."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.calls: set[asyncio.Task[None]] = set()

    def add_to(self, app: FastAPI) -> None:
        """Add the routes to an app."""
        whole, one = "/objects/{key}", "/objects/{key}/uploads/{upload}"
        app.add_api_route(whole, self.put, methods=["PUT"])
        app.add_api_route(whole, self.get, methods=["GET"])
        app.add_api_route(f"{whole}/uploads", self.begin, methods=["POST"], status_code=201)
        app.add_api_route(f"{one}/{{number}}", self.put_part, methods=["PUT"])
        app.add_api_route(one, self.parts, methods=["GET"])
        app.add_api_route(one, self.close, methods=["POST"])
        app.add_api_route(one, self.abort, methods=["DELETE"], status_code=204)

    def allowed(self, request: Request, ticket: Ticket) -> Grant:
        """The grant in the query, once its signature fits this method, path and body."""
        path, kind, size = request.url.path, ticket.type, 0
        if "\n" in path:
            raise Refused(403, "the signature does not fit this request")
        grant = Grant(request.method, path, ticket.expires, ticket.size, kind)
        if request.method == "PUT":
            size = whole_number("Content-Length", request.headers.get("content-length", "0"))
            kind = request.headers.get("content-type", "")
        verify(self.store.secret, grant, ticket.signature, self.store.clock(), size, kind)
        return grant

    async def put(self, key: str, request: Request, ticket: Asked) -> Response:
        """Store an object, in place of an older one."""
        grant = self.allowed(request, ticket)
        stored = await self.receive(request, grant.size)
        await self.store.check_type(grant.kind, stored.file)
        made = Object(key, stored.size, grant.kind, stored.etag, (stored.file,))
        await self.store.objects.put(made)
        return self.complete(made)

    async def get(self, key: str, request: Request, ticket: Asked) -> Response:
        """Read an object."""
        self.allowed(request, ticket)
        made = await self.store.objects.get(key)
        if made is None:
            raise Refused(404, "no such object")
        headers = {"ETag": made.etag, "X-Content-Type-Options": "nosniff"}
        body = self.store.read(made)
        return StreamingResponse(body, media_type=made.kind or None, headers=headers)

    async def begin(self, key: str, request: Request, ticket: Asked) -> dict[str, str]:
        """Open a multipart upload; it ends with its grant."""
        grant = self.allowed(request, ticket)
        upload = Multipart(self.store.token(), key, grant.size, grant.kind, grant.expires)
        await self.store.objects.begin(upload)
        return {"upload": upload.id}

    async def put_part(
        self, key: str, upload: str, number: int, request: Request, ticket: Asked
    ) -> Response:
        """Store a part, in place of an older one of its number."""
        grant = self.allowed(request, ticket)
        check_number(number)
        await self.opened(upload, key)
        stored = await self.receive(request, grant.size)
        now = self.store.clock()
        if not await self.store.objects.put_piece(upload, number, stored, now):
            await self.store.disk.delete(stored.file)
            raise Refused(404, "the upload was closed in the meantime")
        return Response(headers={"ETag": stored.etag})

    async def parts(self, key: str, upload: str, request: Request, ticket: Asked) -> dict[str, Any]:
        """The parts that are stored."""
        self.allowed(request, ticket)
        await self.opened(upload, key)
        found = await self.store.objects.pieces(upload)
        return {"parts": [{"number": n, "size": p.size, "etag": p.etag} for n, p in found.items()]}

    async def close(
        self, key: str, upload: str, parts: list[Listed], request: Request, ticket: Asked
    ) -> Response:
        """Make the object of the parts that the client lists."""
        self.allowed(request, ticket)
        found = await self.opened(upload, key)
        listed = [(each.number, each.etag) for each in parts]
        stored = await self.store.objects.pieces(upload)
        used = check_complete(listed, stored, self.store.least_part)
        size, files = sum(part.size for part in used), tuple(part.file for part in used)
        if size > found.size:
            raise Refused(413, f"at most {found.size} bytes are allowed")
        await self.store.check_type(found.kind, *files)
        made = Object(key, size, found.kind, etag_of_parts([part.etag for part in used]), files)
        if not await self.store.objects.complete(upload, made):
            raise Refused(404, "the upload was closed in the meantime")
        return self.complete(made)

    async def abort(self, key: str, upload: str, request: Request, ticket: Asked) -> Response:
        """Give a multipart upload up; the sweep frees its files."""
        self.allowed(request, ticket)
        await self.opened(upload, key)
        await self.store.objects.abort(upload)
        return Response(status_code=204)

    async def receive(self, request: Request, most: int) -> Stored:
        """The request's body as a file."""
        try:
            return await self.store.receive(request.stream(), most)
        except ClientDisconnect:
            raise Refused(400, "the client has left") from None

    async def opened(self, upload: str, key: str) -> Multipart:
        """The upload, if it is open and for this key."""
        found = await self.store.objects.multipart(upload, self.store.clock())
        if found is None or found.key != key:
            raise Refused(404, "no such upload is open")
        return found

    def complete(self, made: Object) -> Response:
        """Answer first: the call-back must not make the client wait, nor fail its upload."""
        call = asyncio.get_running_loop().create_task(self.store.tell(made))
        self.calls.add(call)
        call.add_done_callback(self.calls.discard)
        return JSONResponse({"key": made.key, "size": made.size}, headers={"ETag": made.etag})
