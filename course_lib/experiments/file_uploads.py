"""Chapter 29's experiments: a file over a link that drops, as picture and as numbers.

`transfer` is what the sliders run. It lets the client's policy and the server's offset core
(`check_append`) talk over the lab's link, without HTTP and SQLite, so that a slider answers at
once; a test holds it against the real client and the real server, to the millisecond and the byte.
Leaves out the drawing (show) and the server (systems).
"""

from __future__ import annotations

import asyncio
import math
import random
import tracemalloc
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from statistics import mean
from typing import Any, NamedTuple

import httpx

from course_lib.lab import World, run
from course_lib.lab.drive import exponential
from course_lib.show import Cells, Series, Trace
from course_lib.systems import file_uploads as fu

__all__ = [
    "KIB",
    "MIB",
    "MODES",
    "STATES",
    "Transfer",
    "appended",
    "broken_places",
    "client",
    "direct_world",
    "drops",
    "mean_of",
    "picture",
    "popular_memory",
    "resumable",
    "server",
    "transfer",
    "tus_memory",
]

KIB, MIB = 1024, 1024 * 1024
FILE = 16 * MIB
PIECE = 64 * KIB
MODES = ("whole chunks", "every byte", "nothing")
STATES = ("waiting", "sending", "stored", "dropped")


def server(world: World, rules: fu.Rules | None = None, owner: Any = None) -> fu.Storage:
    """Let node "server" answer http://server/files with the tus app; gives its storage.

    Whoever starts it anew over the same world has the same database and disk: a restart.
    """
    storage = fu.Storage(
        catalog=fu.Catalog(lambda: world.sql("server")),
        disk=world.disk("server"),
        clock=world.time,
        token=_tokens(world),
        rules=rules or fu.Rules(),
    )
    app = fu.tus_app(storage, owner) if owner else fu.tus_app(storage)
    world.serve("server", app)
    return storage


class Direct(NamedTuple):
    """An object store at http://store and the API at http://api, over one world."""

    world: World
    store: fu.Store
    direct: fu.Direct


async def direct_world(world: World, least_part: int = fu.LEAST_PART) -> Direct:
    """Let nodes "store" and "api" share the work of direct uploads; again over a world: a restart.

    The store calls the API back over the world's network, where a partition can keep it from that.
    """
    secret, token = b"shared by API and store", _tokens(world)

    async def notify(event: bytes, signature: str) -> bool:
        try:
            async with world.http("store", timeout=5) as http:
                headers = {"X-Signature": signature}
                answer = await http.post("http://api/events", content=event, headers=headers)
        except httpx.TransportError:
            return False
        return answer.status_code == 204

    async def look(key: str) -> int | None:
        found = await objects.get(key)
        return found.size if found else None

    objects = fu.Objects(lambda: world.sql("store", "objects"))
    store = fu.Store(objects, world.disk("store"), world.time, secret, token, notify, least_part)
    direct = fu.Direct(lambda: world.sql("api", "api"), secret, world.time, look, token)
    world.serve("store", fu.store_app(store))
    world.serve("api", fu.direct_app(direct))
    await objects.prepare()
    await direct.prepare()
    return Direct(world, store, direct)


def _tokens(world: World) -> Callable[[], str]:
    """Names that no restart over the same world gives twice."""
    dice = world.part("tokens", lambda: random.Random(world.seed))
    return lambda: f"{dice.getrandbits(32):08x}"


def drops(mean_bytes: float, seed: int) -> Iterator[int]:
    """Where connections break, in bytes sent so far: on average one in `mean_bytes`.

    The same seed gives the same places for every setting.

    >>> next(drops(4 * MIB, seed=29)) > 0
    True
    """
    draw, at = random.Random(f"{seed} drops"), 0.0
    while True:
        at += exponential(draw) * mean_bytes
        yield math.ceil(at)


