"""How much memory a server needs for a body, by Python's own count.

Leaves out what lies outside of the app: sockets, and the page cache of the disk.
"""

from __future__ import annotations

import tracemalloc
from typing import Any

from course_lib.lab import World
from course_lib.systems import file_uploads as fu

PIECE = 64 * 1024


__all__ = ["popular_memory", "tus_memory"]


class CountingDisk:
    """A disk that counts and forgets, so that memory is the server's alone."""

    def __init__(self) -> None:
        self.sizes: dict[str, int] = {}

    async def append(self, name: str, data: bytes) -> None:
        self.sizes[name] = self.sizes.get(name, 0) + len(data)

    async def read(self, name: str, start: int = 0, size: int | None = None) -> bytes:
        raise NotImplementedError("what was counted is gone")

    async def size(self, name: str) -> int:
        return self.sizes[name]

    async def delete(self, name: str) -> None:
        self.sizes.pop(name, None)

    async def names(self) -> list[str]:
        return sorted(self.sizes)


async def received(app: Any, method: str, path: str, size: int, headers: dict[str, str]) -> int:
    """Let an app receive a body of `size` bytes in pieces; gives its highest memory in bytes.

    Straight into the app, as uvicorn calls it: what is measured is the app and nothing else.
    """
    left, status = size, []

    async def receive() -> dict[str, Any]:
        nonlocal left
        piece = min(left, PIECE)
        left -= piece
        return {"type": "http.request", "body": bytes(piece), "more_body": left > 0}

    async def send(message: dict[str, Any]) -> None:
        status.append(message.get("status", 0))

    listed = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": listed,
    }
    tracemalloc.start()
    await app(scope, receive, send)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    if not 200 <= status[0] < 300:
        raise RuntimeError(f"{method} {path} was answered {status[0]}")
    return peak


async def popular_memory(size: int) -> int:
    """The highest memory of the popular server for a body of `size` bytes."""
    return await received(fu.popular.whole_body_app(CountingDisk()), "PUT", "/files/film", size, {})


async def tus_memory(size: int) -> int:
    """The highest memory of the tus server for a chunk of `size` bytes."""
    world = World()
    catalog = fu.Catalog(lambda: world.sql("server"))
    storage = fu.Storage(catalog, CountingDisk(), world.time)
    await catalog.prepare()
    await catalog.create(fu.Upload("film", "anybody", size, "", world.time() + 60, 0), size, 0)
    headers = {
        "Tus-Resumable": "1.0.0",
        "Upload-Offset": "0",
        "Content-Type": "application/offset+octet-stream",
        "Content-Length": str(size),
    }
    return await received(fu.tus_app(storage), "PATCH", "/files/film", size, headers)
