"""The popular answers, each with its flaw: to see them break, not to use them.

Leaves out: everything that would make them safe.
"""

from __future__ import annotations

import asyncio
import os.path
from collections.abc import AsyncIterator

import httpx
from fastapi import FastAPI, Request

from course_lib.systems.file_uploads.disk import Disk

__all__ = [
    "appending_app",
    "path_of",
    "pieces",
    "put_until_done",
    "send_chunks",
    "whole_body_app",
]


def whole_body_app(disk: Disk) -> FastAPI:
    """One request, one file.

    Fails: the body is collected in memory before the first byte is written, and a break in the
    middle leaves nothing.
    """
    app = FastAPI()

    @app.put("/files/{name}")
    async def put(name: str, request: Request) -> dict[str, int]:
        body = await request.body()
        await disk.delete(name)
        await disk.append(name, body)
        return {"size": len(body)}

    return app


async def put_until_done(http: httpx.AsyncClient, name: str, data: bytes) -> None:
    """Send the whole file; after a break, from the start.

    Fails: on a line that drops once in m bytes, a file of s needs e^(s/m) times as many attempts.
    """
    while True:
        try:
            await http.put(f"/files/{name}", content=pieces(data))
        except httpx.TransportError:
            continue
        return


async def pieces(data: bytes, size: int = 64 * 1024) -> AsyncIterator[bytes]:
    """The data in pieces of `size` bytes, as a file is read."""
    for start in range(0, len(data), size):
        yield data[start : start + size]


def appending_app(disk: Disk) -> FastAPI:
    """Chunks, put together as they come.

    Fails: a chunk whose answer was lost is sent again, and appended again.
    """
    app = FastAPI()

    @app.post("/uploads/{name}/chunks")
    async def chunk(name: str, request: Request) -> dict[str, int]:
        body = await request.body()
        await disk.append(name, body)
        return {"received": len(body)}

    return app


async def send_chunks(http: httpx.AsyncClient, name: str, data: bytes, size: int) -> None:
    """Slice, send, and a second later send again what was not answered."""
    for start in range(0, len(data), size):
        answered = False
        while not answered:
            try:
                await http.post(f"/uploads/{name}/chunks", content=data[start : start + size])
                answered = True
            except httpx.TransportError:
                await asyncio.sleep(1)


def path_of(folder: str, name: str) -> str:
    """Where an upload is written, by the name that the client gave.

    Fails: the name decides the folder.

    >>> path_of("/srv/uploads", "../../etc/cron.d/job"), path_of("/srv/uploads", "/etc/passwd")
    ('/etc/cron.d/job', '/etc/passwd')
    """
    return os.path.normpath(os.path.join(folder, name))
