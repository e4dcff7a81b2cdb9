"""Sagas whose real processes are killed with SIGKILL, over real SQLite files and a real Redis.

The kills are at chosen points, not at chosen times: a service kills the process that asks it, or a
worker kills itself, just before or after the step in question.
"""

import asyncio
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from course_lib.experiments.sagas import Books, Shop, audit, open_shop, open_style, settled
from course_lib.systems import sagas
from tests.systems.real_redis import FORKS, IN_TIME, needs_forks, needs_url, own_database
from tests.systems.sagas import processes
from tests.systems.sagas.processes import ORDER, Site

SHOPS = {"goes well": Shop(), "no room": Shop(room=0)}
ENDS = {
    "goes well": ("reserve", "charge", "ship", "notify"),
    "no room": ("reserve", "charge", "refund", "release"),
}
KILLED = -9
pytestmark = needs_forks


# Who places the order is killed


class Services:
    """The four services at one port; request `at` of a life is the last thing that life does.

    That request is lost with its sender, or with `handled`, its answer is.
    """

    def __init__(self) -> None:
        self.site: Any = None
        self.life: Any = None
        self.at, self.handled, self.asked = 0, False, 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request, or kill who asks."""
        self.asked += 1
        app = self.site.apps[dict(scope["headers"])[b"host"].decode()]
        if self.asked != self.at:
            return await app(scope, receive, send)
        if self.handled:
            await app(scope, receive, nobody)
        self.life.kill()
        await self.gone.wait()
        return None

    async def run(self, style: str, verb: str, at: int = 0, handled: bool = False) -> int:
        """One life, killed at its request `at` if it comes so far; its exit code."""
        self.at, self.handled, self.asked, self.gone = at, handled, 0, asyncio.Event()
        arguments = (style, verb, self.site.folder, self.site.port)
        self.life = FORKS.Process(target=processes.life, args=arguments)
        self.life.start()
        await ended(self.life)
        self.gone.set()
        return self.life.exitcode

    @asynccontextmanager
    async def opened(self, style: str, shop: Shop) -> AsyncIterator[None]:
        """A new shop in a folder of its own."""
        with tempfile.TemporaryDirectory() as folder:
            self.site = Site("", Path(folder), self.port)
            await open_shop(self.site, shop)
            await open_style(self.site, style)
            yield
            await self.site.close()

    async def books(self) -> Books:
        """What the services say in the end."""
        return await audit(self.site)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["Services"]:
        """Serve on a free port meanwhile."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]
            config = uvicorn.Config(self, lifespan="off", log_level="critical")
            server = uvicorn.Server(config)
            serving = asyncio.ensure_future(server.serve(sockets=[listener]))
            try:
                yield self
            finally:
                server.should_exit = True
                await serving


async def nobody(message: Any) -> None:
    """Where an answer goes that nobody waits for."""


async def ended(process: Any) -> None:
    """Wait until a process is gone."""
    await asyncio.to_thread(process.join, IN_TIME)
    assert process.exitcode is not None, "a process did not end"


