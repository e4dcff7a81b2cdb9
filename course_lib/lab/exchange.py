"""One HTTP request and its answer, between a client's node and an ASGI app.

Both directions are streams of parts, each of which travels through the network and keeps its place
in the order. Where the link has a bandwidth, a sender waits until its part has left, as with a full
socket buffer. A lost part breaks the connection: nothing that follows arrives either. One that is
made to break (`World.break_at`) tells both ends: the app gets a disconnect, the client an error.
"""

from __future__ import annotations

import asyncio
import contextvars
import math
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

    def send(self, part: object, size: int = 0) -> float:
        """Let a part arrive in its time, never before an earlier one; gives when it has left."""
        loop = asyncio.get_running_loop()
        network = self._world.network
        left = network.departure(self._sender, self._receiver, size, loop.time())
        travel = self._world.travel(self._sender, self._receiver)
        self._broken |= travel == NEVER
        if not self._broken:
            self._last_arrival = max(self._last_arrival, left + travel)
            loop.call_at(self._last_arrival, self._arrive, part)
        return left

    def carry(self, size: int) -> tuple[int, bool]:
        """How many of `size` bytes pass, and whether the connection breaks there."""
        return self._world.network.carry(self._sender, self._receiver, size)


class Exchange:
    """A request, the task that handles it, and the parts that travel."""

    goodbye: Message = DISCONNECT
    """What the app receives when the client has left."""

    def __init__(self, world: World, who: str, request: httpx.Request):
        self.world, self.who, self.request = world, who, request
        self.host = request.url.host
        self.handler: asyncio.Task[None] | None = None
        self._effect: Effect | None = None
        self._for_app: asyncio.Queue[Message] = asyncio.Queue()
        self._for_client: asyncio.Queue[Any] = asyncio.Queue()
        self._to_app = Direction(world, who, self.host, self.arrived)
        self._to_client = Direction(world, self.host, who, self._for_client.put_nowait)
        self._started = self._left = self._disconnected = self._dead = False

    # On the server

    def arrived(self, message: Message) -> None:
        """Keep a message of the client until the app receives it."""
        self._for_app.put_nowait(message)

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
            self.returned()

    def returned(self) -> None:
        """The app has come to its end: so has the answer."""
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
        self._answer(self.broken(reason))
        self._dead = True

    def broken(self, reason: str) -> Exception:
        """What a client gets whose connection breaks."""
        return httpx.RemoteProtocolError(reason, request=self.request)

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
                await self._answer_body(bytes(message["body"]))
            if not message.get("more_body"):
                self._answer(END)
        await asyncio.sleep(0)

    async def _answer_body(self, body: bytes) -> None:
        if not self._dead:
            await _until(self._to_client.send(body, len(body)))

    # On the client

    async def upload(self) -> None:
        """Send the request's body, in the parts in which it comes."""
        if isinstance(self.request.stream, httpx.ByteStream):
            await self._body(await self.request.aread(), more=False)
            return
        assert isinstance(self.request.stream, httpx.AsyncByteStream)
        declared = self.request.headers.get("content-length")
        missing, more = math.inf if declared is None else int(declared), True
        async for chunk in self.request.stream:
            missing -= len(chunk)
            more = missing > 0
            await self._body(chunk, more)
        if more:
            await self._body(b"", more=False)

    async def _body(self, chunk: bytes, more: bool) -> None:
        passed, breaks = self._to_app.carry(len(chunk))
        more = more or passed < len(chunk)
        message = {"type": "http.request", "body": chunk[:passed], "more_body": more}
        await _until(self._to_app.send(message, passed))
        if breaks:
            if self._effect is not None:
                self._effect.answered = None  # whatever the app says, nobody hears it
            raise httpx.WriteError("the connection broke", request=self.request)

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
            self._to_app.send(self.goodbye)

    def client_died(self, error: BaseException) -> None:
        """Let the client's own waiting end with this error, and the connection with it."""
        self._for_client.put_nowait(error)
        self.leave()


async def _until(when: float) -> None:
    """Wait for a time of the running loop that lies ahead; else go on at once."""
    loop = asyncio.get_running_loop()
    if when > loop.time():
        await asyncio.sleep(when - loop.time())
