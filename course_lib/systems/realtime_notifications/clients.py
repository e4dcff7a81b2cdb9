"""Clients of the four transports. Each gives notices as they come, and comes back when cut off.

All remember the last id they have seen, and ask for what follows it. They run unchanged on the
lab's virtual time and on a real port: `http` is an httpx client, and `connect` opens a WebSocket as
`websockets.connect` does. Leaves out: when to give up.
"""

from __future__ import annotations

import asyncio
import json
import random as dice
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from websockets.exceptions import ConnectionClosed, InvalidStatus

from course_lib.systems.realtime_notifications.event_parser import EventStreamParser, Message
from course_lib.systems.realtime_notifications.reconnect import full_jitter

__all__ = ["Comeback", "event_source", "long_poll", "poll", "web_socket"]

Messages = AsyncGenerator[Message, None]


@dataclass
class Comeback:
    """What a client knows between two connections: where it is, and how long to wait."""

    random: dice.Random
    position: str = ""
    base: float = 0.5
    cap: float = 30.0
    retry: float | None = None
    failures: int = field(default=0, init=False)

    async def pause(self, connected: bool) -> None:
        """Wait before the next connection: as the server said, or after failures with jitter."""
        self.failures = 0 if connected else self.failures + 1
        if connected and self.retry is not None:
            await asyncio.sleep(self.retry)
        else:
            wait = full_jitter(self.failures, base=self.base, cap=self.cap, random=self.random)
            await asyncio.sleep(wait)


async def poll(http: httpx.AsyncClient, url: str, every: float, state: Comeback) -> Messages:
    """Ask every `every` seconds."""
    while True:
        for message in await _page(http, url, state):
            yield message
        await asyncio.sleep(every)


async def long_poll(http: httpx.AsyncClient, url: str, wait: int, state: Comeback) -> Messages:
    """Ask again after each answer; the server holds a question for up to `wait` seconds."""
    while True:
        # The first question is not held: if it were cut off, no position would be known.
        for message in await _page(http, url, state, wait=wait if state.position else 0):
            yield message


async def _page(http: httpx.AsyncClient, url: str, state: Comeback, **params: Any) -> list[Message]:
    """One page; after a failure none, and a pause."""
    if state.position:
        params["after"] = state.position
    try:
        asked = httpx.URL(url).copy_merge_params(params)
        answer = await http.get(asked, timeout=httpx.Timeout(5, read=40))
        answer.raise_for_status()
    except (httpx.TransportError, httpx.HTTPStatusError):
        await state.pause(connected=False)
        return []
    state.failures, page = 0, answer.json()
    state.position = page["next"]
    return [Message(notice["data"], id=notice["id"]) for notice in page["notices"]]


async def event_source(
    http: httpx.AsyncClient, url: str, state: Comeback, silence: float = 45.0
) -> Messages:
    """Server-sent events, as a browser reads them; `silence` seconds without a byte are a cut."""
    while True:
        parser, connected = EventStreamParser(state.position), False
        headers = {"accept": "text/event-stream"}
        if state.position:
            headers["last-event-id"] = state.position
        try:
            timeout = httpx.Timeout(5, read=silence)
            async with http.stream("GET", url, headers=headers, timeout=timeout) as answer:
                answer.raise_for_status()
                async for chunk in answer.aiter_bytes():
                    connected = True
                    for message in parser.feed(chunk):
                        state.position = message.id
                        yield message
                    _learn(state, parser)
        except (httpx.TransportError, httpx.HTTPStatusError):
            pass
        _learn(state, parser)
        await state.pause(connected)


def _learn(state: Comeback, parser: EventStreamParser) -> None:
    state.position = parser.last_event_id
    if parser.retry is not None:
        state.retry = parser.retry / 1000


async def web_socket(
    connect: Callable[[str], Any], url: str, state: Comeback, silence: float = 45.0
) -> Messages:
    """The same over a WebSocket, whose protocol knows no ids and no resume: the messages do."""
    while True:
        connected = False
        try:
            query = {"after": state.position} if state.position else {}
            async with connect(str(httpx.URL(url).copy_merge_params(query))) as socket:
                while True:
                    async with asyncio.timeout(silence):
                        item = json.loads(await socket.recv())
                    connected = True
                    if "retry" in item:
                        state.retry = item["retry"] / 1000
                    state.position = item.get("id", state.position)
                    if item["type"] == "notice":
                        yield Message(item["data"], id=item["id"])
        except (ConnectionClosed, InvalidStatus, OSError, TimeoutError):
            pass
        await state.pause(connected)
