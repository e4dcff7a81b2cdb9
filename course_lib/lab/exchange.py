"""One HTTP request and its answer, between a client's node and an ASGI app.

Both directions are streams of parts, each of which travels through the network and keeps its place
in the order. A lost part breaks the connection: nothing that follows arrives either.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx

from course_lib.lab.network import NEVER

if TYPE_CHECKING:
    from course_lib.lab.effect import Effect
    from course_lib.lab.world import World

__all__ = ["END", "Exchange"]

END = object()
DISCONNECT = {"type": "http.disconnect"}
SERVER_ERROR = (500, [(b"content-type", b"text/plain; charset=utf-8")])
Message = dict[str, Any]


class Direction:
    """Parts on their way from one node to another, in order."""

    def __init__(self, world: World, sender: str, receiver: str, arrive: Callable[[Any], None]):
        self._world, self._sender, self._receiver = world, sender, receiver
        self._arrive = arrive
        self._last_arrival = 0.0
        self._broken = False

    def send(self, part: object) -> None:
        """Let a part arrive in its time, and never before an earlier one."""
        travel = self._world.travel(self._sender, self._receiver)
        self._broken |= travel == NEVER
        if self._broken:
            return
        loop = asyncio.get_running_loop()
        self._last_arrival = max(self._last_arrival, loop.time() + travel)
        loop.call_at(self._last_arrival, self._arrive, part)


class Exchange:
    """A request, the task that handles it, and the parts that travel."""

    def __init__(self, world: World, who: str, request: httpx.Request):
        self.world, self.who, self.request = world, who, request
        self.host = request.url.host
        self.handler: asyncio.Task[None] | None = None
        self._effect: Effect | None = None
        self._for_app: asyncio.Queue[Message] = asyncio.Queue()
        self._for_client: asyncio.Queue[Any] = asyncio.Queue()
        self._to_app = Direction(world, who, self.host, self._for_app.put_nowait)
        self._to_client = Direction(world, self.host, who, self._for_client.put_nowait)
        self._started = self._left = self._disconnected = self._dead = False

    # On the server

    def start_handling(self) -> str:
        """Let the app handle the request: in a task of its own, with nothing of the client's."""
        self._effect = self.world.log[-1]
        number = self._effect.number
        loop = asyncio.get_running_loop()
        self.handler = loop.create_task(
            self._handle(),
            name=f"{self.host} {self.request.method} {self.request.url.path}, effect {number}",
            context=contextvars.Context(),
        )
        # A handler whose request was lost on its way waits for ever; it may outlive its world.
        kept: set[object] = getattr(loop, "kept", set())
        kept.add(self.handler)
        self.handler.add_done_callback(kept.discard)
        return "no answer yet"

    async def _handle(self) -> None:
        try:
            await self.world.apps[self.host](self._scope(), self._receive, self._send)
        except Exception as error:
            self._failed(error)
        except asyncio.CancelledError:
            self.cut(f"{self.host} ended the connection")
            raise
        except BaseException:
            self.cut(f"{self.host} died")
        else:
            self._answer(END)

    def _failed(self, error: Exception) -> None:
        """As servers do: 500 if nothing was sent yet, else the connection breaks."""
        if self._effect is not None:
            self._effect.error = f"{type(error).__name__}: {error}"
        if self._started:
            self.cut(f"{self.host} failed: {error!r}")
        else:
            self._answer(SERVER_ERROR)
            self._answer(b"Internal Server Error")
            self._answer(END)

    def cut(self, reason: str) -> None:
        """Break the connection from the server's side; what the app still sends is lost."""
        self._answer(httpx.RemoteProtocolError(reason, request=self.request))
        self._dead = True

    def _answer(self, part: object) -> None:
        if not self._dead:
            self._to_client.send(part)

    def _scope(self) -> Message:
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

    async def _receive(self) -> Message:
        if self._disconnected:
            return DISCONNECT
        message = await self._for_app.get()
        self._disconnected = message["type"] == "http.disconnect"
        return message

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._started = True
            if self._effect is not None:
                self._effect.result = message["status"]
            self._answer((message["status"], list(message.get("headers", []))))
        elif message["type"] == "http.response.body":
            if message.get("body"):
                self._answer(bytes(message["body"]))
            if not message.get("more_body"):
                self._answer(END)
        await asyncio.sleep(0)

    # On the client

    async def upload(self) -> None:
        """Send the request's body, in the parts in which it comes."""
        if isinstance(self.request.stream, httpx.ByteStream):
            self._body(await self.request.aread(), more=False)
            return
        assert isinstance(self.request.stream, httpx.AsyncByteStream)
        async for chunk in self.request.stream:
            self._body(chunk, more=True)
        self._body(b"", more=False)

    def _body(self, chunk: bytes, more: bool) -> None:
        self._to_app.send({"type": "http.request", "body": chunk, "more_body": more})

    async def next_part(self, patience: float | None) -> Any:
        """The next part of the answer, or END; an error that arrives instead is raised."""
        try:
            async with asyncio.timeout(patience):
                part = await self._for_client.get()
        except TimeoutError:
            text = f"{self.host} sent nothing for {patience:g} s"
            raise httpx.ReadTimeout(text, request=self.request) from None
        if isinstance(part, BaseException):
            raise part
        return part

    def leave(self) -> None:
        """Close the connection from the client's side; the app is told, unless it has answered."""
        if not self._left:
            self._left = True
            self._to_app.send(DISCONNECT)

    def client_died(self, error: BaseException) -> None:
        """Let the client's own waiting end with this error, and the connection with it."""
        self._for_client.put_nowait(error)
        self.leave()
