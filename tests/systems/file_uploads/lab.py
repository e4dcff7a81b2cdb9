"""A tus server in a world, and short ways to talk to it."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from course_lib.experiments.file_uploads import TUS, client, patch, server
from course_lib.lab import World, run
from course_lib.systems import file_uploads as fu

__all__ = ["OFFSET", "PNG", "TUS", "client", "create", "in_world", "patch", "server"]

OFFSET = "application/offset+octet-stream"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(32))


def in_world(
    scenario: Callable[[World, httpx.AsyncClient, fu.Storage], Awaitable[Any]],
    rules: fu.Rules | None = None,
    owner: Any = None,
) -> Any:
    """Run a scenario beside a server; gives its result."""

    async def main() -> Any:
        world = World(29)
        storage = server(world, rules, owner)
        await storage.catalog.prepare()
        async with world.http("client", base_url="http://server") as http:
            return await scenario(world, http, storage)

    return run(main())


async def create(http: httpx.AsyncClient, length: int, **headers: str) -> httpx.Response:
    """POST: a new upload."""
    return await http.post("/files", headers={**TUS, "Upload-Length": str(length), **headers})
