"""One notification server: polling, long polling, SSE and WebSocket over one hub.

The transports are thin: each turns the items of a subscription into its own words. The app runs
unchanged under a real server (`uvicorn --factory ...:from_environment`). Leaves out: who the user
is. Here the query says so, to keep the page short; a real `who` returns only who was verified.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import platform
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, HTTPException, Query, Response, WebSocket
from pydantic import BaseModel
from redis.asyncio import BlockingConnectionPool, Redis
from starlette.websockets import WebSocketDisconnect

from course_lib.systems.realtime_notifications.drain import drain_on_sigterm
from course_lib.systems.realtime_notifications.event_stream import HEARTBEAT, encode
from course_lib.systems.realtime_notifications.hub import Bye, Gap, Hub, Item, Opened, Quiet
from course_lib.systems.realtime_notifications.log import Notice
from course_lib.systems.realtime_notifications.presence import Presence
from course_lib.systems.realtime_notifications.redis_log import RedisLog
from course_lib.systems.realtime_notifications.responses import EventStream, while_connected

__all__ = ["create_app", "from_environment", "in_event_stream", "in_json"]

LONGEST_WAIT = 30
TO_REDIS = 20
# Redis takes numbers up to 2**64; these are shorter, so that any of them is a position.
POSITION = "^[0-9]{1,15}-[0-9]{1,9}$"
SERVICE_RESTART = 1012
TRY_AGAIN_LATER = 1013

User = Annotated[str, Query(pattern="^[a-z0-9_-]{1,40}$", examples=["ann"])]
Position = Annotated[str | None, Query(pattern=POSITION, examples=["1767225600000-0"])]
LastEventId = Annotated[str | None, Header(pattern=POSITION)]
Wait = Annotated[int, Query(ge=0, le=LONGEST_WAIT)]


def named(user: User) -> str:
    """Who asks: here, whoever the query says."""
    return user


class NoticeOut(BaseModel):
    """One notice of a page."""

    id: str
    data: str


class PageOut(BaseModel):
    """A page of notices; ask again after `next`. If not `whole`, some before them are forgotten."""

    notices: list[NoticeOut]
    next: str
    whole: bool


def in_event_stream(item: Item) -> str:
    """An item as text/event-stream.

    >>> in_event_stream(Notice("7-0", "ann", "hello"))
    'id: 7-0\\ndata: hello\\n\\n'
    """
    match item:
        case Opened(id, wait):
            return encode(None, id=id, retry=_milliseconds(wait))
        case Gap(id):
            return encode(id, event="gap")
        case Quiet.QUIET:
            return HEARTBEAT
        case Bye(wait, reason):
            return encode(reason, event="bye", retry=_milliseconds(wait))
        case Notice(id, _, data):
            return encode(data, id=id)


def in_json(item: Item) -> dict[str, Any]:
    """An item as a WebSocket message.

    >>> in_json(Notice("7-0", "ann", "hello"))
    {'type': 'notice', 'id': '7-0', 'data': 'hello'}
    """
    match item:
        case Opened(id, wait):
            return {"type": "opened", "id": id, "retry": _milliseconds(wait)}
        case Gap(id):
            return {"type": "gap", "after": id}
        case Quiet.QUIET:
            return {"type": "heartbeat"}
        case Bye(wait, reason):
            return {"type": "bye", "reason": reason, "retry": _milliseconds(wait)}
        case Notice(id, _, data):
            return {"type": "notice", "id": id, "data": data}


def _milliseconds(seconds: float) -> int:
    return math.ceil(1000 * seconds)


def create_app(
    hub: Hub,
    presence: Presence | None = None,
    who: Callable[..., str] = named,
    drain_over: float | None = None,
) -> FastAPI:
    """The app of one server; `hub.run()` and `presence.run()` go on while it is up.

    With `drain_over`, SIGTERM first sends the clients away over so many seconds.
    """
    app = FastAPI(title="Notifications", lifespan=_background(hub, presence, drain_over))
    app.state.hub, app.state.presence = hub, presence
    me = Depends(who)

    @app.get("/notifications", responses={503: {"description": "draining"}})
    async def poll(
        response: Response, user: str = me, after: Position = None, wait: Wait = 0
    ) -> PageOut:
        """Poll, or with `wait` long poll: up to so many seconds for the first notice."""
        if hub.draining:
            raise HTTPException(503, "draining", {"retry-after": str(math.ceil(hub.wait()))})
        response.headers["cache-control"] = "no-store"
        page = await hub.fetch(user, after, wait)
        notices = [NoticeOut(id=notice.id, data=notice.data) for notice in page.notices]
        return PageOut(notices=notices, next=page.next, whole=page.whole)

    @app.get("/notifications/stream", response_class=EventStream, status_code=200)
    async def stream(
        user: str = me, after: Position = None, last_event_id: LastEventId = None
    ) -> EventStream:
        """Server-sent events; the header goes before the query, which is for a first connection."""
        return EventStream(_event_stream(hub, presence, user, last_event_id or after))

    @app.websocket("/notifications/socket")
    async def socket(websocket: WebSocket, user: str = me, after: Position = None) -> None:
        """The same, as messages of JSON; the client may send a heartbeat of its own."""
        await websocket.accept()
        work = _send_all(hub, presence, user, after, websocket)
        await while_connected(work, _heard_out(websocket))

    @app.get("/health", responses={503: {"description": "draining"}})
    async def health() -> dict[str, int]:
        """Whether a balancer should send new clients here."""
        if hub.draining:
            raise HTTPException(503, "draining")
        return {"subscriptions": len(hub)}

    return app


def _background(
    hub: Hub, presence: Presence | None, drain_over: float | None
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(hub.run())]
        tasks += [asyncio.create_task(presence.run())] if presence else []
        if drain_over is not None:
            drain_on_sigterm(hub, drain_over)
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    return lifespan


async def _items(
    hub: Hub, presence: Presence | None, user: str, after: str | None
) -> AsyncGenerator[Item, None]:
    """A subscription during which the user is present."""
    connection = await presence.enter(user) if presence else ""
    try:
        async with aclosing(hub.subscribe(user, after)) as items:
            async for item in items:
                yield item
    finally:
        if presence:
            await presence.leave(connection)


async def _event_stream(
    hub: Hub, presence: Presence | None, user: str, after: str | None
) -> AsyncGenerator[str, None]:
    async with aclosing(_items(hub, presence, user, after)) as items:
        async for item in items:
            yield in_event_stream(item)


async def _send_all(
    hub: Hub, presence: Presence | None, user: str, after: str | None, websocket: WebSocket
) -> None:
    async with aclosing(_items(hub, presence, user, after)) as items:
        async for item in items:
            async with asyncio.timeout(30):
                await websocket.send_text(json.dumps(in_json(item)))
            if isinstance(item, Bye):
                code = TRY_AGAIN_LATER if item.reason == "too slow" else SERVICE_RESTART
                await websocket.close(code, item.reason)


async def _heard_out(websocket: WebSocket) -> None:
    try:
        while True:
            await websocket.receive()
    except (WebSocketDisconnect, RuntimeError):
        return


def from_environment() -> FastAPI:
    """An app for `uvicorn --factory`, on the Redis that REDIS_URL names.

    HEARTBEAT, SPREAD and DRAIN_OVER are in seconds; see Hub and create_app.
    """
    # A thousand clients that come at once share these; without a bound each would open its own.
    pool = BlockingConnectionPool.from_url(
        os.environ["REDIS_URL"], max_connections=TO_REDIS, timeout=30, decode_responses=True
    )
    redis = Redis(connection_pool=pool)
    heartbeat, spread, drain_over = (
        float(os.environ.get(name, default))
        for name, default in (("HEARTBEAT", "15"), ("SPREAD", "10"), ("DRAIN_OVER", "10"))
    )
    hub = Hub(RedisLog(redis), heartbeat=heartbeat, spread=spread)
    server = f"{platform.node()}:{os.getpid()}"
    return create_app(hub, Presence(redis, server), drain_over=drain_over)
