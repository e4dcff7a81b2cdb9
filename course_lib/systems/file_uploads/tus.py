"""A tus 1.0 server on FastAPI: core, creation (with upload), checksum, expiration, termination.

The handlers only translate: headers in, a decision of the cores, headers out.
Leaves out: deferred length and concatenation. Who may do what is the application's: `owner`.
Source: https://tus.io/protocols/resumable-upload, version 1.0.0.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Header, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.requests import ClientDisconnect

from course_lib.systems.file_uploads.catalog import Upload
from course_lib.systems.file_uploads.checksum import ALGORITHMS, Checksum
from course_lib.systems.file_uploads.cleanup import terminate
from course_lib.systems.file_uploads.content import sniff
from course_lib.systems.file_uploads.metadata import http_date, parse_metadata
from course_lib.systems.file_uploads.names import content_disposition
from course_lib.systems.file_uploads.offsets import check_append, whole_number
from course_lib.systems.file_uploads.progress import event_stream, progress_of
from course_lib.systems.file_uploads.refused import Refused
from course_lib.systems.file_uploads.storage import Storage

__all__ = ["EXTENSIONS", "VERSION", "Tus", "refused_answer", "tus_app"]

VERSION = "1.0.0"
EXTENSIONS = ("creation", "creation-with-upload", "checksum", "expiration", "termination")
OFFSET_STREAM = "application/offset+octet-stream"
Text = Annotated[str | None, Header()]
Owner = Callable[[Request], str]


def anybody(request: Request) -> str:
    """The owner where nobody asks who it is."""
    return "anybody"


def tus_app(storage: Storage, owner: Owner = anybody) -> FastAPI:
    """An app with uploads at /files; `owner` gives the verified user of a request.

    >>> app = tus_app(Storage(Catalog(connect), LocalDisk(folder), time.time))
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await storage.catalog.prepare()
        yield

    app = FastAPI(title="File uploads", lifespan=lifespan)
    app.add_exception_handler(Refused, refused_answer)
    app.add_middleware(TusHeaders)
    app.include_router(Tus(storage, owner).routes())
    return app


def refused_answer(request: Request, refused: Exception) -> Response:
    """A refusal as an answer: its status, its sentence, its headers."""
    assert isinstance(refused, Refused)
    content = {"detail": refused.reason}
    return JSONResponse(content, status_code=refused.status, headers=refused.headers)