async def killed_everywhere(style: str, shop: Shop) -> dict[tuple[int, bool], Books]:
    """For each request: the books after it was the last of one life, and another has recovered."""
    found, services = {}, Services()
    async with services.listening():
        for at, handled in ((n // 2, bool(n % 2)) for n in range(2, 100)):
            async with services.opened(style, shop):
                code = await services.run(style, "place", at, handled)
                if code == 0:
                    return found
                assert code == KILLED
                assert await services.run(style, "recover") == 0
                found[at, handled] = await services.books()
    raise AssertionError("it asks without an end")


@pytest.mark.parametrize("shop", SHOPS)
def test_killed_at_every_request(shop: str) -> None:
    """The orchestrator is killed at each request, before and after it is handled; a new process
    goes on from the log: money whole, nothing twice, and the saga ends as if nothing had been."""
    found = asyncio.run(killed_everywhere("orchestrated", SHOPS[shop]))
    for books in found.values():
        settled(books)
        assert books.history("order-1") == ENDS[shop]
    assert len(found) == 2 * {"goes well": 4, "no room": 5}[shop]


@pytest.mark.parametrize("style", ["two-phase commit", "event-sourced"])
def test_other_styles(style: str) -> None:
    """So is whoever places an order in another style: completed or compensated, nothing twice."""
    found = asyncio.run(killed_everywhere(style, Shop()))
    for books in found.values():
        settled(books)
    assert len(found) >= 8


def test_the_kills_hit() -> None:
    """The popular saga in the same harness is left half done by all kills but two."""
    found = asyncio.run(killed_everywhere("try/except", Shop()))
    half = [books.history("order-1") for books in found.values() if not whole(books)]
    assert half == [ENDS["goes well"][: (n + 1) // 2] for n in range(1, 7)]
    assert len(found) == 8


def whole(books: Books) -> bool:
    """Whether the books are settled."""
    try:
        settled(books)
    except AssertionError:
        return False
    return True


def test_killed_again_and_again() -> None:
    """Each life is killed when its second request is done: every life brings the saga a step on."""

    async def scenario() -> tuple[int, Books]:
        services, lives = Services(), 1
        async with services.listening(), services.opened("orchestrated", Shop(room=0)):
            code = await services.run("orchestrated", "place", 2, handled=True)
            while code == KILLED and lives < 20:
                code = await services.run("orchestrated", "recover", 2, handled=True)
                lives += 1
            return lives, await services.books()

    lives, books = asyncio.run(scenario())
    settled(books)
    assert (lives, books.history("order-1")) == (5, ENDS["no room"])


# A worker of the choreographed saga is killed


@contextmanager
def working(url: str, folder: Path, service: str, dies: tuple[str, int]) -> Iterator[Any]:
    """A worker process for each service, of which one dies; they are gone afterwards."""
    workers = {
        name: start(name, url, folder, ("", 0)) for name in sagas.SERVICES if name != service
    }
    workers[service] = start(service, url, folder, dies)
    try:
        yield workers
    finally:
        for worker in workers.values():
            worker.kill()
            worker.join()


def start(service: str, url: str, folder: Path, dies: tuple[str, int]) -> Any:
    """Start one worker."""
    process = FORKS.Process(target=processes.worker, args=(service, dies, url, folder))
    process.start()
    return process


async def choreographed(
    shop: Shop, service: str, dies: tuple[str, int], url: str, folder: Path
) -> tuple[int, Books]:
    """One order, during which one worker dies, and another takes its place.

    Gives how many events the dead one had read and not acknowledged, and the books.
    """
    site = Site(url, folder)
    redis = site.redis("auditor")
    await open_shop(site, shop, time.monotonic)
    await open_style(site, "choreographed")
    with working(url, folder, service, dies) as workers:
        await sagas.choreography.place(redis, ORDER)
        await ended(workers[service])
        assert workers[service].exitcode == KILLED
        left = await pending(redis, service)
        workers[service] = start(service, url, folder, ("", 0))
        over = {"notify.done": "0", "release.done": "0"}
        assert await redis.xread(over, block=1000 * IN_TIME), "the saga did not end"
    assert sum([await pending(redis, name) for name in sagas.SERVICES]) == 0
    books = await audit(site)
    await site.close()
    return left, books


async def pending(redis: Any, service: str) -> int:
    """How many events a service has read and not acknowledged."""
    streams = sagas.reactions(sagas.ORDER_WORKFLOW, service)
    return sum([(await redis.xpending(stream, service))["pending"] for stream in streams])


TIMES = {
    "goes well": {"stock": 1, "payment": 1, "shipping": 1, "notification": 1},
    "no room": {"stock": 2, "payment": 2, "shipping": 1},
}


@needs_url
@pytest.mark.parametrize("moment", ["read", "acted", "told"])
@pytest.mark.parametrize("shop", SHOPS)
def test_a_worker_is_killed(shop: str, moment: str) -> None:
    """Each service's worker is killed at each of its events: when it has read it, has acted, or has
    told the others. Another process takes over what it had not acknowledged: nothing twice."""
    for service, times in TIMES[shop].items():
        for number in range(1, times + 1):
            with own_database() as url, tempfile.TemporaryDirectory() as folder:
                story = choreographed(SHOPS[shop], service, (moment, number), url, Path(folder))
                left, books = asyncio.run(story)
            settled(books)
            assert books.history("order-1") == ENDS[shop], (service, number)
            assert left == (moment != "told"), (service, number)
