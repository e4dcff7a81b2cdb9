"""The world's WebSockets: what `websockets.connect` gives, onto ASGI apps of the same world.

The handshake is one effect, applied when the app starts to handle it. Each message then travels by
itself, in either direction, and keeps its place; so does the closing handshake. Methods, errors and
close codes are those of the websockets library, so that a client runs unchanged on a real port.
Leaves out: frames and fragments, flow control, compression, TLS, and the pings by which a real
connection finds out that its other end is silent.
Source: RFC 6455; the "websocket" scope of ASGI 2.5.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from types import TracebackType
from typing import TYPE_CHECKING, Any

import httpx
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK, InvalidStatus
from websockets.frames import Close
from websockets.http11 import Response

from course_lib.lab.errors import ProcessDied
from course_lib.lab.exchange import Exchange, Message
from course_lib.lab.http_part import close, open_exchanges

if TYPE_CHECKING:
    from course_lib.lab.world import World

__all__ = ["Connect", "Connection"]

CLOSED_WELL = (1000, 1001)


class _SocketExchange(Exchange):
    """A handshake, the task that handles the socket, and the messages that travel."""

    goodbye: Message = {"type": "websocket.disconnect", "code": 1006}  # noqa: RUF012

    def __init__(self, world: World, who: str, request: httpx.Request, subprotocols: list[str]):
        super().__init__(world, who, request)
        self._subprotocols = subprotocols
        self._denial: Message = {}
        self._for_app.put_nowait({"type": "websocket.connect"})

    def arrived(self, message: Message) -> None:
        """On the server: keep a message of the client, and answer its close at once."""
        if message["type"] == "websocket.disconnect":
            self._closed(Close(message["code"], message.get("reason", "")))
        super().arrived(message)

    def _closed(self, how: Close) -> None:
        """Send a close and nothing after it."""
        self._answer(how)
        self._dead = True

    # What the app sees

    def _scope(self) -> Message:
        scope = super()._scope()
        del scope["method"]
        scope |= {"type": "websocket", "subprotocols": self._subprotocols}
        return scope | {"extensions": {"websocket.http.response": {}}}

    async def _receive(self) -> Message:
        if self._disconnected:
            return self.goodbye
        message = await self._for_app.get()
        self._disconnected = message["type"] == "websocket.disconnect"
        return message

    async def _send(self, message: Message) -> None:
        if self._dead:
            raise OSError(f"{self.who} has closed the connection")
        match message["type"].removeprefix("websocket."):
            case "accept":
                self._begin(101)
                self._answer(message)
            case "send":
                self._answer(message["bytes"] if message.get("text") is None else message["text"])
            case "close" if self._started:
                self._close(message)
            case "close":
                self._deny({"status": 403, "body": b""})
            case "http.response.start":
                self._denial = {**message, "body": b""}
            case "http.response.body":
                self._denial["body"] += message.get("body", b"")
                if not message.get("more_body"):
                    self._deny(self._denial)
        await asyncio.sleep(0)

    def _begin(self, status: int) -> None:
        self._started = True
        if self._effect is not None:
            self._effect.result = status

    def _close(self, message: Message) -> None:
        code, reason = message.get("code", 1000), message.get("reason") or ""
        self._closed(Close(code, reason))
        self._for_app.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})

    def _deny(self, denial: Message) -> None:
        self._begin(denial["status"])
        self._answer(_refused(denial))
        self._dead = True

    # How it ends

    def returned(self) -> None:
        """An app that just returns has not closed: the connection breaks."""
        self.cut(f"{self.host} left without closing")

    def _failed(self, error: Exception) -> None:
        """As servers do: 500 before the handshake is over, else the connection breaks."""
        if isinstance(error, OSError) and self._dead:
            return  # the app wrote to a client that had left
        if self._effect is not None:
            self._effect.error = f"{type(error).__name__}: {error}"
        if self._started:
            self.cut(f"{self.host} failed: {error!r}")
        else:
            self._deny({"status": 500, "body": b"Internal Server Error"})

    def broken(self, reason: str) -> Exception:
        return _with_note(ConnectionClosedError(None, None), reason)

    # What the client does

    def to_app(self, message: Message) -> None:
        """Let a message travel to the app."""
        self._to_app.send(message)

    async def from_app(self) -> Any:
        """The next part that arrives from the app; what breaks the connection is raised."""
        part = await self._for_client.get()
        if isinstance(part, BaseException):
            raise part
        return part


def _with_note(error: Exception, note: str) -> Exception:
    error.add_note(note)
    return error


def _refused(denial: Message) -> InvalidStatus:
    pairs = [(name.decode(), value.decode()) for name, value in denial.get("headers", [])]
    phrase = HTTPStatus(denial["status"]).phrase
    return InvalidStatus(Response(denial["status"], phrase, Headers(pairs), denial["body"]))


class Connection:
    """The client's end of an open WebSocket."""

    def __init__(self, exchange: _SocketExchange, accepted: Message):
        self._exchange = exchange
        self._end: BaseException | None = None
        self._closing = False
        self.subprotocol: str | None = accepted.get("subprotocol")
        self.close_code: int | None = None
        self.close_reason: str | None = None

    def __repr__(self) -> str:
        state = "open" if self._end is None else f"closed with {self.close_code}"
        return f"<WebSocket of {self._exchange.who} to {self._exchange.host}, {state}>"

    async def send(self, message: str | bytes) -> None:
        """Send a text or binary message; a closed connection raises its ConnectionClosed."""
        if self._end is not None:
            raise self._end
        part = {"text": message} if isinstance(message, str) else {"bytes": message}
        self._exchange.to_app({"type": "websocket.receive", **part})
        await asyncio.sleep(0)

    async def recv(self) -> str | bytes:
        """The next message; ConnectionClosedOK or ConnectionClosedError when there is no more."""
        if self._end is not None:
            raise self._end
        try:
            part = await self._exchange.from_app()
        except (ConnectionClosedError, ProcessDied) as error:
            raise self._ended(error, 1006, "") from None
        if isinstance(part, Close):
            kind = ConnectionClosedOK if part.code in CLOSED_WELL else ConnectionClosedError
            raise self._ended(kind(part, part, not self._closing), part.code, part.reason)
        assert isinstance(part, str | bytes)
        return part

    def _ended(self, error: BaseException, code: int, reason: str) -> BaseException:
        self._end, self.close_code, self.close_reason = error, int(code), reason
        self._exchange._left = True
        return error

    async def __aiter__(self) -> AsyncIterator[str | bytes]:
        try:
            while True:
                yield await self.recv()
        except ConnectionClosedOK:
            return

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close and wait for the other end to agree, at most 10 s; messages on the way are lost."""
        if self._end is not None:
            return
        self._closing = self._exchange._left = True
        self._exchange.to_app({"type": "websocket.disconnect", "code": code, "reason": reason})
        try:
            async with asyncio.timeout(10):
                while True:
                    await self.recv()
        except (ConnectionClosedOK, ConnectionClosedError):
            pass
        except TimeoutError:
            self._ended(ConnectionClosedError(None, Close(code, reason)), 1006, "")


class Connect:
    """A WebSocket to be opened by `async with`; made by `World.websocket`.

    `open_timeout` is in seconds. Entering raises InvalidStatus when the app refuses, OSError when
    nobody listens, and TimeoutError when nobody answers.
    """

    def __init__(
        self,
        world: World,
        who: str,
        url: str,
        *,
        additional_headers: Mapping[str, str] | None = None,
        subprotocols: list[str] | None = None,
        open_timeout: float | None = 10,
    ):
        headers = {"connection": "Upgrade", "upgrade": "websocket", "sec-websocket-version": "13"}
        request = httpx.Request("GET", url, headers={**headers, **(additional_headers or {})})
        self._world, self._who, self._request = world, who, request
        self._subprotocols, self._patience = subprotocols or [], open_timeout
        self._opened: tuple[_SocketExchange, Connection] | None = None

    async def __aenter__(self) -> Connection:
        exchange = _SocketExchange(self._world, self._who, self._request, self._subprotocols)
        open_exchanges(self._world)[exchange] = None
        try:
            async with asyncio.timeout(self._patience):
                await self._handshake(exchange)
                accepted = await exchange.from_app()
        except BaseException:
            close(self._world, exchange)
            raise
        self._opened = exchange, Connection(exchange, accepted)
        return self._opened[1]

    async def _handshake(self, exchange: _SocketExchange) -> None:
        if exchange.host not in self._world.apps:
            raise ConnectionRefusedError(f"no node serves {exchange.host}")
        path = self._request.url.raw_path.decode()
        begin, refuse = exchange.start_handling, ConnectionRefusedError
        await self._world.effect(
            self._who, exchange.host, f"WEBSOCKET {path}", begin, refuse=refuse
        )

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._opened is not None
        exchange, connection = self._opened
        try:
            if kind is None:
                await connection.close()
        finally:
            close(self._world, exchange)