class TusHeaders:
    """Every answer names the version, and `X-HTTP-Method-Override` counts: plain ASGI."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/files"):
            await self.app(scope, receive, send)
            return

        async def send_with_version(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"tus-resumable", VERSION.encode())]
            await send(message)

        override = dict(scope["headers"]).get(b"x-http-method-override", b"").decode("latin-1")
        if override in ("PATCH", "DELETE", "HEAD"):
            scope = {**scope, "method": override}
        await self.app(scope, receive, send_with_version)


def require_version(tus_resumable: Text = None) -> None:
    """Refuse a client that speaks another version: 412, and nothing is done."""
    if tus_resumable != VERSION:
        reason = f"this server speaks tus {VERSION}: say so in Tus-Resumable"
        raise Refused(412, reason, {"Tus-Version": VERSION})


def require_stream(content_type: str | None) -> None:
    """Refuse a body that is not declared as bytes at an offset: 415."""
    if content_type != OFFSET_STREAM:
        raise Refused(415, f"the body must be {OFFSET_STREAM}")


class Tus:
    """The handlers of a tus server: each translates a request for the cores, and back."""

    def __init__(self, storage: Storage, owner: Owner = anybody) -> None:
        self.storage, self.owner = storage, owner
        self.catalog, self.rules, self.clock = storage.catalog, storage.rules, storage.clock

    def routes(self) -> APIRouter:
        """The routes, to include in an app of your own."""
        routes = APIRouter(prefix="/files")
        versioned: Any = {"dependencies": [Depends(require_version)]}
        add = routes.add_api_route
        add("", self.options, methods=["OPTIONS"], status_code=204)
        add("/{name}", self.options, methods=["OPTIONS"], status_code=204)
        add("", self.create, methods=["POST"], status_code=201, **versioned)
        add("/{name}", self.ask, methods=["HEAD"], **versioned)
        add("/{name}", self.patch, methods=["PATCH"], status_code=204, **versioned)
        add("/{name}", self.delete, methods=["DELETE"], status_code=204, **versioned)
        add("/{name}", self.download, methods=["GET"])
        add("/{name}/progress", self.progress, methods=["GET"])
        add("/{name}/events", self.events, methods=["GET"])
        return routes

    async def options(self) -> Response:
        """What this server offers."""
        offers = {
            "Tus-Version": VERSION,
            "Tus-Extension": ",".join(EXTENSIONS),
            "Tus-Max-Size": str(self.rules.max_size),
            "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
        }
        return Response(status_code=204, headers=offers)

    async def create(
        self,
        request: Request,
        upload_length: Text = None,
        upload_metadata: Text = None,
        upload_checksum: Text = None,
        content_type: Text = None,
    ) -> Response:
        """A new upload, and perhaps its first bytes."""
        length = whole_number("Upload-Length", upload_length)
        if length > self.rules.max_size:
            raise Refused(413, f"at most {self.rules.max_size:,} bytes may be uploaded")
        parse_metadata(upload_metadata or "")
        now, name = self.clock(), self.storage.token()
        expires = now + self.rules.lifetime
        upload = Upload(name, self.owner(request), length, upload_metadata or "", expires, 0)
        await self.catalog.create(upload, self.rules.quota, now)
        headers, offset = {"Location": f"/files/{name}"}, 0
        if content_type == OFFSET_STREAM:
            offset = await self.append(upload, request, upload_checksum)
            headers["Upload-Offset"] = str(offset)
        return Response(status_code=201, headers={**headers, **deadline(upload, offset)})

    async def ask(self, name: str) -> Response:
        """How far an upload is."""
        upload = await self.catalog.find(name, "ask", self.clock())
        headers = {
            "Upload-Offset": str(upload.offset),
            "Upload-Length": str(upload.length),
            "Cache-Control": "no-store",
            **deadline(upload, upload.offset),
        }
        if upload.metadata:
            headers["Upload-Metadata"] = upload.metadata
        return Response(headers=headers)

    async def patch(
        self,
        request: Request,
        name: str,
        upload_offset: Text = None,
        upload_checksum: Text = None,
        content_type: Text = None,
        content_length: Text = None,
    ) -> Response:
        """Append bytes at an offset."""
        require_stream(content_type)
        claimed = whole_number("Upload-Offset", upload_offset)
        size = None if content_length is None else whole_number("Content-Length", content_length)
        upload = await self.catalog.find(name, "append", self.clock())
        check_append(upload.offset, upload.length, claimed, size)
        offset = await self.append(upload, request, upload_checksum)
        headers = {"Upload-Offset": str(offset), **deadline(upload, offset)}
        return Response(status_code=204, headers=headers)

    async def append(self, upload: Upload, request: Request, checksum: str | None) -> int:
        """Take the request's body; if the client leaves, what came is kept and nobody answered."""
        declared = Checksum.parse(checksum) if checksum is not None else None
        try:
            return await self.storage.append(upload, request.stream(), declared)
        except ClientDisconnect:
            raise Refused(400, "the client has left") from None

    async def delete(self, name: str) -> Response:
        """End an upload, and free what it holds."""
        await self.catalog.find(name, "terminate", self.clock())
        await terminate(self.storage, name)
        return Response(status_code=204)

    async def download(self, name: str) -> Response:
        """The file, once it is complete: as an attachment, under a safe name."""
        upload = await self.catalog.find(name, "download", self.clock())
        called = parse_metadata(upload.metadata).get("filename", b"file")
        headers = {
            "Content-Length": str(upload.length),
            "Content-Disposition": content_disposition(called.decode(errors="replace")),
            "X-Content-Type-Options": "nosniff",
        }
        kind = sniff(await self.storage.head(upload))
        return StreamingResponse(self.storage.read(upload), media_type=kind, headers=headers)

    async def progress(self, name: str) -> dict[str, Any]:
        """How far an upload is, for people."""
        return progress_of(await self.catalog.find(name, "ask", self.clock()), self.clock())

    async def events(self, name: str) -> StreamingResponse:
        """The same, as a stream of events."""
        await self.catalog.find(name, "ask", self.clock())
        return StreamingResponse(event_stream(self.storage, name), media_type="text/event-stream")


def deadline(upload: Upload, offset: int) -> dict[str, str]:
    """Until when an upload must be finished; nothing once it is."""
    return {} if offset == upload.length else {"Upload-Expires": http_date(upload.expires)}