@dataclass
class Transfer:
    """A file on its way in chunks over one link; sizes in bytes, times in seconds."""

    size: int
    chunk: int
    bandwidth: float
    rtt: float
    parallel: int = 1
    mode: str = "whole chunks"
    pause: float = 0.5
    breaks: Iterator[int] = field(default_factory=lambda: iter(()))
    events: list[tuple[float, int, str, str]] = field(default_factory=list)
    stored: list[tuple[float, float]] = field(default_factory=lambda: [(0.0, 0)])
    sent: list[tuple[float, float]] = field(default_factory=lambda: [(0.0, 0)])
    broken: int = 0

    async def run(self) -> float:
        """Send all chunks; gives the seconds it took."""
        loop = asyncio.get_running_loop()
        self.world = World()
        self.world.link("client", "server", self.rtt / 2, bandwidth=self.bandwidth)
        self.next_break = next(self.breaks, None)
        todo = iter(range(math.ceil(self.size / self.chunk)))
        workers = [self._worker(todo) for _ in range(self.parallel)]
        await asyncio.gather(*workers)
        return loop.time()

    async def _worker(self, todo: Iterator[int]) -> None:
        for number in todo:
            await self._chunk(number)

    async def _chunk(self, number: int) -> None:
        """Send one chunk until the server has it all; it says what it has kept."""
        length = min(self.chunk, self.size - number * self.chunk)
        kept = 0
        while kept < length:
            self._tell(number, "sending")
            await asyncio.sleep(self.rtt)  # the request finds its server
            passed = await self._send(kept, length)
            kept += self._kept(kept, passed, length)
            if kept == length and passed is None:
                await asyncio.sleep(self.rtt)  # the last byte there, the answer back
            else:
                self._tell(number, "dropped")
                self.broken += 1
                await asyncio.sleep(self.pause + self.rtt)  # wait, then ask for the offset
        self._tell(number, "stored")

    def _kept(self, kept: int, passed: int | None, length: int) -> int:
        """How many bytes the server adds to what it has: the mode is its policy."""
        fu.check_append(kept, length, kept, passed)
        if passed is None:
            self._store(length - kept)
            return length - kept
        if self.mode != "every byte":
            return 0
        self._store(passed)
        return passed

    async def _send(self, start: int, stop: int) -> int | None:
        """Send bytes; None if all passed, else how many did until the connection broke."""
        network = self.world.network
        loop = asyncio.get_running_loop()
        piece = PIECE if self.parallel > 1 else stop - start
        for begin in range(start, stop, piece):
            size = min(piece, stop - begin)
            self._arm(size)
            passed, breaks = network.carry("client", "server", size)
            left = network.departure("client", "server", passed, loop.time())
            await asyncio.sleep(left - loop.time())
            self.sent.append((loop.time(), self.sent[-1][1] + passed))
            if breaks:
                return begin - start + passed
        return None

    def _arm(self, size: int) -> None:
        """Hand the link the next break, once it is near: `drops` has no end."""
        flow = self.world.network.flow("client", "server")
        while self.next_break is not None and self.next_break <= flow.carried + size:
            flow.breaks.append(self.next_break)
            self.next_break = next(self.breaks, None)

    def _store(self, size: int) -> None:
        now = asyncio.get_running_loop().time()
        self.stored.append((now, self.stored[-1][1] + size))

    def _tell(self, number: int, state: str) -> None:
        self.events.append((asyncio.get_running_loop().time(), number, state, ""))

    @property
    def sent_again(self) -> float:
        """Bytes that were sent in vain."""
        return self.sent[-1][1] - self.size


async def transfer(
    *,
    seed: int,
    kept: str,
    chunk: int,
    parallel: int,
    between_drops: int,
    bandwidth: float,
    rtt: int,
    pause: float,
) -> Trace:
    """A file of 16 MiB; `kept` is what the server keeps of a chunk that broke off.

    `chunk` is in KiB, `between_drops` in MiB sent on average, `bandwidth` in MiB/s, `rtt` in ms,
    `pause` in seconds before the client tries again.
    """
    size = FILE if kept == "nothing" else chunk * KIB
    check_hopeless(size, between_drops * MIB, kept)
    one = Transfer(
        size=FILE,
        chunk=size,
        bandwidth=bandwidth * MIB,
        rtt=rtt / 1000,
        parallel=parallel,
        mode=kept,
        pause=pause,
        breaks=drops(between_drops * MIB, seed),
    )
    return picture(one, await one.run())


def check_hopeless(chunk: int, between_drops: int, kept: str) -> None:
    """Say so where nearly every attempt breaks, instead of trying for ever."""
    attempts = math.exp(min(50.0, chunk / between_drops))
    if kept != "every byte" and attempts > 400:
        raise ValueError(
            f"A piece of {chunk / MIB:g} MiB needs about {attempts:,.0f} attempts, with a drop in "
            f"every {between_drops / MIB:g} MiB: that upload does not end. Make the chunk smaller."
        )


def picture(one: Transfer, seconds: float) -> Trace:
    """The chunk map, and what was sent beside what was stored."""
    again = one.sent_again / MIB
    cells = math.ceil(one.size / one.chunk)
    name = f"Chunks of {one.chunk / KIB:,g} KiB"
    lines = {"sent": _mib(one.sent), "stored": _mib(one.stored)}
    return Trace(
        end=seconds,
        title=f"{one.size // MIB} MiB, kept of a broken chunk: {one.mode}",
        summary=f"{seconds:.1f} s, {one.broken} drops, {again:.2f} MiB sent again.",
        tracks=[
            Cells(name, cells, STATES, one.events),
            Series("Bytes", lines, unit="MiB", limit=one.size / MIB, shape="line"),
        ],
    )


def _mib(points: list[tuple[float, float]], most: int = 200) -> list[tuple[float, float]]:
    """At most about so many points, in MiB; the last one always."""
    every = math.ceil(len(points) / most)
    return [(t, v / MIB) for t, v in [*points[:-1:every], points[-1]]]


def mean_of(
    measure: Callable[[Transfer, float], float], make: Callable[[int], Transfer], runs: int
) -> float:
    """The mean over seeds 0, 1, ...: `make(seed)` is run, `measure(transfer, seconds)` is taken."""
    made = [make(seed) for seed in range(runs)]
    return mean(measure(each, run(each.run())) for each in made)


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


async def resumable(
    world: World, data: bytes, chunk: int, checksum: str | None = "sha256"
) -> bytes:
    """Send `data` with the resuming client to the tus server; gives what the server then holds."""
    storage = server(world)
    await storage.catalog.prepare()
    async with world.http("client", base_url="http://server") as http:
        url = await client(world, http, data, chunk, checksum).upload()
        return (await http.get(url)).content


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


async def appended(world: World, data: bytes, chunk: int) -> bytes:
    """Send `data` to the server that appends what comes; gives what it then holds."""
    disk = world.disk("server")
    world.serve("server", fu.popular.appending_app(disk))
    async with world.http("client", base_url="http://server") as http:
        await fu.popular.send_chunks(http, "film", data, chunk)
    return await disk.read("film")


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
