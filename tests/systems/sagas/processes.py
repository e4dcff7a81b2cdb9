"""The saga's processes, to be killed: who places an order, and each service's worker."""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from redis.asyncio import Redis

from course_lib.experiments.sagas import STYLES, database
from course_lib.systems import sagas
from tests.systems.real_redis import IN_TIME, RealWorld, within

ORDER = sagas.Order("order-1")


class Loopback(httpx.AsyncHTTPTransport):
    """Sends every request to one port of this machine; the host's name stays in its header."""

    def __init__(self, port: int) -> None:
        super().__init__(verify=False)  # there is no TLS here, and its settings take long to load
        self.port = port

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send it there."""
        request.url = request.url.copy_with(host="127.0.0.1", port=self.port)
        return await super().handle_async_request(request)


class Site(RealWorld):
    """A world whose services answer over HTTP at a port of this machine."""

    def __init__(self, url: str, folder: Path, port: int = 0) -> None:
        super().__init__(url, folder)
        self.port = port
        self.apps: dict[str, Any] = {}

    def serve(self, host: str, app: Any) -> None:
        """Note the app of a host; who listens at the port gives it what comes for that host."""
        self.apps[host] = app

    def http(self, who: str) -> httpx.AsyncClient:
        """A client that finds all hosts at the port."""
        client = httpx.AsyncClient(transport=Loopback(self.port), trust_env=False)
        self._open.append(client.aclose)
        return client


def life(style: str, verb: str, folder: Path, port: int) -> None:
    """One life of the process that places an order, or recovers what an earlier one left."""

    async def act(site: Site) -> None:
        placing = STYLES[style](site, timeout=IN_TIME)
        await (placing.place(ORDER) if verb == "place" else placing.recover())

    asyncio.run(within(Site("", folder, port), act))


class Watched(Redis):
    """A client that says when a transaction is about to be sent, and when it was answered."""

    strike: Callable[[str], None]

    def pipeline(self, *args: Any, **options: Any) -> Any:
        """A pipeline whose `execute` is watched."""
        pipe = super().pipeline(*args, **options)
        execute = pipe.execute

        async def watched() -> Any:
            self.strike("acted")
            answers = await execute()
            self.strike("told")
            return answers

        pipe.execute = watched  # type: ignore[method-assign]
        return pipe


def worker(service: str, dies: tuple[str, int], url: str, folder: Path) -> None:
    """A service's worker, without an end; `dies` is when it kills itself: a moment, which time."""

    async def act(site: Site) -> None:
        struck: Counter[str] = Counter()

        def strike(moment: str) -> None:
            struck[moment] += 1
            if (moment, struck[moment]) == dies:
                os.kill(os.getpid(), signal.SIGKILL)

        redis = Watched.from_url(url, decode_responses=True, socket_timeout=None)
        redis.strike = strike
        connect = database(site, service)  # type: ignore[arg-type]
        reactor = sagas.Reactor(
            service, redis, lambda: (strike("read"), connect())[1], time.monotonic
        )
        await reactor.resume()
        while True:
            await reactor.poll(wait=0)

    asyncio.run(within(Site(url, folder), act))
