"""An answer that streams, ends when its client leaves, and does not wait for a reader for ever.

Framework code that streams a generator leaves its end to the garbage collector. Here the generator
is closed at once, whichever way the stream ends, so that a subscription never outlives its client.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

__all__ = ["EventStream", "while_connected"]


class EventStream(Response):
    """A text/event-stream; a part that cannot be sent within `patience` seconds ends it."""

    media_type = "text/event-stream"

    def __init__(self, parts: AsyncGenerator[str, None], patience: float = 30.0):
        # Proxies must neither keep the stream for later nor collect it first.
        super().__init__(headers={"cache-control": "no-store", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._parts, self._patience = parts, patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream until the parts or the client have come to an end."""
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        await while_connected(self._stream(send), _left(receive))

    async def _stream(self, send: Send) -> None:
        async with aclosing(self._parts) as parts:
            async for part in parts:
                async with asyncio.timeout(self._patience):
                    await send(_body(part.encode(), more=True))
        await send(_body(b"", more=False))


def _body(part: bytes, more: bool) -> dict[str, Any]:
    return {"type": "http.response.body", "body": part, "more_body": more}


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def while_connected(work: Any, left: Any) -> None:
    """Run `work` until it is done or `left` is, and cancel the other; a slow reader is no error."""
    tasks = [asyncio.ensure_future(work), asyncio.ensure_future(left)]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    with suppress(TimeoutError, OSError, asyncio.CancelledError):
        tasks[0].result()
