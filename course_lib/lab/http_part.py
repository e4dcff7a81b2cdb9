"""The world's HTTP: httpx clients whose requests reach ASGI apps of the same world, and stream.

A request is one effect, applied when the app starts to handle it; the app's own effects follow.
Body parts of the answer arrive one by one, as the app sends them. httpx's own ASGITransport would
collect the whole body first, so an event stream would never be seen. Time-outs of the request are
honoured: connect until the request has arrived, read between parts. Leaves out HTTP framing, TLS,
redirects through real networks, and WebSockets.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import httpx

from course_lib.lab.network import NEVER

if TYPE_CHECKING:
    from course_lib.lab.world import World

__all__ = ["client"]

END = object()


def client(world: World, who: str, options: dict[str, Any]) -> httpx.AsyncClient:
    """An httpx client that stands on node `who`."""
    return httpx.AsyncClient(transport=_Transport(world, who), **options)


class _Transport(httpx.AsyncBaseTransport):
    def __init__(self, world: World, who: str):
        self.world, self.who = world, who

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        timeouts = request.extensions.get("timeout", {})
        exchange = _Exchange(self.world, self.who, request, await request.aread())
        try:
            async with asyncio.timeout(timeouts.get("connect")):
                await self._send(exchange)
        except TimeoutError:
            raise httpx.ConnectTimeout(f"{exchange.host} did not answer", request=request) from None
        status, headers = await exchange.next_part(timeouts.get("read"))
        return httpx.Response(
            status, headers=headers, stream=_Body(exchange, timeouts.get("read")), request=request
        )

    async def _send(self, exchange: _Exchange) -> None:
        request = exchange.request
        if exchange.host not in self.world.apps:
            raise httpx.ConnectError(f"no node serves {exchange.host}", request=request)
        await self.world.effect(
            self.who,
            exchange.host,
            f"{request.method} {request.url.raw_path.decode()}",
            exchange.start_handling,
            refuse=lambda text: httpx.ConnectError(text, request=request),
        )


class _Exchange:
    """One request and its answer: the ASGI scope, and the parts that travel back."""

    def __init__(self, world: World, who: str, request: httpx.Request, body: bytes):
        self.world, self.who, self.request, self.body = world, who, request, body
        self.host = request.url.host
        self.parts: asyncio.Queue[Any] = asyncio.Queue()
        self.left = asyncio.Event()
        self.received = False
        self.handler: asyncio.Task[None] | None = None
        self.last_arrival = 0.0

    # On the server

    def start_handling(self) -> str:
        self.effect = self.world.log[-1]
        self.handler = asyncio.get_running_loop().create_task(
            self._handle(), name=f"{self.host} {self.request.method} {self.request.url.path}"
        )
        return "no answer yet"

    async def _handle(self) -> None:
        app = self.world.apps[self.host]
        try:
            await app(self._scope(), self._receive, self._send)
        except Exception as error:
            self._back(httpx.RemoteProtocolError(f"{self.host} failed: {error!r}"))
        except BaseException:
            self._back(httpx.RemoteProtocolError(f"{self.host} died"))
            if asyncio.current_task().cancelling():  # type: ignore[union-attr]
                raise
        else:
            self._back(END)

    def _scope(self) -> dict[str, Any]:
        url = self.request.url
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": self.request.method,
            "scheme": url.scheme,
            "path": url.path,
            "raw_path": url.raw_path.split(b"?")[0],
            "query_string": url.query,
            "root_path": "",
            "headers": [(name.lower(), value) for name, value in self.request.headers.raw],
            "server": (self.host, url.port or 80),
            "client": (self.world.address(self.who), 49152),
        }

    async def _receive(self) -> dict[str, Any]:
        if not self.received:
            self.received = True
            return {"type": "http.request", "body": self.body, "more_body": False}
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.effect.result = message["status"]
            self._back((message["status"], message.get("headers", [])))
        elif message["type"] == "http.response.body":
            if message.get("body"):
                self._back(message["body"])
            if not message.get("more_body"):
                self._back(END)
        await asyncio.sleep(0)

    def _back(self, part: object) -> None:
        """Send a part to the client; parts keep their order, whatever the jitter."""
        travel = self.world.travel(self.host, self.who)
        if travel == NEVER:
            return
        loop = asyncio.get_running_loop()
        self.last_arrival = max(self.last_arrival, loop.time() + travel)
        loop.call_at(self.last_arrival, self.parts.put_nowait, part)

    # On the client

    async def next_part(self, timeout: float | None) -> Any:  # noqa: ASYNC109
        """The next part, an error of the server raised, or END."""
        try:
            async with asyncio.timeout(timeout):
                part = await self.parts.get()
        except TimeoutError:
            self.left.set()
            raise httpx.ReadTimeout(
                f"{self.host} sent nothing for {timeout:g} s", request=self.request
            ) from None
        if isinstance(part, httpx.RemoteProtocolError):
            raise part
        return part


class _Body(httpx.AsyncByteStream):
    """The answer's body, part by part; closing it tells the app that the client has left."""

    def __init__(self, exchange: _Exchange, timeout: float | None):
        self.exchange, self.timeout = exchange, timeout

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (part := await self.exchange.next_part(self.timeout)) is not END:
            yield part

    async def aclose(self) -> None:
        self.exchange.left.set()
