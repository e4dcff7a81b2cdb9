"""The world's HTTP: httpx clients whose requests reach ASGI apps of the same world, and stream.

A request is one effect, applied when the app starts to handle it; the app's own effects follow.
Body parts travel one by one, in both directions, as they are sent; httpx's own ASGITransport would
collect the whole answer first, so an event stream would never be seen. Time-outs of the request are
honoured: connect until the request has arrived, read between parts. Leaves out HTTP framing, flow
control, connections kept open between requests and TLS. WebSockets are in `websocket_part`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

import httpx

from course_lib.lab.errors import ProcessDied
from course_lib.lab.exchange import END, Exchange

if TYPE_CHECKING:
    from course_lib.lab.world import World

__all__ = ["client", "close", "open_exchanges"]


Through = Callable[[httpx.AsyncBaseTransport], httpx.AsyncBaseTransport]


def client(
    world: World, who: str, through: Through | None, options: dict[str, Any]
) -> httpx.AsyncClient:
    """An httpx client that stands on node `who`."""
    transport = _Transport(world, who)
    return httpx.AsyncClient(transport=through(transport) if through else transport, **options)


class _Open:
    """The exchanges that are going on, in the order in which they began."""

    def __init__(self, world: World):
        self.exchanges: dict[Exchange, None] = {}
        world.on_death(self._died)

    def _died(self, node: str) -> None:
        for exchange in list(self.exchanges):
            if exchange.host == node and exchange.handler is not None:
                exchange.cut(f"{node} died")
                exchange.handler.cancel()
            if exchange.who == node:
                exchange.client_died(ProcessDied(f"{node} died"))


def open_exchanges(world: World) -> dict[Exchange, None]:
    """The exchanges that are going on in a world; those of a node that dies end with it."""
    return world.part("http", lambda: _Open(world)).exchanges


def close(world: World, exchange: Exchange) -> None:
    """End an exchange from the client's side."""
    exchanges = open_exchanges(world)
    exchange.leave()
    handler = exchange.handler
    if handler is None or handler.done():
        exchanges.pop(exchange, None)
    else:
        # Without its client it still dies with its host.
        handler.add_done_callback(lambda _: exchanges.pop(exchange, None))


class _Transport(httpx.AsyncBaseTransport):
    def __init__(self, world: World, who: str):
        self.world, self.who = world, who
        self.open = open_exchanges(world)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        timeouts = request.extensions.get("timeout", {})
        exchange = Exchange(self.world, self.who, request)
        self.open[exchange] = None
        try:
            await self._connect(exchange, timeouts.get("connect"))
            await exchange.upload()
            status, headers = await exchange.next_part(timeouts.get("read"))
        except BaseException:
            close(self.world, exchange)
            raise
        body = _Body(exchange, timeouts.get("read"))
        return httpx.Response(status, headers=headers, stream=body, request=request)

    async def _connect(self, exchange: Exchange, patience: float | None) -> None:
        request = exchange.request
        if exchange.host not in self.world.apps:
            raise httpx.ConnectError(f"no node serves {exchange.host}", request=request)
        try:
            async with asyncio.timeout(patience):
                await self._effect(exchange, request)
        except TimeoutError:
            raise httpx.ConnectTimeout(f"{exchange.host} did not answer", request=request) from None

    async def _effect(self, exchange: Exchange, request: httpx.Request) -> None:
        await self.world.effect(
            self.who,
            exchange.host,
            f"{request.method} {request.url.raw_path.decode()}",
            exchange.start_handling,
            refuse=lambda text: httpx.ConnectError(text, request=request),
        )


class _Body(httpx.AsyncByteStream):
    """The answer's body, part by part; closing it tells the app that the client has left."""

    def __init__(self, exchange: Exchange, patience: float | None):
        self._exchange, self._patience = exchange, patience

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (part := await self._exchange.next_part(self._patience)) is not END:
            yield part

    async def aclose(self) -> None:
        close(self._exchange.world, self._exchange)
