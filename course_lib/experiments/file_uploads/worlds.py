"""Chapter 29's harness: a tus server and its client in a world, and what breaks on the way.

`broken_places` is the harness of the whole chapter: it breaks the connection after every number of
bytes there is. Leaves out direct uploads (see direct.py).
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import httpx

from course_lib.lab import World, run
from course_lib.systems import file_uploads as fu

__all__ = [
    "TUS",
    "appended",
    "attempts",
    "beside",
    "broken_places",
    "client",
    "patch",
    "resumable",
    "server",
    "tokens",
    "watched",
]

T = TypeVar("T")


TUS = {"Tus-Resumable": "1.0.0"}


KIB = 1024


def server(world: World, rules: fu.Rules | None = None, owner: Any = None) -> fu.Storage:
    """Let node "server" answer http://server/files with the tus app; gives its storage.

    Whoever starts it anew over the same world has the same database and disk: a restart.
    """
    storage = fu.Storage(
        catalog=fu.Catalog(lambda: world.sql("server")),
        disk=world.disk("server"),
        clock=world.time,
        token=tokens(world),
        rules=rules or fu.Rules(),
    )
    app = fu.tus_app(storage, owner) if owner else fu.tus_app(storage)
    world.serve("server", app)
    return storage


def tokens(world: World) -> Callable[[], str]:
    """Names that no restart over the same world gives twice."""
    dice = world.part("tokens", lambda: random.Random(world.seed))
    return lambda: f"{dice.getrandbits(32):08x}"


def client(
    world: World, http: httpx.AsyncClient, data: bytes, chunk: int, checksum: str | None = "sha256"
) -> fu.ResumingClient:
    """The resuming client for a file in memory, with the world's dice."""
    return fu.ResumingClient(
        http,
        lambda start, stop: data[start:stop],
        len(data),
        chunk=chunk,
        checksum=checksum,
        draw=world.random,
    )


async def resumable(
    world: World, data: bytes, chunk: int, checksum: str | None = "sha256"
) -> bytes:
    """Send `data` with the resuming client to the tus server; gives what the server then holds."""
    storage = server(world)
    await storage.catalog.prepare()
    async with world.http("client", base_url="http://server") as http:
        url = await client(world, http, data, chunk, checksum).upload()
        return (await http.get(url)).content


async def appended(world: World, data: bytes, chunk: int) -> bytes:
    """Send `data` to the server that appends what comes; gives what it then holds."""
    disk = world.disk("server")
    world.serve("server", fu.popular.appending_app(disk))
    async with world.http("client", base_url="http://server") as http:
        await fu.popular.send_chunks(http, "film", data, chunk)
    return await disk.read("film")


Upload = Callable[[World], Coroutine[Any, Any, bytes]]


def broken_places(upload: Upload, data: bytes, seed: int) -> list[int]:
    """The bytes at which a break leaves another file than `data`: `upload(world)` sends and reads.

    The connection breaks once, after so many bytes of bodies, for every number of bytes there is.
    """
    found = []
    for place in range(len(data) + 1):
        world = World(seed)
        world.break_at("client", "server", [place])
        if run(upload(world)) != data:
            found.append(place)
    return found


async def patch(
    http: httpx.AsyncClient, url: str, offset: int, body: bytes, **headers: str
) -> httpx.Response:
    """PATCH bytes at an offset; `upload_checksum=...` sets the header Upload-Checksum."""
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    kind = "application/offset+octet-stream"
    sent = {**TUS, "Upload-Offset": str(offset), "Content-Type": kind, **more}
    return await http.patch(url, content=body, headers=httpx.Headers(sent))


Scenario = Callable[[World, httpx.AsyncClient, fu.Storage], Awaitable[T]]


def beside(scenario: Scenario[T], rules: fu.Rules | None = None, seed: int = 29) -> T:
    """Run `scenario(world, http, storage)` with a client beside a tus server."""

    async def main() -> T:
        world = World(seed)
        storage = server(world, rules)
        await storage.catalog.prepare()
        async with world.http("client", base_url="http://server") as http:
            return await scenario(world, http, storage)

    return run(main())


async def watched(world: World, http: httpx.AsyncClient, storage: fu.Storage) -> list[list[Any]]:
    """Upload 256 KiB in chunks with checksums, while a second node follows the stream of events.

    Gives rows of seconds, KiB that were sent, KiB that are stored, and percent. The line breaks
    once, in the third chunk.
    """
    data = world.random.randbytes(256 * KIB)
    flow = world.network.flow("client", "server")
    world.link("client", "server", latency=0.05, bandwidth=32 * KIB)
    world.break_at("client", "server", [180 * KIB])
    sender = client(world, http, data, 64 * KIB)
    sender.piece = 8 * KIB
    url = await sender.create()
    sending = asyncio.create_task(sender.resume(url, 0))
    rows = []
    async with (
        world.http("screen", base_url="http://server", timeout=None) as screen,
        screen.stream("GET", f"{url}/events") as answer,
    ):
        async for line in answer.aiter_lines():
            if line.startswith("data: "):
                told = json.loads(line.removeprefix("data: "))
                sent, stored = flow.carried // KIB, told["offset"] // KIB
                rows.append([round(world.now, 1), sent, stored, told["percent"]])
    await sending
    return rows


async def attempts(world: World, http: httpx.AsyncClient, storage: fu.Storage) -> list[list[Any]]:
    """What people try to upload: rows of the attempt and the status of its answer."""

    async def send(length: int, body: bytes = b"") -> int:
        name = fu.encode_metadata({"filename": b"../../cat.png"})
        kind = "application/offset+octet-stream"
        headers = {**TUS, "Upload-Length": str(length), "Upload-Metadata": name}
        answer = await http.post("/files", content=body, headers={**headers, "Content-Type": kind})
        return answer.status_code

    png = b"\x89PNG\r\n\x1a\n" + bytes(12)
    return [
        ["a picture", await send(20, png)],
        ["a page that is called cat.png", await send(20, b"<script>alert(1)</sc")],
        ["a size above the limit", await send(2000)],
        ["more than the owner may store", await send(990)],
    ]
