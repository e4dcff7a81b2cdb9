"""The same app under uvicorn, with clients that nobody here wrote: httpx-sse and websockets."""

import asyncio
import random
import resource
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import websockets
from httpx_sse import aconnect_sse

from course_lib.systems.realtime_notifications import (
    Comeback,
    event_source,
    long_poll,
    poll,
    web_socket,
)
from tests.systems.realtime_notifications.real import (
    IN_TIME,
    in_time,
    needs_redis,
    servers,
    stop,
    until,
)

STREAMS, USERS, NOTICES = 1000, 50, 12
pytestmark = needs_redis


def room_for_files() -> None:
    """A thousand connections need more open files than some systems give at first."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 16_384), most))


class Listener:
    """A client over httpx-sse: it remembers the last id, and is cut off again and again."""

    def __init__(self, url: str, user: str, seed: int):
        self.url, self.user = url, user
        self.dice = random.Random(seed)
        self.cuts = 2
        self.last = ""
        self.got: list[str] = []
        self.positioned = asyncio.Event()

    async def listen(self) -> None:
        """Read until all are there; hang up after some events, twice, and come back."""
        # A pool of one each: a shared one looks at all of its connections for every request.
        async with httpx.AsyncClient(verify=False, timeout=IN_TIME, trust_env=False) as http:
            while len(self.got) < NOTICES:
                try:
                    await self._connection(http)
                except httpx.TransportError:
                    await asyncio.sleep(self.dice.uniform(0, 0.5))

    async def _connection(self, http: httpx.AsyncClient) -> None:
        headers = {"last-event-id": self.last} if self.last else {}
        params = {"user": self.user}
        patience = self.dice.randint(1, NOTICES) if self.cuts > 0 else NOTICES + 9
        async with aconnect_sse(
            http, "GET", f"{self.url}/stream", params=params, headers=headers
        ) as source:
            async for event in source.aiter_sse():
                self.last = event.id or self.last
                self.positioned.set()
                if event.data and event.event == "message":
                    self.got.append(event.data)
                    patience -= 1
                if patience == 0 or len(self.got) >= NOTICES:
                    self.cuts -= 1
                    return


def test_a_thousand_streams(tmp_path: Path) -> None:
    """1,000 streams on three servers, each cut twice, and one server killed: each notice once."""
    room_for_files()

    async def scenario() -> list[Listener]:
        everyone = [Listener(them.url, f"u{n % USERS}", n) for n in range(STREAMS)]
        listening = [asyncio.ensure_future(one.listen()) for one in everyone]
        await asyncio.gather(*(one.positioned.wait() for one in everyone))
        log = them.log()
        for number in range(NOTICES):
            for user in range(USERS):
                await log.publish(f"u{user}", f"notice {number}")
            if number == NOTICES // 2:
                them.processes[0].send_signal(signal.SIGKILL)
        await asyncio.gather(*listening)
        await log.redis.aclose()
        return everyone

    with servers(tmp_path, 3, SPREAD=0.5) as them:
        everyone = in_time(scenario())
        assert them.processes[0].wait() == -signal.SIGKILL
    assert them.errors == []
    wanted = [f"notice {number}" for number in range(NOTICES)]
    wrong = Counter(tuple(one.got) for one in everyone if one.got != wanted)
    assert not wrong, wrong.most_common(3)
    assert sum(2 - one.cuts for one in everyone) > STREAMS


def test_our_clients_unchanged(tmp_path: Path) -> None:
    """The clients that run in the lab get the same over loopback, over each transport."""

    async def first(messages: Any, count: int) -> list[str]:
        got = []
        async for message in messages:
            got.append(message.data)
            if len(got) == count:
                await messages.aclose()
                break
        return got

    async def scenario() -> list[list[str]]:
        log, ask = them.log(), "user=ann"
        position = await log.publish("ann", "seen")
        for number in range(3):
            await log.publish("ann", str(number))

        def state() -> Comeback:
            return Comeback(random.Random(1), position=position)

        sockets = them.url.replace("http", "ws")
        async with httpx.AsyncClient(trust_env=False) as http:
            all_four = [
                poll(http, f"{them.url}?{ask}", 0.1, state()),
                long_poll(http, f"{them.url}?{ask}", 20, state()),
                event_source(http, f"{them.url}/stream?{ask}", state()),
                web_socket(
                    lambda url: websockets.connect(url, proxy=None),
                    f"{sockets}/socket?{ask}",
                    state(),
                ),
            ]
            reading = [asyncio.ensure_future(first(one, 4)) for one in all_four]
            await asyncio.sleep(0)
            await log.publish("ann", "3")
            got = await asyncio.gather(*reading)
        await log.redis.aclose()
        return got

    with servers(tmp_path) as them:
        assert in_time(scenario()) == [["0", "1", "2", "3"]] * 4


def test_a_deploy(tmp_path: Path) -> None:
    """SIGTERM sends clients away with a retry, the server ends well, another one goes on."""

    async def scenario() -> list[str]:
        log, got = them.log(), list[str]()
        state = Comeback(random.Random(1), base=0.1)

        async def read() -> None:
            async with httpx.AsyncClient(trust_env=False) as http:
                async for message in event_source(http, f"{them.url}/stream?user=ann", state):
                    got.append(message.data)
                    if message.data == "2":
                        return

        reading = asyncio.ensure_future(read())

        async def positioned() -> bool:
            return bool(state.position)

        async def has_one() -> bool:
            return "1" in got

        await until(positioned)
        await log.publish("ann", "1")
        await until(has_one)
        loop = asyncio.get_running_loop()
        next_one = await loop.run_in_executor(None, them.start)
        assert await loop.run_in_executor(None, stop, them.processes[0]) in (0, -signal.SIGTERM)
        assert next_one.poll() is None
        await log.publish("ann", "2")
        await reading
        await log.redis.aclose()
        return got

    with servers(tmp_path, 1, SPREAD=0.2, DRAIN_OVER=0.5) as them:
        got = in_time(scenario())
    assert [data for data in got if data != "draining"] == ["1", "2"]
    assert "draining" in got


def test_a_client_that_does_not_read(tmp_path: Path) -> None:
    """Its queue overflows and is emptied, others get all; the server keeps no more for it."""

    async def scenario() -> int:
        log = them.log()
        host, port = them.socket.getsockname()
        _, writer = await asyncio.open_connection(host, port, limit=1)
        writer.write(b"GET /notifications/stream?user=ann HTTP/1.1\r\nhost: a\r\n\r\n")
        async with httpx.AsyncClient(trust_env=False) as http:
            health = them.url.replace("notifications", "health")

            async def joined() -> bool:
                return bool((await http.get(health)).json()["subscriptions"])

            async def left() -> bool:
                return not await joined()

            await until(joined)
            big = "x" * 100_000
            for _ in range(300):  # 30 MB, far above what sockets hold
                await log.publish("ann", big)
            status = (await http.get(f"{them.url}?user=bob")).status_code
            writer.close()
            await until(left)
        await log.redis.aclose()
        return status

    with servers(tmp_path, 1) as them:
        assert in_time(scenario()) == 200
